"""The user's tasks: from files and from packages, in this process and in workers."""

import json
import sys

import numpy as np
import pytest

from lstm_bench.errors import RecipeError, TaskError
from lstm_bench.execution._workers import Job, JobFailed, JobFinished, SeedFinished, WorkerPool
from lstm_bench.recipes._recipe import recipe, recipe_from_settings
from lstm_bench.recipes._registry import BUILT_IN_TASKS
from lstm_bench.results._storage import unpack_outcome
from lstm_bench.sweeps._task_files import load_tasks
from lstm_bench.tasks._base import Problem, Sequence, Task
from lstm_bench.training._run import run

HEAD = """
import numpy as np
from lstm_bench.seeds import stream
from lstm_bench.tasks import Problem, Sequence, Task, task

"""

FLIP = """
@task(labels="01", chance=0.5, source="none", autoregressive=False, defaults={"framing": "whole"})
def flip(seed: int, length: int = 6) -> Problem:
    '''Say the other one: 0 1 -> 1 0.'''
    bits = stream(seed, "data").integers(0, 2, (4, length))
    return Problem(tuple(Sequence(row, 1 - row, np.ones(length, bool)) for row in bits))
"""

CLASS = """
class Same(Task):
    '''Say it again: 0 1 -> 0 1.'''

    name = "same"
    source = "none"
    autoregressive = False

    def problem(self, seed):
        bits = np.array([0, 1, 1, 0])
        return Problem((Sequence(bits, bits, np.ones(4, bool)),))

    labels = ("0", "1")
    chance = 0.5
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Returns a function that writes a file of tasks into the working folder."""
    monkeypatch.chdir(tmp_path)

    def written(body, name="mine.py", head=HEAD):
        (tmp_path / name).write_text(head + body)
        return name

    return written


def flip_of(tasks, **settings):
    """Returns a recipe of the task `flip` in a registry."""
    return recipe_from_settings({"task": "flip", **settings}, tasks)


def test_a_class_and_a_function_become_tasks(write):
    tasks = load_tasks([write(FLIP + CLASS)])
    assert tasks.warnings == ()
    assert set(tasks) == set(BUILT_IN_TASKS) | {"flip", "same"}
    assert flip_of(tasks, length=3).settings["length"] == 3
    assert tasks.places["flip"] == "mine.py, line 8"
    assert "memory" not in tasks.places
    assert set(load_tasks()) == set(BUILT_IN_TASKS)


def test_a_task_needs_no_registry_from_python():
    class Other(BUILT_IN_TASKS["memory"]):
        name = "other"

    outcome = run(recipe(Other, epochs=1, units=2), [0])
    assert outcome.settings["task"] == "other"


def test_the_same_file_twice_is_one_file(write, tmp_path):
    name = write(FLIP)
    assert len(load_tasks([name, tmp_path / name]).sources) == 1


def test_a_file_can_import_and_read_files_of_its_folder(write, tmp_path):
    (tmp_path / "numbers_nearby.py").write_text("CHANCE = 0.25\n")
    (tmp_path / "data.txt").write_text("0.5")
    body = FLIP.replace("chance=0.5", "chance=CHANCE")
    path = "from pathlib import Path\nread = Path(__file__).with_name('data.txt').read_text()\n"
    tasks = load_tasks([write(f"from numbers_nearby import CHANCE\n{path}{body}")])
    assert tasks["flip"]().chance == 0.25


def test_a_base_class_begins_with_an_underscore(write):
    base = CLASS.replace("class Same", "class _Same").replace('name = "same"', "")
    again = "\nclass Again(_Same):\n    '''0 -> 0'''\n    name = 'again'\n"
    assert "again" in load_tasks([write(base + again)])


# Digests.


