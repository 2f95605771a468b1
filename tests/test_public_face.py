"""What `import lstm_bench as lb` offers, and that commands and calls give the same numbers."""

import importlib
import inspect
import json
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstm_bench as lb
from lstm_bench.seeds import seed_list
from lstm_bench.sweeps import override_words, parse_assignments
from lstm_bench.sweeps._python_values import search_space

NAMES = {
    *("tasks", "recipe", "run", "compare", "search", "sweep", "load", "forecast", "export"),
    *("task", "Task", "Problem", "Sequence", "Recipe", "Outcome", "SweepResult", "Comparison"),
    *("LstmBenchError", "UserError", "RecipeError", "SweepError", "TaskError", "StoreError"),
    *("DamagedError", "DataError", "Interrupted", "StoreLostError", "FailedFastError"),
    "UnknownRecipeError",
    "__version__",
}
SMALL = {"units": 4, "epochs": 3}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_public_names_are_these():
    assert set(lb.__all__) == NAMES - {"__version__"}
    assert set(dir(lb)) >= set(lb.__all__)
    assert lb.__version__.count(".") == 2


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_a_public_name_is_documented_and_no_module(name):
    value = getattr(lb, name)
    assert not inspect.ismodule(value)
    assert inspect.getdoc(value)


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(
        AttributeError, match=r"there is no attribute 'serach'; did you mean 'search'\?"
    ):
        lb.serach  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'xyzzy' \(known: .*DataError.*sweep"):
        lb.xyzzy  # noqa: B018
    with pytest.raises(ImportError, match="serach"):
        exec("from lstm_bench import serach")
    assert not hasattr(lb, "__wrapped__") and not hasattr(lb, "_private")


def test_every_exception_of_the_package_is_offered():
    ahead, found = [lb.LstmBenchError], set()
    for package in ("_api", "data", "training", "tracking", "execution", "export", "testing"):
        importlib.import_module(f"lstm_bench.{package}")
    while ahead:
        found.add(ahead[-1])
        below = ahead.pop().__subclasses__()
        ahead += [error for error in below if error.__module__.startswith("lstm_bench.")]
    assert {error.__name__ for error in found} <= set(lb.__all__)
    assert all(getattr(lb, error.__name__) is error for error in found)


@pytest.mark.long
def test_functions_stay_functions_when_rooms_of_their_names_are_imported():
    code = """
        import lstm_bench.search, lstm_bench.tasks, lstm_bench.export
        import lstm_bench as lb
        from lstm_bench import search, tasks, export
        from lstm_bench.tasks import Problem, Sequence, Task, task
        assert all(map(callable, (lb.search, lb.tasks, lb.export, search, tasks, export)))
        assert lb.Task is Task and lb.task is task
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_importing_it_loads_nothing_heavy():
    code = """
        import sys
        import lstm_bench
        heavy = {"numpy", "pandas", "pydantic", "tensorflow", "keras", "optuna", "mlflow", "scipy"}
        sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.long
def test_a_users_script_type_checks(tmp_path):
    """Against the stub that is installed with the package, in mypy's strict mode."""
    script = """
        from pathlib import Path

        import lstm_bench as lb

        outcome: lb.Outcome = lb.run("memory", units=20, seeds=range(3))
        other = lb.run(lb.recipe("memory", units=40), 3, engine="keras")
        comparison: lb.Comparison = lb.compare(outcome, other, measure="solve_rate")
        low, high = comparison.interval
        print(comparison.sentence, low + high, outcome.seeds["accuracy"].mean())
        result: lb.SweepResult = lb.search("memory", {"units": (4, 64)}, trials=4, seeds=2)
        page: Path = result.report("reports/mine")
        lb.sweep({"task": "memory", "recipes": {"A": {}}}, {"seeds": 2}).plot("accuracy")
        print(lb.tasks().columns, lb.load("memory").best, lb.forecast("sales", "sales.csv"))
        text: str = lb.export(outcome, seed=1)
        try:
            lb.recipe("memory", unit=3)
        except lb.RecipeError as error:
            print(error.faults)
    """
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import lstm_bench as lb\nlb.run('memory', seeds='many')\n")
    words = [sys.executable, "-m", "mypy"]  # strict by pyproject.toml
    right = subprocess.run([*words, str(path)], capture_output=True, text=True)
    assert right.returncode == 0, right.stdout
    refused = subprocess.run([*words, str(wrong)], capture_output=True, text=True)
    assert 'incompatible type "str"' in refused.stdout


def test_seeds_are_a_number_or_a_list():
    assert seed_list(3) == seed_list(range(3)) == seed_list(np.int64(3)) == [0, 1, 2]
    assert seed_list(np.array([7, 2])) == [7, 2]
    outcome = lb.run("memory", [4, 9], **SMALL)
    assert outcome.seeds["seed"].tolist() == [4, 9]


@pytest.mark.parametrize(
    "seeds", [0, -1, [], [1, 1], [-1], [0.5], "3", "many", None, [True], 2.0, [2**31]]
)
def test_other_seeds_are_refused(seeds):
    with pytest.raises(lb.UserError, match="seeds"):
        lb.run("memory", seeds, **SMALL)


def test_wrong_names_and_settings_are_refused_with_a_repair():
    with pytest.raises(lb.RecipeError, match="did you mean 'memory'"):
        lb.run("memori")
    with pytest.raises(lb.RecipeError, match="did you mean 'units'"):
        lb.run("memory", unit=3)
    with pytest.raises(lb.UserError, match="engine"):
        lb.run("memory", engine="torch")
    with pytest.raises(lb.SweepError):
        lb.sweep("there-is-none")
    with pytest.raises(lb.StoreError):
        lb.load("there-is-none")
    with pytest.raises(lb.UserError, match="space"):
        lb.search("memory", {"units": 4})
    with pytest.raises(lb.UserError, match="outcomes"):
        lb.compare(lb.run("memory", 1, **SMALL), "memory")


def test_a_recipe_can_be_changed():
    chosen = lb.recipe("memory", units=8)
    outcome = lb.run(chosen, 1, epochs=2)
    assert (outcome.settings["units"], outcome.settings["epochs"]) == (8, 2)


def test_a_task_of_ones_own_runs_as_a_class():
    @lb.task(labels="01", chance=0.5, source="none", autoregressive=False)
    def same(seed: int, length: int = 4) -> lb.Problem:
        """Say the same: 0 1 -> 0 1."""
        bits = np.arange(length) % 2
        return lb.Problem((lb.Sequence(bits, bits, np.ones(length, bool)),))

    outcome = lb.run(same, 2, framing="whole", units=4, epochs=2)
    assert outcome.settings["task"] == "same"


def test_reprs_are_short_and_results_compare_without_raising():
    first, second = lb.run("memory", 3, **SMALL), lb.run("memory", 2, **SMALL)
    for value in (first, lb.recipe("memory"), lb.compare(first, second)):
        assert len(repr(value)) < 2000
        assert "<table>" in value._repr_html_()
        assert value == value
        assert value != "something else"
    assert first != second


@pytest.mark.long
def test_run_gives_the_numbers_of_the_command(command):
    code, out, _ = command("run", "memory", "units=4", "epochs=3", "--seeds", "3", "--json")
    assert code == 0
    document = json.loads(out)
    outcome = lb.run("memory", 3, **SMALL)
    by_command = pd.DataFrame(document["per_seed"]).drop(columns="seconds")
    by_call = pd.DataFrame(outcome.document()["per_seed"]).drop(columns="seconds")
    pd.testing.assert_frame_equal(by_command, by_call, check_exact=True)
    assert document["summary"] == outcome.document()["summary"]
    assert document["id"] == outcome.digest


def test_export_gives_the_script_of_the_command(command):
    code, out, _ = command("export", "memory", "units=4")
    assert (code, out) == (0, lb.export("memory", units=4))
    assert lb.export(lb.recipe("memory", units=4)) == out


def test_overrides_are_words_or_a_mapping():
    assert override_words({"seeds": np.int64(5), "units": [1, 2]}) == ["seeds=5", "units=[1, 2]"]
    assert override_words(["seeds=5"]) == override_words("seeds=5") == ["seeds=5"]
    with pytest.raises(lb.UserError, match="overrides"):
        override_words(3)


@pytest.mark.parametrize(
    "text", ["2024", "yes", "", "# x", "a: b", 'a "b" = c', "null", "[1]", "é", "plain"]
)
def test_text_in_overrides_stays_that_text(text):
    assert parse_assignments(override_words({"title": text})) == {"title": text}


def test_numpys_numbers_are_numbers():
    chosen = lb.recipe("memory", units=np.int64(4), stateful=np.True_)
    assert chosen == lb.recipe("memory", units=4, stateful=True)
    assert search_space({"units": np.arange(4, 6)}) == {"units": [4, 5]}
    with pytest.raises(lb.UserError, match="finite"):
        search_space({"units": (float("nan"), 8.0)})


def test_two_runs_of_the_same_are_equal_and_can_be_pickled():
    first, second = lb.run("memory", 2, **SMALL), lb.run("memory", 2, **SMALL)
    assert first == second
    assert pickle.loads(pickle.dumps(first)) == first
    assert pickle.loads(pickle.dumps(first.plot())).axes


def test_outcomes_of_different_tasks_are_not_compared():
    with pytest.raises(lb.UserError, match="one task"):
        lb.compare(lb.run("memory", 1, **SMALL), lb.run("echo", 1, **SMALL))


OWN_TASK = """
import numpy as np
from lstm_bench import Problem, Sequence, task


@task(labels="01", chance=0.5, source="none", autoregressive=False, defaults={"framing": "whole"})
def same_again(seed: int, length: int = 4) -> Problem:
    "Say the same: 0 1 -> 0 1."
    bits = np.arange(length) % 2
    return Problem((Sequence(bits, bits, np.ones(length, bool)),))
"""


@pytest.mark.long
def test_a_task_of_ones_own_is_swept_from_its_file(tmp_path, monkeypatch):
    (tmp_path / "own_task.py").write_text(OWN_TASK)
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("own_task").same_again
    document = {"task": own, "seeds": 1, "epochs": 2, "recipes": {"A": {"units": 2}}}
    result = lb.sweep(document, name="own", progress=False)
    assert result["A"].settings["task"] == "same_again"
    instance = lb.run(own(length=6), 1, epochs=2, units=2)
    assert instance.settings["length"] == 6


@pytest.mark.long
def test_a_sweep_in_which_all_has_failed_says_so():
    document = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 2}}, "time_limit": 0.001}
    with pytest.warns(UserWarning, match="every recipe has failed"):
        result = lb.sweep(document, name="late", progress=False)
    assert "1 failed" in repr(result)


