"""Requests: every seed is run once, wherever it was saved; and what a failure has as its effect."""

import dataclasses
import itertools

import pandas as pd
import pytest
from outcome_builder import build_outcome

from lstm_bench.execution._checkpoint import Checkpoint
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._workers import Job, JobFailed, JobFinished, NetworkJob, SeedFinished
from lstm_bench.provenance import provenance
from lstm_bench.recipes import estimated_seconds
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results._storage import pack_outcome

RECIPE = recipe("memory", units=2, epochs=3)
OTHER = recipe("memory", units=3, epochs=3)


def make_outcome(settings, seed):
    chosen = recipe(**settings)
    return build_outcome(
        [0.5],
        [seed],
        curves=[(seed, 1, 0.1, 0.5)],
        predictions=[(seed, 0, 0, "A", "B", "C", False)],
        settings=chosen.settings,
        digest=chosen.digest,
        engine="compiled",
    )


class Workers:
    """Stands in for a `WorkerPool`: trains nothing, and fails at the seed `fails_at`."""

    size = 2

    def __init__(self, fails_at=None, failure=None, networks=()):
        self.fails_at, self.failure = fails_at, failure
        self.networks = list(networks)  # how the first network jobs fail; later ones succeed
        self.waiting, self.tickets, self.trained = {}, itertools.count(), []

    def submit(self, job):
        self.waiting[ticket := next(self.tickets)] = job
        return ticket

    def events(self):
        while self.waiting:
            ticket, job = next(iter(self.waiting.items()))
            del self.waiting[ticket]
            for seed in job.seeds if isinstance(job, Job) else ():
                if seed == self.fails_at:
                    yield ticket, self.failure
                    break
                self.trained += [(recipe(**settings).digest, seed) for settings in job.recipes]
                yield (
                    ticket,
                    SeedFinished(
                        seed, tuple(pack_outcome(make_outcome(r, seed)) for r in job.recipes)
                    ),
                )
            else:
                fails = isinstance(job, NetworkJob) and self.networks
                yield ticket, self.networks.pop(0) if fails else JobFinished(b"a network")


class FakeSession:
    """Stands in for a session of the store."""

    def __init__(self):
        self.outcomes, self.failures = {}, {}

    def finished(self, key):
        return self.outcomes.get(key)

    def failure(self, key):
        return self.failures.get(key)

    def log(self, label, outcome, kind, done):
        self.outcomes[f"{outcome.digest}" if kind == "search" else f"{outcome.digest} {kind}"] = (
            outcome
        )
        done()

    def fail(self, key, failed, engine):
        self.failures[key] = failed.reason


@pytest.fixture
def make_runner(tmp_path):
    """Returns a function that makes a runner; all share one store and one checkpoint file."""
    session = FakeSession()

    def make(workers, seconds=None):
        checkpoint = Checkpoint(tmp_path / "seeds.db", "s")
        return RecipeRunner(session, checkpoint, workers, "compiled", seconds, seeds=3)

    make.session = session
    return make


def request(seeds, of=RECIPE, **more):
    return Request("x", of, tuple(seeds), **more)


def test_every_seed_is_run_once_for_all_requests(make_runner):
    workers = Workers()
    runner = make_runner(workers)
    some, more = request([0, 1]), request([1, 2, 3])
    reuse = []
    runner.run(
        [some, more, request([5], kind="fresh")], on_done=lambda _, reused: reuse.append(reused)
    )
    assert runner.outcome(some).seeds["seed"].tolist() == [0, 1]
    assert runner.outcome(more).seeds["seed"].tolist() == [1, 2, 3]
    assert sorted(reuse) == [False, False, True]
    runner.run([request(range(5))])
    assert sorted(seed for _, seed in workers.trained) == [0, 1, 2, 3, 4, 5]


def test_the_next_session_knows_what_was_run_stored_or_not(make_runner):
    runner = make_runner(Workers())
    runner.run([request(range(3))], store=True)
    runner.run([request(range(4), OTHER)])  # only in the checkpoint
    again = Workers()
    later = make_runner(again)
    later.run([request(range(3)), request(range(4), OTHER)])
    assert again.trained == []
    assert later.outcome(request(range(4), OTHER)) is not None
    assert make_runner.session.outcomes[RECIPE.digest].model == b"a network"


