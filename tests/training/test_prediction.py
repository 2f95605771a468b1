"""Predictions of finished runs, and how runs and recipes are found by name."""

import dataclasses
import json

import numpy as np
import pytest

import lstm_bench as lb
from lstm_bench.config import Settings
from lstm_bench.errors import StoreError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.sweeps._sweep import load_sweep
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking._listing import SweepRow
from lstm_bench.tracking._lookup import find_recipe, finished_outcome
from lstm_bench.tracking._session import begin_session
from lstm_bench.tracking._store import Store
from lstm_bench.training import _compiled_engine as compiled
from lstm_bench.training._prediction import parse_symbols, predict_symbols
from lstm_bench.training._run import run

SEEDS = [3, 5]
SWEEP = """
recipes:
  A1: {task: memory, units: 8, epochs: 60, learning_rate: 0.02}
  A6: {base: A1, framing: whole, stateful: false}
  B3: {task: alphabet, letters: 6, framing: window, units: 8, epochs: 60, learning_rate: 0.02}
  B6: {base: B3, framing: prefixes}
  none: {task: memory, epochs: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a store that holds the sweep `mine`; `none` has no model."""
    path = tmp_path_factory.mktemp("work")
    (path / "sweeps").mkdir()
    file = path / "sweeps" / "mine.yaml"
    file.write_text(SWEEP)
    sweep = load_sweep(file)
    store = Store(f"sqlite:///{path}/mlflow.db", path / "mlartifacts")
    session = begin_session(store, sweep, "compiled")
    rows = []
    for name, entry in sweep.entries.items():
        outcome = run(entry.recipe, SEEDS)
        if name == "none":
            outcome = dataclasses.replace(outcome, model=b"")
        session.log(name, outcome)
        rows.append(SweepRow(name, outcome.digest))
    session.write(listing.sweep_listing(sweep, rows, [], len(rows), None, {}, {}))
    assert session.writes.wait(60)
    return path


@pytest.fixture
def store(folder):
    return Store(f"sqlite:///{folder}/mlflow.db", folder / "mlartifacts", create=False)


@pytest.fixture
def lstm_bench(folder, command, monkeypatch):
    """Returns a function that runs a command in that folder."""
    monkeypatch.chdir(folder)
    return command


# ---- Predictions


@pytest.mark.parametrize("name", ["A1", "A6", "B3", "B6"])
def test_predictions_for_a_training_sequence_are_those_of_the_evaluation(store, name):
    """Two routes: the evaluation of the engine, and the stored model fed symbol by symbol."""
    outcome = finished_outcome(f"mine:{name}", store)
    chosen = recipe(**outcome.settings)
    trained = compiled.train(chosen, [outcome.best_seed]).runs[0]
    rows = outcome.predictions[outcome.predictions["seed"] == outcome.best_seed]
    for number, sequence in enumerate(chosen.task.problem(0).train):
        steps = predict_symbols(outcome, " ".join(chosen.task.labels[n] for n in sequence.inputs))
        expected = rows[rows["sequence"] == number]
        assert [step.predicted for step in steps] == expected["predicted"].tolist()
        assert [step.input for step in steps] == expected["input"].tolist()
        every_step = chosen.framing.every_step
        selected = number if every_step else trained.samples.sequence == number
        outputs = trained.outputs[selected].reshape(len(steps), -1).max(axis=-1)
        np.testing.assert_allclose([step.output for step in steps], outputs, atol=1e-5)


def test_generation_feeds_back_its_own_predictions(store):
    outcome = finished_outcome("mine:A1", store)
    steps = predict_symbols(outcome, "3", generate=3)
    assert [step.generated for step in steps] == [False, True, True, True]
    assert [step.input for step in steps[1:]] == [step.predicted for step in steps[:-1]]
    forced = predict_symbols(outcome, " ".join(step.input for step in steps))
    assert [step.predicted for step in forced] == [step.predicted for step in steps]


@pytest.mark.parametrize("text", ["A B C", "ABC", "A,B,C", " A, B C "])
def test_symbols_may_be_separated_in_any_way(text):
    assert parse_symbols(text, "ABC") == [0, 1, 2]


