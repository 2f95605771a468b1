"""Registries of tasks: values, of which several live in one process and none knows of another."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_bench.analysis._finalists import front
from lstm_bench.errors import RecipeError, SweepError
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.recipes._recipe import recipe, recipe_from_settings
from lstm_bench.recipes._registry import BUILT_IN_TASKS, SearchedTask, TaskRegistry
from lstm_bench.report._write import write_report
from lstm_bench.search._importance import importance
from lstm_bench.search._study import SearchStudy
from lstm_bench.sweeps._search import Range
from lstm_bench.sweeps._sweep import parse_sweep, sweep_from_document
from lstm_bench.sweeps._task_files import load_tasks, tasks_from_sources
from lstm_bench.tracking._store import Store

BODY = """
import numpy as np
from lstm_bench.tasks import Problem, Sequence, Task


class Count(Task):
    '''Count on: 0 1 0 1 -> 1 0 1 0.'''

    name = "count"
    source = "none"
    search_overrides = OVERRIDES
    length: int = 6

    def problem(self, seed):
        return Problem((Sequence.next_symbol(np.arange(self.length) % SYMBOLS),))

    labels = property(lambda self: tuple("0123")[:SYMBOLS])
    chance = 0.5
"""
DOCUMENT = {
    "task": "count",
    "seeds": 2,
    "epochs": 2,
    "recipes": {"A": {"units": 2}},
    "search": {"trials": 3, "confirm": 0, "sampler": "grid", "space": {"units": [3, 4, 5]}},
}


@pytest.fixture
def two(tmp_path):
    """Two registries with a different task of the same name, loaded one after the other."""
    registries = []
    for symbols, overrides in ((2, "{}"), (3, "{'length': 5}")):
        folder = tmp_path / str(symbols)
        folder.mkdir()
        head = f"SYMBOLS, OVERRIDES = {symbols}, {overrides}\n"
        (folder / "count.py").write_text(head + BODY)
        registries.append(load_tasks([folder / "count.py"]))
    return registries


def test_a_registry_is_a_mapping_that_cannot_be_changed(two):
    assert dict(two[0]) == {**BUILT_IN_TASKS, "count": two[0]["count"]}
    assert len(two[0]) == len(BUILT_IN_TASKS) + 1 and "count" not in BUILT_IN_TASKS
    with pytest.raises(TypeError):
        two[0].classes["count"] = two[1]["count"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        two[0].classes = {}
    given = {"count": two[0]["count"]}
    made = TaskRegistry(given)
    given.clear()
    assert list(made) == ["count"]


def test_two_tasks_of_one_name_make_different_recipes(two):
    first, second = (recipe_from_settings({"task": "count"}, tasks) for tasks in two)
    assert first.digest != second.digest
    assert [len(chosen.task.labels) for chosen in (first, second)] == [2, 3]
    # A recipe that is made from another one is of that one's task, whatever else was loaded.
    assert type(first.with_settings({"task": "count", "units": 3}).task) is type(first.task)
    assert first.outside_search == first
    assert second.with_settings({"length": 5, "units": 3}).outside_search.task.length == 6
    with pytest.raises(RecipeError, match="there is no task 'count'"):
        recipe("count")
    with pytest.raises(SweepError, match="there is no task 'count'"):
        sweep_from_document("s", DOCUMENT)


def test_sources_give_the_same_tasks_even_if_a_file_is_edited(two):
    sources = two[0].sources
    before = recipe_from_settings({"task": "count"}, two[0]).digest
    Path(sources[0].path).write_text("1 / 0\n")
    again = tasks_from_sources(sources)
    assert again["count"] is not two[0]["count"]
    assert recipe_from_settings({"task": "count"}, again).digest == before
    assert (again.sources, dict(again.places)) == (sources, dict(two[0].places))


@pytest.mark.long
def test_sweeps_and_their_reports_have_the_task_that_they_were_made_with(two, settings, tmp_path):
    sweeps = [parse_sweep(f"sweep{i}", DOCUMENT, tasks) for i, tasks in enumerate(two)]
    results = [run_sweep(sweep, settings)[0] for sweep in sweeps]
    store = Store(settings.store, settings.artifacts)
    for number, (result, tasks) in enumerate(zip(results, two, strict=True)):
        expected = recipe_from_settings(DOCUMENT["recipes"]["A"] | {"task": "count"}, tasks)
        expected = expected.with_settings({**expected.settings, "epochs": 2})
        assert result.fixed[0].outcome.digest == expected.digest
        loaded = store.load(f"sweep{number}", tasks=tasks)
        assert loaded == result
        for data in (result, loaded):
            # The second task holds data back, so that its trials cannot be compared with A.
            roles = {point.row.role for point in front(data)}
            assert roles == ({"fixed", "trial"} if number == 0 else {"fixed"})
        assert write_report(loaded, tmp_path / f"report{number}").is_file()
    assert {row.outcome.settings["length"] for row in results[1].trials} == {5}
    assert results[1].best.role == "fixed"
    # Without the registry the task is unknown, and nothing is assumed of it.
    assert store.load("sweep1").searched_task == SearchedTask()


def _globals():
    """Returns what the modules of the package hold: each value, and the content of containers."""
    held = {}
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] == "lstm_bench":
            for key, value in vars(module).items():
                content = ()
                if isinstance(value, dict):
                    content = tuple((repr(k), id(v)) for k, v in value.items())
                elif isinstance(value, list | set | tuple):
                    content = tuple(map(id, value))
                if not key.startswith("__"):
                    held[name, key] = (id(value), content)
    return held


def test_loading_changes_no_module_of_the_package(two, tmp_path):
    (tmp_path / "count.py").write_text("SYMBOLS, OVERRIDES = 4, {}\n" + BODY)
    before = _globals()
    tasks = load_tasks([tmp_path / "count.py"])
    parse_sweep("s", DOCUMENT, tasks)
    assert recipe_from_settings({"task": "count"}, tasks).samples(0)
    assert _globals() == before


def test_what_holds_data_back():
    facts = SearchedTask.of(BUILT_IN_TASKS["csv"])
    assert facts.holds_data_back({"task": "csv", "part": "validation"})
    assert not facts.holds_data_back({"task": "csv", "part": "test"})
    assert {"file", "part", "horizon"} <= facts.parameters
    for unknown in (SearchedTask.of(None), SearchedTask.of(BUILT_IN_TASKS["memory"])):
        assert not unknown.holds_data_back({"part": "validation"})


def test_importances_and_spaces_know_the_defaults_of_their_task(tmp_path):
    """`window` applies where the task's own default framing is one of windows."""
    body = BODY.replace('source = "none"', 'source = "none"\n    defaults = {"framing": "window"}')
    (tmp_path / "count.py").write_text("SYMBOLS, OVERRIDES = 2, {}\n" + body)
    tasks = load_tasks([tmp_path / "count.py"])
    document = {"task": "count", "search": {"trials": 20, "space": {"window": [1, 2, 3]}}}
    sweep = parse_sweep("s", document, tasks)
    study = SearchStudy(sweep.search, sweep.settings, tasks)
    windows = {chosen.framing.window for chosen in study.sample(20)}
    assert windows == {1, 2, 3}
    rng = np.random.default_rng(0)
    settings = [{"task": "count", "window": n % 3 + 1, "units": n % 8 + 1} for n in range(48)]
    drawn = [(one, one["window"] + 0.01 * rng.normal()) for one in settings]
    parts = {"window": (1, 2, 3), "units": Range(int=(1, 8))}
    assert importance(drawn, parts, tasks=tasks)["settings"][0]["key"] == "window"
    # Without the registry the framing would be `pairs`, which has no window.
    assert {row["key"] for row in importance(drawn, parts)["settings"]} == {"units"}