def test_what_a_kill_left_only_in_the_checkpoint_is_stored_by_the_next_session(
    make_runner, tmp_path
):
    make_runner(Workers()).run([request(range(3))])  # killed before it was stored
    later = make_runner(Workers())
    reuse = []
    later.run([request(range(3))], store=True, on_done=lambda _, reused: reuse.append(reused))
    assert make_runner.session.outcomes[RECIPE.digest].model == b"a network"
    assert reuse == [True]
    assert Checkpoint(tmp_path / "seeds.db", "s").load(RECIPE.digest) == {}


def test_what_a_kill_left_in_the_checkpoint_as_well_is_removed(make_runner, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "remove", lambda *_: None)  # killed before that
        make_runner(Workers()).run([request(range(3))], store=True)
    checkpoint = Checkpoint(tmp_path / "seeds.db", "s")
    assert len(checkpoint.load(RECIPE.digest)) == 3
    again = make_runner(Workers())
    again.run([request(range(3))])
    assert checkpoint.load(RECIPE.digest) == {}
    assert again.outcome(request(range(3))) is not None
    more = Workers()
    make_runner(more).run([request(range(4))], store=True)
    assert [seed for _, seed in more.trained] == [3]
    assert make_runner.session.outcomes[RECIPE.digest].seeds["seed"].tolist() == [0, 1, 2, 3]


def test_a_failure_leaves_the_seeds_that_had_finished(make_runner):
    """A trial that was stopped after 3 seeds keeps them when more seeds of it fail later."""
    workers = Workers(fails_at=4, failure=JobFailed("boom"))
    runner = make_runner(workers)
    first, later = request(range(3)), request(range(6))
    runner.run([first])
    runner.run([later])
    assert runner.outcome(first) is not None
    assert (runner.outcome(later), runner.failure(later)) == (None, "boom")
    again = Workers()
    next_session = make_runner(again)
    next_session.run([first, later])
    assert again.trained == []
    assert next_session.outcome(first) is not None
    assert next_session.failure(later) == "boom"


def test_a_died_recipe_is_run_again_and_one_over_time_only_with_more_time(make_runner):
    make_runner(Workers(1, JobFailed("killed", "died"))).run([request(range(3))])
    limited = make_runner(Workers(1, JobFailed("", "timeout")), seconds=10)
    limited.run([request(range(3))])
    reason = limited.failure(request(range(3)))
    assert "time limit of 10 s" in reason
    same = Workers()
    make_runner(same, seconds=10).run([request(range(3))])
    assert same.trained == []
    for seconds in (20, None):  # a longer limit, and none at all
        make_runner.session.failures, make_runner.session.outcomes = {RECIPE.digest: reason}, {}
        runner = make_runner(Workers(), seconds=seconds)
        runner.run([request(range(3))])
        assert runner.outcome(request(range(3))) is not None


def test_a_limited_recipe_stays_with_one_worker_and_more_seeds_have_more_time(make_runner):
    workers = Workers()
    jobs = []
    workers.submit, submit = lambda job: jobs.append(job) or submit(job), workers.submit
    runner = make_runner(workers, seconds=10)
    runner.run([request(range(6))])
    assert [(job.seeds, job.seconds) for job in jobs] == [(tuple(range(6)), 20.0)]
    unlimited = make_runner(workers)
    unlimited.run([request(range(6), OTHER)])
    assert sorted(len(job.seeds) for job in jobs[1:]) == [3, 3]


def test_a_recipe_that_takes_long_is_many_jobs(make_runner):
    """So that an idle worker can take a part of the last recipe."""
    workers, jobs = Workers(), []
    workers.submit, submit = lambda job: jobs.append(job) or submit(job), workers.submit
    long = recipe("memory", lag=200, framing="whole", stateful=False, batch_size=2, epochs=40_000)
    seconds = estimated_seconds(long)
    assert 10 < seconds < 40  # so 12 seeds are some jobs of a minute
    runner = make_runner(workers)
    runner.run([request(range(12), long), request(range(2))])
    of_long = [job for job in jobs if len(job.seeds) and job.recipes[0]["epochs"] == 40_000]
    assert len(of_long) > 2 and all(job.work <= 90 or len(job.seeds) == 1 for job in of_long)
    assert sorted(seed for job in of_long for seed in job.seeds) == list(range(12))
    assert sum(job.work for job in of_long) == pytest.approx(12 * seconds)
    assert runner.outcome(request(range(12), long)) is not None


