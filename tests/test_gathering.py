"""What is gathered: every seed once, from wherever it is known; and what a failure takes along."""

import itertools

import pandas as pd
import pytest

from lstm_bench.gathering import Gatherer, Need
from lstm_bench.ledger import Ledger
from lstm_bench.recipe import recipe
from lstm_bench.results import Outcome, pack
from lstm_bench.workers import Done, Failure, Job, Seed

RECIPE = recipe("memory", units=2, epochs=3)
OTHER = recipe("memory", units=3, epochs=3)


def an_outcome(settings, seed):
    built = recipe(**settings)
    seeds = pd.DataFrame({"seed": [seed], "loss": [0.1], "accuracy": [0.5], "solved": [False],
                          "seconds": [1.0]})  # fmt: skip
    empty = pd.DataFrame({"seed": [seed], "epoch": [1]})
    return Outcome(built.settings, built.digest, "r", "compiled", seeds, empty, empty, 1, 1, 1, 1.0)


class Workers:
    """Stands in for the processes of a `Pool`: trains nothing, and fails at the seed told."""

    size = 2

    def __init__(self, fails_at=None, failure=None):
        self.fails_at, self.failure = fails_at, failure
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
                self.trained += [(recipe(**each).digest, seed) for each in job.recipes]
                yield ticket, Seed(seed, tuple(pack(an_outcome(r, seed)) for r in job.recipes))
            else:
                yield ticket, Done(b"a network")


class Written:
    """Stands in for a session of the store."""

    def __init__(self):
        self.outcomes, self.failures = {}, {}

    def finished(self, key):
        return self.outcomes.get(key)

    def failure(self, key):
        return self.failures.get(key)

    def log(self, label, outcome, kind):
        self.outcomes[f"{outcome.digest}" if kind == "search" else f"{outcome.digest} {kind}"] = (
            outcome
        )

    def fail(self, key, failed, engine):
        self.failures[key] = failed.reason


@pytest.fixture
def gatherer(tmp_path):
    """Returns a function that makes a gatherer on one store and ledger: a session, another."""
    session = Written()

    def made(workers, seconds=None):
        ledger = Ledger(tmp_path / "seeds.db", "s")
        return Gatherer(session, ledger, workers, "compiled", seconds, seeds=3)

    made.session = session
    return made


def need(seeds, of=RECIPE, **more):
    return Need("x", of, tuple(seeds), **more)


def test_every_seed_is_run_once_whoever_wants_it(gatherer):
    workers = Workers()
    found = gatherer(workers)
    some, more = need([0, 1]), need([1, 2, 3])
    told = []
    found.gather([some, more, need([5], kind="fresh")], told=lambda n, reused: told.append(reused))
    assert found.outcome(some).seeds["seed"].tolist() == [0, 1]
    assert found.outcome(more).seeds["seed"].tolist() == [1, 2, 3]
    assert sorted(told) == [False, False, True]
    found.gather([need(range(5))])
    assert sorted(seed for _, seed in workers.trained) == [0, 1, 2, 3, 4, 5]


def test_what_was_run_is_known_to_the_next_session_settled_or_not(gatherer):
    found = gatherer(Workers())
    found.gather([need(range(3))], settle=True)
    found.gather([need(range(4), OTHER)])  # in the ledger alone
    again = Workers()
    later = gatherer(again)
    later.gather([need(range(3)), need(range(4), OTHER)])
    assert again.trained == []
    assert later.outcome(need(range(4), OTHER)) is not None
    assert gatherer.session.outcomes[RECIPE.digest].model == b"a network"


def test_what_a_kill_left_in_the_ledger_alone_is_settled_by_the_next_session(gatherer, tmp_path):
    gatherer(Workers()).gather([need(range(3))])  # killed before it was settled
    later = gatherer(Workers())
    told = []
    later.gather([need(range(3))], settle=True, told=lambda n, reused: told.append(reused))
    assert gatherer.session.outcomes[RECIPE.digest].model == b"a network"
    assert told == [True]
    assert Ledger(tmp_path / "seeds.db", "s").kept(RECIPE.digest) == {}


def test_what_a_kill_left_in_the_ledger_as_well_is_forgotten(gatherer, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "forget", lambda *_: None)  # killed before that
        gatherer(Workers()).gather([need(range(3))], settle=True)
    ledger = Ledger(tmp_path / "seeds.db", "s")
    assert len(ledger.kept(RECIPE.digest)) == 3
    again = gatherer(Workers())
    again.gather([need(range(3))])
    assert ledger.kept(RECIPE.digest) == {}
    assert again.outcome(need(range(3))) is not None
    more = Workers()
    gatherer(more).gather([need(range(4))], settle=True)
    assert [seed for _, seed in more.trained] == [3]
    assert gatherer.session.outcomes[RECIPE.digest].seeds["seed"].tolist() == [0, 1, 2, 3]


def test_a_failure_leaves_the_seeds_that_had_finished(gatherer):
    """A trial that was stopped after 3 seeds stays what it was when more seeds of it fail later."""
    workers = Workers(fails_at=4, failure=Failure("boom"))
    found = gatherer(workers)
    first, later = need(range(3)), need(range(6))
    found.gather([first])
    found.gather([later])
    assert found.outcome(first) is not None
    assert (found.outcome(later), found.reason(later)) == (None, "boom")
    again = Workers()
    next_session = gatherer(again)
    next_session.gather([first, later])
    assert again.trained == []
    assert next_session.outcome(first) is not None
    assert next_session.reason(later) == "boom"


def test_what_ran_out_of_memory_is_tried_again_and_what_was_late_when_it_gets_more_time(gatherer):
    gatherer(Workers(1, Failure("killed", "died"))).gather([need(range(3))])
    tried = Workers(1, Failure("", "late"))
    late = gatherer(tried, seconds=10)
    late.gather([need(range(3))])
    late = late.reason(need(range(3)))
    assert "time limit of 10 s" in late
    same = Workers()
    gatherer(same, seconds=10).gather([need(range(3))])
    assert same.trained == []
    for more in (20, None):  # a longer limit, and none at all
        gatherer.session.failures, gatherer.session.outcomes = {RECIPE.digest: late}, {}
        found = gatherer(Workers(), seconds=more)
        found.gather([need(range(3))])
        assert found.outcome(need(range(3))) is not None


def test_a_limited_recipe_stays_with_one_worker_and_more_seeds_have_more_time(gatherer):
    workers = Workers()
    jobs = []
    workers.submit, submit = lambda job: jobs.append(job) or submit(job), workers.submit
    found = gatherer(workers, seconds=10)
    found.gather([need(range(6))])
    assert [(job.seeds, job.seconds) for job in jobs] == [(tuple(range(6)), 20.0)]
    free = gatherer(workers)
    free.gather([need(range(6), OTHER)])
    assert sorted(len(job.seeds) for job in jobs[1:]) == [3, 3]