def test_labels_of_several_characters_and_spaces_that_are_symbols():
    assert parse_symbols("on off", ("on", "off")) == [0, 1]
    assert parse_symbols("10 1", tuple(map(str, range(11)))) == [10, 1]
    assert parse_symbols("a b", "ab ") == [0, 2, 1]


@pytest.mark.parametrize(
    ("name", "text", "generate", "message"),
    [
        ("A1", "3 7 x", 0, "'7', 'x' are not among the symbols of this task: 0, 1, 2, 3, 4"),
        ("A1", " , ", 0, "at least one"),
        ("A1", "", 0, "at least one"),
        ("A6", "3 0 1 2 3", 0, "there must be at most 4 symbols"),
        ("A6", "3 0 1", 2, "--generate 2"),
        ("B6", "ABCDEF", 0, "there must be at most 5 symbols"),
        ("B3", "AB", 0, "at least 3 symbols, but got 2"),
        ("none", "3", 0, "has no model"),
    ],
)
def test_symbols_that_cannot_be_fed_are_refused(store, name, text, generate, message):
    with pytest.raises(UserError, match=message):
        predict_symbols(finished_outcome(f"mine:{name}", store), text, generate)


def test_a_damaged_model_is_reported():
    outcome = dataclasses.replace(run(recipe("memory", epochs=1), [0]), model=b"no zip file")
    with pytest.raises(StoreError, match="cannot be used"):
        predict_symbols(outcome, "3")


def test_a_network_that_diverged_has_no_predictions():
    head = {"output": "linear", "loss": "mean_squared_error", "optimizer": "sgd"}
    outcome = run(recipe("memory", learning_rate=10.0, epochs=200, **head), [0])
    with pytest.raises(UserError, match="diverged"):
        predict_symbols(outcome, "3 0")


# ---- Names


def test_a_run_is_found_by_row_digest_and_the_start_of_one(store):
    row = finished_outcome("mine:B3", store)
    assert finished_outcome(row.digest, store).digest == row.digest
    assert finished_outcome(row.digest[:9], store).digest == row.digest


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine:A7", "no finished recipe 'A7'; the nearest are A1, A6"),
        ("mime:A1", "no finished sweep 'mime'; did you mean 'mine'"),
        ("ffffffffffff", "no finished recipe 'ffffffffffff'; the nearest are"),
        ("mine", "'mine' is a sweep: give one of its recipes, e.g. mine:A1, mine:A6"),
        ("mime", "no finished sweep 'mime'; did you mean 'mine'.*; give SWEEP:ID"),
        ("", "the digests of 5 recipes begin so; give more of one"),
    ],
)
def test_an_unknown_name_lists_the_nearest_ones(store, name, message):
    with pytest.raises(StoreError, match=message):
        finished_outcome(name, store)


def test_a_recipe_is_found_in_the_store_or_else_in_its_file(folder, store):
    where = Settings(
        store=f"sqlite:///{folder}/mlflow.db",
        artifacts=folder / "mlartifacts",
        sweeps=folder / "sweeps",
    )
    outcome = finished_outcome("mine:A1", store)
    assert find_recipe("mine:A1", {}, where).best_seed == outcome.best_seed
    file = folder / "sweeps" / "later.yaml"
    file.write_text("task: memory\nrecipes: {Z: {units: 3}}\n")
    for name in ("later:Z", f"{file}:Z"):
        assert find_recipe(name, {}, where).recipe == recipe("memory", units=3)
    changed = find_recipe("mine:A6", {"framing": "window", "stateful": True}, where).recipe
    assert (changed.framing.name, changed.units) == ("window", 8)
    nowhere = where.model_copy(update={"store": f"sqlite:///{folder}/none.db"})
    assert find_recipe("mine:A1", {}, nowhere).recipe.digest == outcome.digest
    for name, message in (
        ("memoy", "SWEEP:ID"),
        (f"{file}:Y", "the nearest are Z"),
        ("x:Y", "file"),
    ):
        with pytest.raises(UserError, match=message):
            find_recipe(name, {}, nowhere)