def test_a_changed_file_makes_another_recipe(write):
    first = flip_of(load_tasks([write(FLIP)]))
    commented = load_tasks([write("# a comment changes nothing\n" + FLIP)])
    assert flip_of(commented).digest == first.digest
    for old, new in [("1 - row", "row"), ('"01"', '"ab"'), ("(4,", "(5,"), ("seed,", "3 * seed,")]:
        changed = load_tasks([write(FLIP.replace(old, new))])
        assert flip_of(changed).digest != first.digest


def test_tasks_of_this_package_have_no_fingerprint():
    every = BUILT_IN_TASKS.values()
    drawn = [task for task in every if not task.has_baselines]  # csv has that of its file
    assert {task().fingerprint for task in drawn} == {""}
    assert recipe("memory").digest == "f0c8f019c50b"  # as it was before there were fingerprints


def test_a_search_over_a_changed_task_is_another_search(write):
    from lstm_bench.sweeps._sweep import parse_sweep
    from lstm_bench.tracking._definition import compare_definitions, search_definition

    def definition(body, **space):
        document = {"task": "flip", "search": {"space": {"units": [2, 3], **space}}}
        return search_definition(parse_sweep("s", document, load_tasks([write(body)])))

    before = definition(FLIP)
    assert definition(FLIP) == before
    (change,) = compare_definitions(before, definition(FLIP.replace("1 - row", "row")))
    assert change.startswith("data was")
    # A task that needs a setting which is searched has no data without it.
    check = "\n    if length > 5:\n        raise ValueError(length)\n    bits ="
    assert definition(FLIP.replace("\n    bits =", check), length=[4, 5])


# Workers.


def events_of(job, tasks):
    """Returns the events of a job that a worker runs, which has the tasks of a registry."""
    with WorkerPool(1, tasks=tasks.sources) as pool:
        pool.submit(job)
        return [event for _, event in pool.events()]


@pytest.mark.long
def test_workers_have_the_tasks_as_they_were_when_they_were_loaded(write):
    tasks = load_tasks([write(FLIP)])
    flip = flip_of(tasks, epochs=2, units=2)
    job = Job((flip.settings,), (0, 1), training=flip.training)
    write(FLIP.replace("1 - row", "row"))
    seeds = [event for event in events_of(job, tasks) if isinstance(event, SeedFinished)]
    assert [unpack_outcome(seed.outcomes[0]).digest for seed in seeds] == [flip.digest] * 2


@pytest.mark.long
def test_a_worker_refuses_data_that_have_changed_since(write, tmp_path):
    data = tmp_path / "bits.txt"
    data.write_text("4")
    read = "from pathlib import Path\nCOUNT = int(Path(__file__).with_name('bits.txt').read_text())"
    tasks = load_tasks([write(f"{read}\n{FLIP.replace('(4,', '(COUNT,')}")])
    flip = flip_of(tasks, epochs=1, units=2)
    data.write_text("5")
    (failure,) = events_of(Job((flip.settings,), (0,), training=flip.training), tasks)
    assert isinstance(failure, JobFailed)
    assert "did a file that it reads change?" in failure.reason


# Files that cannot be loaded: one message.

