"""What is gathered: every seed once, from wherever it is known; and what a failure takes along."""

import dataclasses
import itertools

import pandas as pd
import pytest

from lstm_bench.execution._checkpoint import Checkpoint
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._workers import Job, JobFailed, JobFinished, Seal, SeedFinished
from lstm_bench.provenance import provenance
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results._outcome import CURVE_COLUMNS, PREDICTION_COLUMNS, SEED_COLUMNS, Outcome
from lstm_bench.results._storage import pack_outcome

RECIPE = recipe("memory", units=2, epochs=3)
OTHER = recipe("memory", units=3, epochs=3)


def an_outcome(settings, seed):
    built = recipe(**settings)
    scores = (seed, 0.1, 0.5, 0.0, False, float("nan"), 1.0)
    seeds = pd.DataFrame([scores], columns=list(SEED_COLUMNS))
    curves = pd.DataFrame([(seed, 1, 0.1, 0.5)], columns=list(CURVE_COLUMNS))
    asked = pd.DataFrame([(seed, 0, 0, "A", "B", "C", False)], columns=list(PREDICTION_COLUMNS))
    tables = (seeds, curves, asked)
    return Outcome(built.settings, built.digest, "r", "compiled", *tables, 1, 1, 1, 1.0)


class Workers:
    """Stands in for the processes of a `Pool`: trains nothing, and fails at the seed told."""

    size = 2

    def __init__(self, fails_at=None, failure=None, seals=()):
        self.fails_at, self.failure = fails_at, failure
        self.seals = list(seals)  # what becomes of the first networks; then all go well
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
                yield (
                    ticket,
                    SeedFinished(
                        seed, tuple(pack_outcome(an_outcome(r, seed)) for r in job.recipes)
                    ),
                )
            else:
                fails = isinstance(job, Seal) and self.seals
                yield ticket, self.seals.pop(0) if fails else JobFinished(b"a network")


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
        ledger = Checkpoint(tmp_path / "seeds.db", "s")
        return RecipeRunner(session, ledger, workers, "compiled", seconds, seeds=3)

    made.session = session
    return made


def need(seeds, of=RECIPE, **more):
    return Request("x", of, tuple(seeds), **more)


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
    assert Checkpoint(tmp_path / "seeds.db", "s").kept(RECIPE.digest) == {}


def test_what_a_kill_left_in_the_ledger_as_well_is_forgotten(gatherer, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "forget", lambda *_: None)  # killed before that
        gatherer(Workers()).gather([need(range(3))], settle=True)
    ledger = Checkpoint(tmp_path / "seeds.db", "s")
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
    workers = Workers(fails_at=4, failure=JobFailed("boom"))
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
    gatherer(Workers(1, JobFailed("killed", "died"))).gather([need(range(3))])
    tried = Workers(1, JobFailed("", "late"))
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


# ---- Networks


FULL = JobFailed("StoreError: no room")


def test_a_network_that_could_not_be_made_at_once_is_tried_again(gatherer):
    found = gatherer(Workers(seals=[FULL, FULL]))
    found.gather([need(range(3))], settle=True)
    assert gatherer.session.outcomes[RECIPE.digest].model == b"a network"
    assert found.unsaved == {}


@pytest.mark.parametrize("last", [FULL, JobFailed("killed each time", "died")])
def test_without_its_network_a_recipe_stays_unfinished_and_the_next_session_makes_it(
    gatherer, last
):
    found = gatherer(Workers(seals=[FULL, FULL, last]))
    lost = need(range(3))
    found.gather([lost], settle=True)
    found.gather([need(range(3), OTHER)], settle=True)
    assert OTHER.digest in gatherer.session.outcomes
    assert found.unsaved == {lost.key: last.reason}
    assert lost.key not in gatherer.session.outcomes
    assert found.outcome(lost) is not None  # a search goes on with what is known
    again = Workers()
    later = gatherer(again)
    later.gather([lost], settle=True)
    assert (again.trained, later.unsaved) == ([], {})  # from the weights that were kept
    assert gatherer.session.outcomes[lost.key].model == b"a network"


def test_a_store_that_lacks_a_network_is_repaired(gatherer):
    gatherer(Workers()).gather([need(range(3))], settle=True)
    stored = gatherer.session.outcomes
    whole = dataclasses.replace(stored[RECIPE.digest], provenance=provenance())
    stored[RECIPE.digest] = dataclasses.replace(whole, model=b"")
    workers = Workers()
    later = gatherer(workers)
    later.gather([need(range(3))], settle=True)
    assert workers.trained == [(RECIPE.digest, whole.best_seed)]  # and the others are kept
    assert stored[RECIPE.digest].model == b"a network"
    pd.testing.assert_frame_equal(stored[RECIPE.digest].seeds, whole.seeds)


def test_where_other_numbers_would_come_out_all_seeds_are_run_again(gatherer):
    gatherer(Workers()).gather([need(range(3))], settle=True)
    stored = gatherer.session.outcomes
    elsewhere = provenance() | {"processor": "another one"}
    lost = dataclasses.replace(stored[RECIPE.digest], provenance=elsewhere, model=b"")
    stored[RECIPE.digest] = lost
    workers = Workers()
    gatherer(workers).gather([need(range(3))], settle=True)
    assert sorted(seed for _, seed in workers.trained) == [0, 1, 2]


def test_a_seed_that_cannot_be_read_from_the_checkpoint_is_run_again(gatherer, tmp_path):
    gatherer(Workers()).gather([need(range(3))])
    ledger = Checkpoint(tmp_path / "seeds.db", "s")
    ledger.forget(RECIPE.digest)
    ledger.keep(RECIPE.digest, 1, b"whole, by its digest, and yet no outcome")
    again = Workers()
    found = gatherer(again)
    found.gather([need(range(3))])
    assert sorted(seed for _, seed in again.trained) == [0, 1, 2]
    assert found.outcome(need(range(3))) is not None