def test_a_recipe_of_a_file_that_is_not_there_is_said_to_have_no_file(lstm_bench):
    with pytest.raises(UserError, match=r"there is no file 'nofile\.yaml' \(looked for in "):
        lb.export("nofile.yaml:A")
    code, _, err = lstm_bench("export", "nofile.yml:A")
    assert code == 2 and "there is no file 'nofile.yml'" in err


# ---- Commands


def test_what_makes_a_missing_network_is_said_only_where_the_sweep_makes_it(folder, lstm_bench):
    code, _, err = lstm_bench("predict", "mine:trial", "ABCD")
    assert code == 2 and "there is no finished recipe 'trial'; the nearest are" in err
    assert "is made by" not in err
    file = folder / "sweeps" / "unrun.yaml"
    file.write_text(
        "task: memory\nrecipes: {Z: {units: 3}}\nsearch: {trials: 3, space: {units: [4, 8]}}\n"
    )
    for id_, made in (("Z", True), ("trial-2", True), ("trial-3", False), ("Y", False)):
        code, _, err = lstm_bench("predict", f"unrun:{id_}", "ABCD")
        assert code == 2
        assert ("its network is made by `lstm-bench sweep unrun`" in " ".join(err.split())) is made
        assert ("it has unrun:Z and those of its search" in " ".join(err.split())) is not made
    file.unlink()


def test_predict_prints_each_step_and_the_last_prediction(lstm_bench, store):
    steps = predict_symbols(finished_outcome("mine:B3", store), "ABCD")
    code, out, err = lstm_bench("predict", "mine:B3", "ABCD")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[:3] for line in lines[:-1]] == [
        [s.input, "->", s.predicted] for s in steps
    ]
    assert lines[0].split()[3].endswith("%")
    assert lines[-1] == f"answer: {steps[-1].predicted}"


def test_predict_as_json(lstm_bench):
    code, out, _ = lstm_bench("predict", "mine:A1", "30", "--generate", "1", "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document) == {"run", "id", "recipe", "seed", "steps", "answer"}
    assert [set(step) for step in document["steps"]] == [
        {"input", "predicted", "output", "generated"}
    ] * 3
    assert document["answer"] == document["steps"][-1]["predicted"]


def test_export_of_a_run_is_of_its_best_seed(lstm_bench, store):
    best = finished_outcome("mine:A1", store).best_seed
    code, out, err = lstm_bench("export", "mine:A1")
    assert (code, err) == (0, "")
    assert f"SEED = {best}\n" in out
    assert "SEED = 9\n" in lstm_bench("export", "mine:A1", "--seed", "9")[1]
    assert "keras.layers.LSTM(3, " in lstm_bench("export", "mine:A1", "units=3")[1]


def test_export_overwrites_only_with_force(lstm_bench, folder):
    target = folder / "script.py"
    assert lstm_bench("export", "memory", "--output", "script.py")[:2] == (0, "script.py\n")
    written = target.read_text()
    code, out, err = lstm_bench("export", "alphabet", "--output", "script.py")
    assert (code, out) == (2, "")
    assert "--force" in err
    assert target.read_text() == written
    code, out, _ = lstm_bench("export", "alphabet", "--output", "script.py", "--force", "--json")
    assert target.read_text() == json.loads(out)["script"] != written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "mine:A1", "x"), "'x' are not among"),
        (("predict", "mine:A1", "3", "--generate", "-1"), "--generate"),
        (("predict", "mine:Q", "3"), "no finished recipe 'Q'"),
        (("export", "memori"), "did you mean 'memory'"),
        (("export", "mine"), "'mine' is a sweep: give one of its recipes, e.g. mine:A1"),
        (("export", "memory", "unit=3"), "did you mean 'units'"),
        (("export", "memory", "--output", "no/such/folder.py"), "cannot be written"),
        (("export", "memory", "--seed", "-1"), "--seed"),
        (("export", "mine:A1", "--model", "a.keras", "--seed", "3"), "its best seed alone is kept"),
        (("export", "mine:A1", "--model", "a.keras", "units=3"), "leave out units=3"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(lstm_bench, arguments, message):
    code, out, err = lstm_bench(*arguments)
    assert (code, out) == (2, "")
    assert message in err.replace("\n", " ")
    assert "Traceback" not in err