def test_a_long_recipe_that_fails_at_once_is_not_tried_again_for_its_other_seeds(make_runner):
    workers, jobs = Workers(fails_at=0, failure=JobFailed("no memory", "died")), []
    workers.submit, submit = lambda job: jobs.append(job) or submit(job), workers.submit
    long = recipe("memory", lag=200, framing="whole", stateful=False, batch_size=2, epochs=40_000)
    runner, others = make_runner(workers), [request([0], OTHER), request([0])]
    runner.run([request(range(12), long), *others])
    assert sum(job.recipes[0]["epochs"] == 40_000 for job in jobs) == 1
    assert runner.outcome(request(range(12), long)) is None
    assert "no memory" in runner.failure(request(range(12), long))


# ---- Networks


FULL = JobFailed("StoreError: no room")


def test_a_network_that_could_not_be_made_is_tried_again(make_runner):
    runner = make_runner(Workers(networks=[FULL, FULL]))
    runner.run([request(range(3))], store=True)
    assert make_runner.session.outcomes[RECIPE.digest].model == b"a network"
    assert runner.unsaved == {}


@pytest.mark.parametrize("last", [FULL, JobFailed("killed each time", "died")])
def test_without_its_network_a_recipe_stays_unfinished_and_the_next_session_makes_it(
    make_runner, last
):
    runner = make_runner(Workers(networks=[FULL, FULL, last]))
    lost = request(range(3))
    runner.run([lost], store=True)
    runner.run([request(range(3), OTHER)], store=True)
    assert OTHER.digest in make_runner.session.outcomes
    assert runner.unsaved == {lost.key: last.reason}
    assert lost.key not in make_runner.session.outcomes
    assert runner.outcome(lost) is not None  # a search goes on with its scores
    again = Workers()
    later = make_runner(again)
    later.run([lost], store=True)
    assert (again.trained, later.unsaved) == ([], {})  # from the saved weights
    assert make_runner.session.outcomes[lost.key].model == b"a network"


def test_a_store_that_lacks_a_network_is_repaired(make_runner):
    make_runner(Workers()).run([request(range(3))], store=True)
    stored = make_runner.session.outcomes
    whole = dataclasses.replace(stored[RECIPE.digest], provenance=provenance())
    stored[RECIPE.digest] = dataclasses.replace(whole, model=b"")
    workers = Workers()
    later = make_runner(workers)
    later.run([request(range(3))], store=True)
    assert workers.trained == [(RECIPE.digest, whole.best_seed)]  # the other seeds are kept
    assert stored[RECIPE.digest].model == b"a network"
    pd.testing.assert_frame_equal(stored[RECIPE.digest].seeds, whole.seeds)


def test_all_seeds_are_run_again_where_the_numbers_could_differ(make_runner):
    make_runner(Workers()).run([request(range(3))], store=True)
    stored = make_runner.session.outcomes
    elsewhere = provenance() | {"processor": "another one"}
    lost = dataclasses.replace(stored[RECIPE.digest], provenance=elsewhere, model=b"")
    stored[RECIPE.digest] = lost
    workers = Workers()
    make_runner(workers).run([request(range(3))], store=True)
    assert sorted(seed for _, seed in workers.trained) == [0, 1, 2]


def test_a_seed_that_cannot_be_read_from_the_checkpoint_is_run_again(make_runner, tmp_path):
    make_runner(Workers()).run([request(range(3))])
    checkpoint = Checkpoint(tmp_path / "seeds.db", "s")
    checkpoint.remove(RECIPE.digest)
    checkpoint.save(RECIPE.digest, 1, b"intact by its digest, but no outcome")
    again = Workers()
    runner = make_runner(again)
    runner.run([request(range(3))])
    assert sorted(seed for _, seed in again.trained) == [0, 1, 2]
    assert runner.outcome(request(range(3))) is not None
