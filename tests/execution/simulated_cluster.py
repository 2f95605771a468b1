"""A cluster whose workers only let a clock run: the link of `ClusterExecutor` in simulated time.

Faults are written down beforehand, as functions of the link at moments of that clock.
"""

import heapq
import itertools

from lstm_bench.execution._executor import Job, JobFailed, JobFinished, SeedFinished
from lstm_bench.execution._host import MissingSetupError
from lstm_bench.execution._link import Result, SetUp, WorkerFacts, Workers


class SimulatedCluster:
    """`duration(job, seed)` is how long a seed trains; a worker's first use of a program costs
    `compile_seconds` more. `at` lists (time, function of this link): what happens besides."""

    def __init__(self, workers, duration, compile_seconds=0.0, start=0.0, at=(), facts=None):
        self.now, self.facts = 0.0, facts or {}
        self.duration, self.compile_seconds, self.start = duration, compile_seconds, start
        self.events, self.order = [], itertools.count()
        self.cluster, self.workers, self.queues = "1", {}, {}
        self.frozen, self.programs, self.busy, self.trained = set(), {}, 0.0, []
        self.fails = {}  # (training, seed) -> "kill" or "error"
        self.setups, self.kills = set(), 0
        for number in range(workers):
            self.join(f"w{number}")
        for moment, what in at:
            self.push(moment, lambda what=what: what(self))

    def push(self, moment, what):
        heapq.heappush(self.events, (moment, next(self.order), what))

    # What can happen to workers.

    def join(self, address, threads=1):
        self.workers[address] = WorkerFacts(address, "host", threads)
        self.queues[address], self.programs[address] = [], set()
        self.push(self.now, lambda: [self.listing()])

    def kill(self, address):
        if self.workers.pop(address, None) is None:
            return None
        self.kills += 1
        self.queues.pop(address)
        self.frozen.discard(address)
        self.setups.discard(address)
        return [self.listing()]

    def restart_in_place(self, address):
        """Kills a worker whose successor has its address, before anybody has looked."""
        waiting, self.queues[address] = self.queues[address], []
        self.setups.discard(address)
        return [Result(address, copy, MissingSetupError("gone")) for copy, *_ in waiting[:1]]

    def freeze(self, address):
        self.frozen.add(address)

    def thaw(self, address):
        self.frozen.discard(address)
        self.advance(address)

    def restart_scheduler(self):
        self.cluster += "'"
        self.setups.clear()
        for queue in self.queues.values():
            queue.clear()
        return [self.listing()]

    def listing(self):
        return Workers(self.cluster, dict(self.workers))

    # The link.

    def open(self):
        pass

    def close(self, setup, copies, addresses):
        pass

    def receive(self, seconds):
        deadline = self.now + seconds
        while self.events and self.events[0][0] <= deadline:
            self.now, _, what = heapq.heappop(self.events)
            messages = what()
            if messages:
                return messages
        self.now = deadline
        return []

    def set_up(self, address, setup, files):
        def answer():
            if address in self.workers and address not in self.frozen:
                self.setups.add(address)
                facts = {**setup.required, "host": "host", **self.facts.get(address, {})}
                return [SetUp(address, frozenset(files), facts)]
            return [SetUp(address, frozenset(files), TimeoutError())]

        self.push(self.now + self.start, answer)

    def give(self, address, setup, copy):
        if address in self.queues:
            assert address in self.setups and not self.facts.get(address)
            self.queues[address].append((copy, None))
            self.advance(address)

    def cancel(self, copy):
        for address, queue in self.queues.items():
            if any(waiting is copy for waiting, _ in queue):
                self.queues[address] = [item for item in queue if item[0] is not copy]
                self.advance(address)

    def advance(self, address):
        """Begins the pieces that a worker has a thread for."""
        queue, threads = self.queues.get(address, []), self.workers[address].threads
        for place, (copy, began) in enumerate(queue[:threads]):
            if began is None and address not in self.frozen:
                queue[place] = (copy, self.now)
                self.push(self.now + self.seconds(address, copy), self.finishing(address, copy))

    def seconds(self, address, copy):
        job = copy.piece.job
        if not isinstance(job, Job):
            return 0.1
        new = job.program and job.program not in self.programs[address]
        self.programs[address].add(job.program)
        return sum(self.duration(job, seed) for seed in job.seeds) + new * self.compile_seconds

    def finishing(self, address, copy):
        began = self.now

        def finish():
            queue = self.queues.get(address, [])
            mine = [item for item in queue if item[0] is copy and item[1] == began]
            if not mine:
                return None  # killed or cancelled meanwhile
            if address in self.frozen:
                self.push(self.now + 1, finish)
                return None
            job = copy.piece.job
            seeds = job.seeds if isinstance(job, Job) else ()
            kinds = {self.fails.get((job.training, seed)) for seed in seeds}
            if "kill" in kinds:
                return self.kill(address)
            queue.remove(mine[0])
            self.busy += self.now - began
            self.trained += [(job.training, seed) for seed in seeds]
            self.advance(address)
            end = JobFailed("bad", "error") if "error" in kinds else JobFinished(b"net")
            good = [seed for seed in seeds if (job.training, seed) not in self.fails]
            events = [SeedFinished(seed, (f"{job.training} {seed}".encode(),)) for seed in good]
            return [Result(address, copy, (*events, end))]

        return finish