BROKEN = {
    "syntax": ("class Same(:\n", r"mine.py: line 6 is not valid Python"),
    "raises": ("1 / 0\n", r"raised ZeroDivisionError: division by zero \(mine.py, line 6\)"),
    "exits": ("import sys\nsys.exit(0)\n", r"calls sys.exit\(\) when it is imported"),
    "none": ("x = 3\n", "must hold at least one task, but has none"),
    "imported only": ("from lstm_bench.tasks._memory import Memory\n", "has none"),
    "no name": (CLASS.replace('name = "same"', ""), "mine.py, line 7: Same must define name"),
    "no chance": (CLASS.replace("    chance = 0.5\n", ""), "Same must define chance,"),
    "no problem": (CLASS.replace("def problem", "def problems"), "Same must define problem,"),
    "no labels": (
        CLASS.replace('    labels = ("0", "1")\n', ""),
        "Same must define labels,",
    ),
    "a wrong name": (CLASS.replace('"same"', '"a b"'), "name of letters, digits"),
    "a wrong kind": (CLASS.replace("source =", "kind = 'none'\n    source ="), "must be of kind"),
    "a built-in name": (
        CLASS.replace('"same"', '"memory"'),
        "two tasks are named 'memory', in lstm-bench itself and here",
    ),
    "a name twice": (
        FLIP.replace("def flip", "def same") + CLASS,
        "two tasks are named 'same', in mine.py, line 8 and here",
    ),
    "a parameter of recipes": (
        FLIP.replace("length: int", "units: int"),
        "after keys of recipes or sweep files, but has units; rename it",
    ),
    "no default": (FLIP.replace(": int = 6", ": int"), "needs a name, an annotation and a default"),
    "no annotation": (FLIP.replace("length: int", "length"), "needs a name, an annotation"),
    "a field without default": (
        CLASS.replace("    def problem", "    n: int\n\n    def problem"),
        "must be creatable without arguments",
    ),
    "a bare field": (
        CLASS.replace("source =", "luck = 3\n    source ="),
        "non-annotated attribute",
    ),
    "unknown fact": (
        FLIP.replace("source=", "sauce="),
        "@task: there is no argument 'sauce'; did you mean 'source'",
    ),
    "an unknown default": (
        FLIP.replace('"whole"', '"whole", "unitz": 3'),
        "line 8: flip must have only settings in `defaults`, .* did you mean 'units'",
    ),
    "a class's unknown default": (
        CLASS.replace("source =", "defaults = {'epoch': 3}\n    source ="),
        "there is no setting 'epoch'; did you mean 'epochs'",
    ),
    "defaults that are none": (
        CLASS.replace("source =", "defaults = ['epochs']\n    source ="),
        "must have a mapping of settings as `defaults`",
    ),
    "no seed": (FLIP.replace("(seed: int, length", "(length"), "must take the seed first"),
    "without a call": (
        FLIP.partition("@task")[0] + "@task\ndef f(seed): pass\n",
        r"mine.py: @task: must be called, as in @task\(chance=0.5\), but .* over f in line [1-9]",
    ),
    "a call without chance": (FLIP.replace("chance=0.5, ", ""), "@task: chance must be given"),
    "a number of labels": (FLIP.replace('"01"', "2"), "labels must be text, a list .*, but got 2"),
    "numbers as labels": (FLIP.replace('"01"', "(0, 1)"), r"labels must be text, .* got \(0, 1\)"),
}


