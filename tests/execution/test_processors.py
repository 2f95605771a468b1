"""`check: bits`: one seed on each kind of processor of the workers."""

import dataclasses

import pytest
from outcome_builder import build_outcome
from simulated_cluster import SimulatedCluster

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.errors import SweepError
from lstm_bench.execution._cluster import ClusterExecutor
from lstm_bench.execution._executor import Job, JobFailed, JobFinished, SeedFinished
from lstm_bench.execution._processors import check_processors
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.provenance import processor_kind, provenance
from lstm_bench.report._text_tables import provenance as provenance_table
from lstm_bench.results import Row
from lstm_bench.results._storage import pack_outcome
from lstm_bench.sweeps._sweep import sweep_from_document
from lstm_bench.tracking._store import Store

SWEEP = {"task": "memory", "check": "bits", "seeds": 2, "first_seed": 7, "units": 2, "epochs": 2}
SWEEP["recipes"] = {"A": {}, "B": {"epochs": 3}}


def the_sweep(*overrides):
    return sweep_from_document("small", SWEEP, overrides)


class TwoKinds:
    """An executor that trains nothing: each kind of processor has its loss, or a failure."""

    def __init__(self, **losses):
        self.losses, self.jobs = losses, []

    def kinds(self):
        return list(self.losses)

    def submit(self, job):
        self.jobs.append(job)
        return len(self.jobs) - 1

    def events(self):
        for ticket, job in reversed(list(enumerate(self.jobs))):
            loss = self.losses[job.processor]
            if isinstance(loss, str):
                yield ticket, JobFailed(loss)
                continue
            outcome = build_outcome([1.0], job.seeds, {"loss": [loss]})
            yield ticket, SeedFinished(job.seeds[0], (pack_outcome(outcome),))
            yield ticket, JobFinished()


def rows(sweep):
    outcome = build_outcome([1.0, 1.0], [7, 8])
    return [
        Row(id_, dataclasses.replace(outcome, settings=entry.recipe.settings))
        for id_, entry in sweep.entries.items()
    ]


def check(sweep=None, **losses):
    executor = TwoKinds(**losses)
    sweep = sweep or the_sweep()
    return check_processors(sweep, rows(sweep), executor, "compiled"), executor


def test_the_first_seed_of_the_first_recipe_is_trained_once_on_each_kind():
    result, executor = check(EPYC=0.25, Xeon=0.25)
    assert [job.processor for job in executor.jobs] == ["EPYC", "Xeon"]
    assert {job.seeds for job in executor.jobs} == {(7,)}
    assert {job.recipes[0]["epochs"] for job in executor.jobs} == {2}
    assert result.is_same and result.sentence.startswith("EPYC, Xeon; seed 7 of A ")


def test_kinds_that_differ_and_fail_are_reported():
    result, _ = check(EPYC=0.25, Xeon=0.5, Arm="no memory")
    assert result.differences == {"loss": 0.25} and result.failed == {"Arm": "no memory"}


def test_one_kind_trains_nothing():
    result, executor = check(EPYC=0.25)
    assert not executor.jobs and "had one kind" in result.sentence


def test_without_a_recipe_there_is_no_check():
    assert check_processors(the_sweep(), [], TwoKinds(EPYC=1.0), "compiled") is None


def test_another_word_than_bits_is_refused():
    with pytest.raises(SweepError, match="check"):
        the_sweep("check=bytes")


def test_it_can_be_asked_for_as_an_override():
    plain = {key: value for key, value in SWEEP.items() if key != "check"}
    asked = sweep_from_document("small", plain, ["check=bits"])
    assert asked.check == "bits" and asked.overrides == "check=bits"
    digests = [entry.recipe.digest for entry in asked.entries.values()]
    unchecked = sweep_from_document("small", plain).entries.values()
    assert digests == [entry.recipe.digest for entry in unchecked]


def run_on(cluster, jobs):
    """Returns the last event of each job, and (training, seed) by the worker that trained it."""
    trained, seconds = {}, cluster.seconds

    def note(address, copy):
        trained.setdefault(copy.piece.job.processor, set()).add(address)
        return seconds(address, copy)

    cluster.seconds = note
    with ClusterExecutor(cluster, clock=lambda: cluster.now) as executor:
        kinds = executor.kinds()
        for job in jobs:
            executor.submit(job)
        ends = {t: e for t, e in executor.events() if not isinstance(e, SeedFinished)}
    return kinds, list(ends.values()), trained


FACTS = {f"w{n}": {"processor": f"{'EPYC' if n < 3 else 'Xeon'}, 8 cores"} for n in range(4)}


class TwoKindsOfWorkers(SimulatedCluster):
    """Three workers with one kind of processor, and one with another."""

    def give(self, address, setup, copy):
        facts, self.facts = self.facts, {}  # which are no other versions
        super().give(address, setup, copy)
        self.facts = facts


def pinned(kind, number=0):
    return Job(({"task": "memory"},), (number,), training="r", program="p", work=0.1,
               processor=kind)  # fmt: skip


def test_a_job_for_a_kind_of_processor_runs_there_alone():
    cluster = TwoKindsOfWorkers(4, lambda job, seed: 1.0, 1.5, facts=FACTS)
    others = [Job(({},), tuple(range(40)), training="o", program="p", work=40.0)]
    jobs = [*others, *(pinned(kind, n) for n in range(5) for kind in ("EPYC", "Xeon"))]
    kinds, ends, trained = run_on(cluster, jobs)
    assert kinds == ["EPYC", "Xeon"] and ends == [JobFinished(b"net")] * len(jobs)
    assert trained["Xeon"] == {"w3"} and trained["EPYC"] <= {"w0", "w1", "w2"}


def test_a_job_whose_kind_has_left_fails_and_the_others_go_on():
    cluster = TwoKindsOfWorkers(4, lambda job, seed: 5.0, 1.5, facts=FACTS)
    cluster.push(2.0, lambda: cluster.kill("w3"))
    _, ends, _ = run_on(cluster, [pinned("Xeon"), pinned("EPYC")])
    assert sorted(map(str, ends)) == sorted(
        map(str, [JobFailed("its workers have left", "died"), JobFinished(b"net")])
    )


@pytest.mark.long
def test_a_sweep_on_this_machine_says_that_there_is_one_kind(settings):
    result, _, _ = run_sweep(the_sweep(), settings)
    kind = processor_kind(provenance([]))
    sentence = f"{kind}; the workers had one kind, so nothing was compared"
    stored = Store(settings.store, settings.artifacts).load("small")
    for data in (result, stored):
        assert data.check == result.check and data.check.kinds == (kind,)
        assert dict(provenance_table(data).rows)["Check of processors"] == sentence
        document = sweep_findings(data).document()["check"]
        assert (document["sentence"], document["same"]) == (sentence, None)