def test_tasks_are_a_table():
    table = lb.tasks()
    assert {"name", "kind", "chance", "default", "source"} <= set(table.columns)
    assert "memory" in set(table["name"])


@pytest.mark.long
def test_a_run_on_a_file_is_exported_only_with_that_file(command):
    """A script holds the rows, which the store does not."""
    table = pd.DataFrame({"day": range(60), "sales": [day % 7 for day in range(60)]})
    table.to_csv("shop.csv", index=False)
    week = {"framing": "window", "window": 7, "units": 4, "epochs": 2}
    document = {"task": "csv", "file": "shop.csv", "target": "sales", "seeds": 1}
    outcome = lb.sweep(document | {"recipes": {"A": week}}, name="shop", progress=False)["A"]
    calls = (
        lambda: lb.export(outcome),
        lambda: lb.export("shop:A"),
        lambda: lb.export(outcome.digest),
    )
    scripts = {call() for call in calls}
    assert len(scripts) == 1
    Path("shop.csv").rename("kept.csv")
    for call in calls:
        with pytest.raises(lb.StoreError, match=r"'shop\.csv'.* is missing; restore it .*--model"):
            call()
    code, out, err = command("export", "shop:A")
    assert (code, out) == (2, "") and "'shop.csv'" in err and "restore it" in err
    assert command("export", "shop:A", "--model", "net.keras")[0] == 0
    (table * 2).to_csv("shop.csv", index=False)
    for call in calls:
        with pytest.raises(lb.StoreError, match=r"'shop\.csv'.* other content now; restore it"):
            call()
    Path("kept.csv").replace("shop.csv")
    assert {call() for call in calls} == scripts