@pytest.mark.parametrize(("body", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_task_file_is_one_message(write, command, tmp_path, body, expected):
    with pytest.raises(TaskError, match=expected):
        load_tasks([write(body)])
    code, out, err = command("tasks", "--tasks", "mine.py")
    assert (code, out) == (2, "")
    assert "mine.py" in err and "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} <= {"mine.py", "__pycache__"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("none.py", "there is no file none.py"), ("mine.txt", "named like"), (".", "named like")],
)
def test_a_path_that_is_not_a_python_file_is_refused(write, name, expected):
    write(FLIP, "mine.txt")
    with pytest.raises(TaskError, match=expected):
        load_tasks([name])


def test_two_files_with_one_name_are_both_named(write):
    with pytest.raises(TaskError, match=r"second.py, line 8: .* 'flip', in first.py, line 8"):
        load_tasks([write(FLIP, "first.py"), write(FLIP, "second.py")])


PROBLEMS = {
    "raises": ("return 1 // 0", r"but raised ZeroDivisionError.*mine.py, line 11"),
    "nothing": ("return None", "two tuples of Sequence, but got None"),
    "lists": ("return Problem([])", r"but train is \[\]"),
    "no sequence": ("return Problem(())", "at least one sequence to train on"),
    "an array": ("return Problem((np.arange(3),))", r"but train\[0\] is an array"),
    "lengths": ("return Problem((Sequence(bits[0], bits[0, 1:], bits[0] > 1),))", "equally long"),
    "a mask": ("return Problem((Sequence(bits[0], bits[0], bits[0]),))", "scored must be"),
    "nothing scored": ("return Problem((Sequence(bits[0], bits[0], bits[0] > 1),))", "all False"),
    "floats": ("return Problem((Sequence(bits[0] / 1, bits[0], bits[0] < 2),))", "of integers"),
    "symbols": ("return Problem((Sequence(bits[0] + 2, bits[0], bits[0] < 2),))", "from 0 to 1"),
    "lists of symbols": ("return Problem((Sequence([0], [1], [True]),))", "must be a NumPy array"),
}


@pytest.mark.parametrize(("line", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_the_error_for_an_invalid_problem_names_its_task(write, command, line, expected):
    body = FLIP.replace("return Problem(tuple", f"{line}\n    return Problem(tuple")
    tasks = load_tasks([write(body)])
    with pytest.raises(RecipeError, match=f"task: flip: .*{expected}"):
        flip_of(tasks)
    code, out, err = command("run", "flip", "--tasks", "mine.py")
    assert (code, out, "Traceback" in err) == (2, "", False)


def test_the_error_for_invalid_labels_or_chance_names_the_task(write):
    for words, expected in [
        ("labels=lambda task: 3, chance=0.5", "one raised TypeError"),
        ("labels=lambda task: (0, 1), chance=0.5", "labels must be a tuple of strings"),
        ("labels='01', chance=50", r"chance must be a share in \[0, 1\], but got 50"),
        ("labels='01', chance=lambda task: task.no", "one raised AttributeError"),
    ]:
        tasks = load_tasks([write(FLIP.replace('labels="01", chance=0.5', words))])
        with pytest.raises(RecipeError, match=f"flip: .*{expected}"):
            flip_of(tasks)


def test_a_seed_with_other_shapes_than_seed_0_is_refused(write):
    flip = flip_of(load_tasks([write(FLIP.replace("(4,", "(4 + seed // 2,"))]))
    assert flip.samples(1)
    with pytest.raises(RecipeError, match=r"problem\(2\) must give sequences as many"):
        flip.samples(2)


def test_parameters_that_cannot_be_hashed_are_refused():
    class Listed(Task):
        """0 -> 0."""

        name = "listed"
        parts: list[int] = [1]

        def problem(self, seed):
            zero = np.zeros(1, int)
            return Problem((Sequence(zero, zero, zero == 0),))

        labels = property(lambda self: ("0",))
        chance = property(lambda self: 0.5)

    with pytest.raises(RecipeError, match="use tuples, not lists"):
        recipe(Listed)


# Packages.


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Returns a function that installs a package with an entry point for tasks."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def install(body, value, name="theirs"):
        info = tmp_path / "site" / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[lstm_bench.tasks]\nall = {value}\n")
        (tmp_path / "site" / f"{name}.py").write_text(HEAD + body)
        sys.modules.pop(name, None)

    yield install
    sys.modules.pop("theirs", None)


@pytest.mark.parametrize("value", ["theirs", "theirs:Same"])
def test_an_installed_package_provides_tasks(package, value):
    package(CLASS, value)
    tasks = load_tasks()
    assert tasks.warnings == ()
    assert tasks.places["same"] == "entry point 'all' of theirs"
    assert tasks["same"]().fingerprint
    again = load_tasks([tasks["same"]])  # which the package provides anyway
    assert again.sources == tasks.sources


def test_workers_have_the_tasks_of_packages(package):
    package(CLASS, "theirs")
    tasks = load_tasks()
    same = recipe(tasks["same"], epochs=1, units=2)
    events = events_of(Job((same.settings,), (0,), training=same.training), tasks)
    assert [type(event) for event in events] == [SeedFinished, JobFinished]


@pytest.mark.parametrize(
    ("body", "value", "expected"),
    [
        ("1 / 0", "theirs", "ZeroDivisionError"),
        ("", "theirs:Same", "AttributeError"),
        ("import sys; sys.exit(3)", "theirs", "SystemExit"),
        ("", "theirs", "has none"),
        (CLASS.replace('"same"', '"memory"'), "theirs", "two tasks are named 'memory'"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_skipped_with_a_warning(
    package, command, tmp_path, monkeypatch, body, value, expected
):
    package(body, value)
    monkeypatch.chdir(tmp_path)
    (warning,) = load_tasks().warnings
    assert expected in warning and "entry point 'all' of theirs" in warning
    code, out, err = command("tasks", "--json")
    assert code == 0 and json.loads(out)
    assert err.startswith("warning: ") and expected in err


# The commands.


@pytest.mark.long
def test_a_task_of_the_user_works_in_every_command(write, command, tmp_path):
    name = write("print('noise')\n" + FLIP.replace("bits =", "print('louder')\n    bits ="))
    code, out, err = command("tasks", "flip", "--json", "--tasks", name)
    (facts,) = json.loads(out)["tasks"]  # whatever the file prints, stdout is one document
    assert (code, facts["defined_in"]) == (0, "mine.py, line 9")
    assert set(err.split()) == {"noise", "louder"}

    words = ("flip", "epochs=2", "--seeds", "1", "--json")
    code, out, err = command("run", *words)
    assert code == 2 and "there is no task 'flip'" in err and "--tasks FILE" in err
    code, out, _ = command("run", *words, "--tasks", name)
    alone = json.loads(out)["per_seed"][0]["loss"]

    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "default.yaml").write_text(f"tasks: [{name}]\nworkers: 1\n")
    (tmp_path / "s.yaml").write_text("task: flip\nseeds: 1\nrecipes: {A: {epochs: 2}}\n")
    code, out, _ = command("sweep", "s.yaml", "--json")
    assert code == 0
    key = flip_of(load_tasks([name]), epochs=2).digest
    assert command("report", "--json")[0] == 0

    code, out, _ = command("predict", "s:A", "0 1", "--json")
    assert (code, json.loads(out)["id"]) == (0, key)
    assert command("export", key, "--seed", "0")[0] == 0
    code, out, _ = command("run", *words)
    assert json.loads(out)["per_seed"][0]["loss"] == alone

    # The file is edited: the runs from before are not used for the changed task.
    write(FLIP.replace("1 - row", "row"))
    code, out, err = command("predict", "s:A", "0 1")
    assert (code, out) == (2, "") and "makes other data now (mine.py, line 8)" in err

    # The file is not given: a report needs none, a network does.
    (tmp_path / "conf" / "default.yaml").write_text("tasks: [gone.py]\n")
    code, out, err = command("report", "--json")
    assert code == 0 and "warning: --tasks: there is no file gone.py" in err
    (tmp_path / "conf" / "default.yaml").unlink()
    for words in (("predict", "s:A", "0 1"), ("export", "s:A"), ("export", key)):
        code, out, err = command(*words)
        assert (code, out) == (2, "")
        assert "task 'flip', which must be given" in err and "--tasks FILE" in err


def test_tasks_in_conf_must_be_a_list(write, command, tmp_path):
    write(FLIP)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "default.yaml").write_text("tasks: mine.py\n")
    code, _, err = command("tasks")
    assert code == 2 and "conf/default.yaml" in err and "tasks: " in err


def test_a_search_over_a_task_that_fails_is_one_message(write, command, tmp_path):
    write(FLIP.replace("return", "1 / 0\n    return"))
    (tmp_path / "s.yaml").write_text("task: flip\nseeds: 1\nsearch: {space: {units: [2, 3]}}\n")
    code, _, err = command("sweep", "s.yaml", "--tasks", "mine.py")
    assert code == 2 and "Traceback" not in err
    assert err.count("ZeroDivisionError") == 1 and "flip" in err
    assert not (tmp_path / "mlflow.db").exists()
