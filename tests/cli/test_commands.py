"""The command line as a script sees it: exit codes, JSON, messages."""

import json
import os
import shlex
import subprocess
import sys
import time

import pytest

from lstm_bench import __version__


@pytest.fixture
def lstm_bench(command, monkeypatch, tmp_path):
    """Returns a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return command


def test_tasks_as_json_names_all_of_them(lstm_bench):
    code, out, err = lstm_bench("tasks", "--json")
    assert (code, err) == (0, "")
    assert {"memory", "alphabet", "ambiguous_pair"} <= {t["name"] for t in json.loads(out)["tasks"]}


def test_run_json_keeps_its_contract(lstm_bench):
    code, out, _ = lstm_bench("run", "memory", "epochs=2", "units=3", "--seeds", "2", "--json")
    document = json.loads(out)
    assert code == 0
    assert {"recipe", "id", "engine", "per_seed", "summary", "parameters", "updates"} <= set(
        document
    )
    keys = {"seed", "loss", "accuracy", "sequence_accuracy", "solved", "solved_epoch"}
    assert [set(row) >= keys for row in document["per_seed"]] == [True, True]
    assert set(document["summary"]["accuracy"]) == {"mean", "std", "ci95"}
    assert {"k", "n", "rate", "ci95"} == set(document["summary"]["solve_rate"])
    assert set(document["seconds"]) == {"compile", "train"}
    # LSTM(3) on 5 inputs: 4 * (5 + 3 + 1) * 3; Dense(5): (3 + 1) * 5. 8 pairs, 2 epochs.
    assert (document["parameters"], document["updates"]) == (4 * 9 * 3 + 20, 16)


def test_the_next_commands_of_a_run_work_as_they_are_printed(lstm_bench, tmp_path):
    assert lstm_bench("init", "work")[0] == 0
    (tmp_path / "work" / "my_task.py").rename(tmp_path / "my task.py")
    words = ("run", "highest", "epochs=1", "--tasks", "my task.py", "--seeds", "3")
    code, out, err = lstm_bench(*words)
    assert code == 0, err
    first, second = (line.partition("   (")[0] for line in out.splitlines()[-2:])
    export = shlex.split(first.removeprefix("Next:"))
    assert export[:2] == ["lstm-bench", "export"]
    assert export[3:] == ["--tasks", "my task.py"]
    again = shlex.split(second)
    assert again[1:] == ["run", "highest", "epochs=1", "learning_rate=0.01", *words[3:]]
    code, out, err = lstm_bench(*export[1:])
    assert code == 0 and "keras" in out, err


def test_predictions_are_part_of_the_json_when_asked_for(lstm_bench):
    words = ("run", "ambiguous_pair", "epochs=1", "units=2", "--seeds", "1", "--json")
    _, out, _ = lstm_bench(*words, "--predictions")
    rows = json.loads(out)["predictions"]
    assert [(row["input"], row["expected"]) for row in rows] == [("0", "1"), ("0", "2")]


@pytest.mark.long
def test_what_json_has_no_number_for_is_null(lstm_bench, tmp_path):
    """A recipe that diverges: its losses are NaN, and so are its outputs."""
    wild = {"optimizer": "sgd", "learning_rate": 10.0, "epochs": 60, "units": 6}
    wild |= {"framing": "pairs", "stateful": True, "batch_size": 1}
    words = ("run", "csv", *(f"{key}={value}" for key, value in wild.items()))
    code, out, err = lstm_bench(*words, "--seeds", "1", "--json", "--predictions")
    assert (code, err) == (0, "")
    document = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert document["per_seed"][0]["loss"] is None
    sweep = {"task": "csv", "seeds": 2, **wild, "comparisons": {"c": {"of": "A", "to": "B"}}}
    sweep["recipes"] = {"A": {}, "B": {"learning_rate": 0.001}}
    (tmp_path / "s.yaml").write_text(json.dumps(sweep))
    code, out, err = lstm_bench("sweep", "s.yaml", "--json")
    assert code == 0, err
    json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "memori"), "did you mean 'memory'"),
        (("run", "memory", "unit=3"), "did you mean 'units'"),
        (("run", "memory", "units"), "key=value"),
        (("run", "memory", "units=0"), "units: "),
        (("run", "memory", "units=many"), "units: "),
        (("run", "memory", "framing=pears"), "did you mean 'pairs'"),
        (("run", "memory", "batch_size=3"), "sizes that fit: 1, 2, 4"),
        (("run", "memory", "shuffle=samples"), "shuffle: "),
        (("run", "memory", "--engine", "fast"), "--engine"),
        (("run", "memory", "--seeds", "0"), "--seeds"),
        (("tasks", "memoy"), "did you mean 'memory'"),
        (("run", "memory", "task=alphabet"), "leave out task="),
        (("run", "alphabet", "evaluation=cold_start", "start=Z"), "start: "),
        (("sweep", "nothing"), "there is no sweep 'nothing'"),
        (("sweep", "nothing.yaml"), "there is no file"),
        (("report",), "run `lstm-bench sweep` first"),
        (("report", "--store", "sqlite:///no/such/folder/x.db"), "there is no file"),
        (("sweep", "x", "--profile", "laptop"), "--profile"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(lstm_bench, tmp_path, words, said):
    code, out, err = lstm_bench(*words)
    assert code == 2
    assert out == ""
    assert said in err.replace("\n", " ")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []  # nothing half-written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping"),
        ("- 1\n- 2\n", "must be a mapping"),
        ("task: [unclosed\n", "not valid YAML"),
        ("task: memory\n", "recipes, a search, or both"),
        ("task: memory\nrecipes: {A: {unit: 3}}\n", "recipes.A.unit"),
        ("task: memory\nrecipes: {A: {base: B}}\n", "recipes.A.base"),
        ("task: memory\nseeds: few\nrecipes: {A: {}}\n", "seeds"),
        ("task: memory\nrecipes: {A: {batch_size: 3}}\n", "recipes.A.batch_size"),
        ("task: memory\nsearch: {trials: 3}\n", "search.space"),
        ("task: memory\nsearch: {space: {seed: [1, 2]}}\n", "search.space.seed"),
        ("task: memory\nunits: 3\nsearch: {space: {units: [1, 2]}}\n", "search.space.units"),
        ("task: memory\nseedz: 2\nrecipes: {A: {}}\n", "did you mean 'seeds'"),
        ("[" * 3000, "at most 50 deep"),
        ("tsk: memory\nsearch: {space: {units: [1, 2]}}\n", "tsk"),
        ("task: memory\nsearch: {space: {shuffle: [samples]}}\n", "shuffle"),
    ],
)
def test_a_wrong_sweep_file_is_named_with_its_key(lstm_bench, tmp_path, text, said):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    code, _, err = lstm_bench("sweep", "mine.yaml")
    assert code == 2
    assert "mine.yaml" in err
    assert said in err
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place_is_said_before_the_work(lstm_bench, tmp_path):
    (tmp_path / "mine.yaml").write_text("task: memory\nrecipes: {A: {epochs: 1}}\n")
    (tmp_path / "reports").write_text("in the way")
    code, _, err = lstm_bench("sweep", "mine.yaml")
    assert (code, "Traceback" in err) == (2, False)
    assert "reports: " in err
    assert not (tmp_path / "mlflow.db").exists()


def test_a_store_that_is_refused_leaves_nothing_behind(lstm_bench, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("task: memory\nrecipes: {A: {epochs: 1}}\n")
    (tmp_path / "full").write_text("a file, and no folder")
    code, out, err = lstm_bench("sweep", "mine.yaml", "--store", "sqlite:///full/x.db")
    assert (code, out) == (2, "")
    assert "full/x.db cannot be used" in err
    assert {each.name for each in tmp_path.iterdir()} == {"mine.yaml", "full"}


def test_a_server_that_does_not_listen_is_given_up_on_soon(lstm_bench, tmp_path):
    began = time.perf_counter()
    code, out, err = lstm_bench("report", "--store", "http://127.0.0.1:9")
    assert (code, out) == (2, "")
    assert "http://127.0.0.1:9 cannot be used" in err and "start its server" in err
    assert "Traceback" not in err
    assert time.perf_counter() - began < 20


def test_a_file_that_is_no_database_is_refused(lstm_bench, tmp_path):
    (tmp_path / "mlflow.db").write_text("this is not a database\n" * 100)
    code, _, err = lstm_bench("report")
    assert code == 2
    assert "mlflow.db cannot be used" in err
    assert "Traceback" not in err


def test_the_version_is_the_packages_own(lstm_bench):
    assert lstm_bench("--version") == (0, f"lstm-bench {__version__}\n", "")


@pytest.mark.parametrize("name", ["sweep", "run", "export"])
def test_help_says_what_key_and_value_are(lstm_bench, name):
    code, out, _ = lstm_bench(name, "--help")
    assert code == 0
    assert "Settings over" in out and "[[" not in out


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["tasks"], ["run", "--help"]])
def test_help_and_tasks_do_not_wait_for_the_heavy_packages(words):
    script = f"""
import sys
from lstm_bench import cli
sys.argv = ["lstm-bench", *{words!r}]
try:
    cli.main()
except SystemExit:
    pass
heavy = {{"tensorflow", "keras", "optuna", "mlflow", "pandas", "matplotlib"}} & set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    before = os.times()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    after = os.times()
    assert done.returncode == 0, done.stderr
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < 3  # seconds of a processor
