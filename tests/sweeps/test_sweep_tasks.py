"""Sweeps over several tasks: which recipes they have, and what is refused."""

import numpy as np
import pytest

from lstm_bench.errors import SweepError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results import GridTask
from lstm_bench.sweeps._python_values import document_with_names
from lstm_bench.sweeps._sweep import load_sweep, sweep_from_document
from lstm_bench.tasks import BUILT_IN

GRID = """
tasks: [memory, {task: echo, delay: 2, epochs: 40, as: echo_2}]
epochs: 20
seeds: 2
recipes:
  lstm: {units: 4}
  gru: {base: lstm, network: gru, per_task: {echo_2: {epochs: 7, published: half of it}}}
  wide: {base: gru, over: {units: [8, 9]}, note: wider}
comparisons: {x: {of: gru@memory, to: lstm@memory}}
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "grid.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(path, overrides=()):
    """Returns the message with which a sweep file is refused, without its first line."""
    with pytest.raises(SweepError) as caught:
        load_sweep(path, overrides)
    return str(caught.value).partition("\n")[2]


def test_every_recipe_is_run_on_every_task(written):
    entries = load_sweep(written(GRID)).entries
    names = ["lstm", "gru", "wide/8", "wide/9"]
    assert list(entries) == [f"{name}@{task}" for task in ("memory", "echo_2") for name in names]
    assert entries["lstm@memory"].recipe == recipe("memory", epochs=20, units=4)
    assert entries["lstm@echo_2"].recipe == recipe("echo", delay=2, epochs=40, units=4)
    assert entries["gru@memory"].recipe == recipe("memory", epochs=20, units=4, network="gru")


def test_settings_of_a_recipe_for_one_task_go_over_all_others_and_are_inherited(written):
    entries = load_sweep(written(GRID)).entries
    epochs = {id_: entry.recipe.epochs for id_, entry in entries.items()}
    assert epochs == {"lstm@memory": 20, "gru@memory": 20, "wide/8@memory": 20, "wide/9@memory": 20,
                      "lstm@echo_2": 40, "gru@echo_2": 7, "wide/8@echo_2": 7,
                      "wide/9@echo_2": 7}  # fmt: skip
    published = {id_: entry.published for id_, entry in entries.items() if entry.published}
    assert published == {"gru@echo_2": "half of it"}


def test_the_settings_of_a_recipe_go_over_those_of_the_task(written):
    text = "tasks: [{task: memory, units: 3}]\nunits: 2\nrecipes: {A: {}, B: {units: 9}}"
    entries = load_sweep(written(text)).entries
    assert [entries[id_].recipe.units for id_ in ("A@memory", "B@memory")] == [3, 9]


def test_settings_for_one_task_replace_updates_and_what_depends_on_them(written):
    text = """
tasks: [alphabet, memory]
recipes:
  A: {framing: window, window: 2, updates: 100, per_task: {memory: {framing: whole, epochs: 9}}}
"""
    entries = load_sweep(written(text)).entries
    assert entries["A@alphabet"].recipe.framing.window == 2
    assert entries["A@memory"].recipe == recipe("memory", framing="whole", epochs=9)


def test_a_family_has_one_axis_on_each_task(written):
    entries = load_sweep(written(GRID)).entries
    families = {(entry.family, entry.axis) for id_, entry in entries.items() if "wide" in id_}
    assert families == {("wide@memory", "units"), ("wide@echo_2", "units")}


def test_the_grid_has_the_tasks_with_their_scales_and_the_place_of_each_recipe(written):
    grid = load_sweep(written(GRID)).grid
    echo = BUILT_IN["echo"](delay=2)
    assert grid.tasks == (GridTask("memory", 0.25, 1), GridTask("echo_2", echo.chance, 1))
    assert grid.recipes == ("lstm", "gru", "wide/8", "wide/9")
    assert grid.places["wide/9@echo_2"] == ("wide/9", "echo_2")
    assert load_sweep(written("task: memory\nrecipes: {A: {}}")).grid is None


def test_overrides_change_the_tasks_and_the_settings_for_one(written):
    text = "tasks: [memory, echo]\nrecipes: {A: {units: 3}}"
    assert list(load_sweep(written(text), ["tasks=[echo]"]).entries) == ["A@echo"]
    path = written(GRID)
    changed = load_sweep(path, ["recipes.gru.per_task.echo_2.epochs=11"])
    assert changed.entries["gru@echo_2"].recipe.epochs == 11
    assert changed.overrides


def test_an_override_with_fewer_tasks_leaves_out_what_the_file_says_of_the_others(written):
    changed = load_sweep(written(GRID), ["tasks=[memory]"])
    assert list(changed.entries) == [f"{n}@memory" for n in ("lstm", "gru", "wide/8", "wide/9")]
    assert list(changed.comparisons) == ["x"]
    text = "tasks: [memory, echo]\nrecipes: {A: {}, B: {units: 3}}\n"
    text += "comparisons: {x: {of: A@memory, to: A@echo}, y: {of: A@echo, to: B@echo}}"
    assert list(load_sweep(written(text), ["tasks=[echo]"]).comparisons) == ["y"]
    message = refusal(written(GRID), ["tasks=[memory]", "recipes.gru.per_task.echo.units=3"])
    assert "recipes.gru.per_task.echo: there is no task of the sweep 'echo'" in message


def test_python_callers_may_give_classes_and_instances():
    memory, echo = BUILT_IN["memory"], BUILT_IN["echo"]
    document = {
        "tasks": [memory, echo(delay=2), {"task": memory, "lag": np.int64(8), "as": "memory_8"}],
        "recipes": {"A": {"units": 4}},
    }
    named, classes = document_with_names(document)
    assert classes == [memory, echo, memory]
    entries = sweep_from_document("s", named).entries
    assert list(entries) == ["A@memory", "A@echo", "A@memory_8"]
    assert entries["A@echo"].recipe.task == echo(delay=2)
    assert entries["A@memory_8"].recipe.task == memory(lag=8)


@pytest.mark.parametrize(
    ("tasks", "parts"),
    [
        ("[memori]", ["tasks.1: there is no task 'memori'; did you mean 'memory'?"]),
        ("[my_task.py]", ["tasks.1", "needs --tasks FILE"]),
        ("memory", ["tasks: must be a list of tasks", "'memory'"]),
        ("{memory: {}}", ["tasks: must be a list of tasks"]),
        ("[]", ["tasks: must be a list of tasks", "[]"]),
        ("[[memory]]", ["tasks.1: there is no task"]),
        ("[null]", ["tasks.1: must name a task"]),
        ("[{lag: 3}]", ["tasks.1: must name a task", "{'lag': 3}"]),
        ("[memory, memory]", ["tasks.2: 'memory' is listed twice with the same settings"]),
        ("[memory, {task: memory, as: m}]", ["tasks.2: 'memory' is listed twice"]),
        ("[memory, {task: memory, lag: 4}]", ["tasks.2: two tasks are called 'memory'", "`as`"]),
        ("[memory, {task: memory, epochs: 250, as: m}]", ["tasks: m and memory are one task"]),
        ("[{task: memory, as: a b}]", ["tasks.1.as: must be a word", "'a b'"]),
        ("[{task: memory, as: a@b}]", ["tasks.1.as: must be a word", "'a@b'"]),
        ("[{task: memory, lagg: 3}]", ["tasks.1.lagg", "did you mean 'lag'"]),
        ("[{task: memory, epochs: 3, updates: 9}]", ["tasks.1.updates", "keep one"]),
        ("[{task: memory, lag: x}]", ["recipes.A.lag", "'x'"]),
        ("[{task: csv, file: ../x.csv}]", ["tasks.1.file", "in the working folder"]),
    ],
)
def test_wrong_tasks_are_refused_with_their_place(written, tasks, parts):
    message = refusal(written(f"tasks: {tasks}\nrecipes: {{A: {{}}}}"))
    assert message.count("\n") == 0
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ("{per_task: {memorie: {units: 3}}}", ["A.per_task.memorie", "did you mean 'memory'"]),
        ("{per_task: {memory: 3}}", ["A.per_task.memory: must be a mapping", "3"]),
        ("{per_task: [memory]}", ["A.per_task: must map tasks to settings"]),
        ("{per_task: {memory: {unit: 3}}}", ["A.per_task.memory.unit", "did you mean 'units'"]),
        ("{per_task: {memory: {units: 0}}}", ["A.per_task.memory.units", "got 0"]),
        ("{per_task: {memory: {lag: 3}}}", ["A.per_task.memory.lag", "put it in `tasks`"]),
        ("{per_task: {memory: {task: echo}}}", ["A.per_task.memory.task", "remove it"]),
        ("{per_task: {memory: {base: B}}}", ["A.per_task.memory.base", "one level higher"]),
        ("{per_task: {memory: {epochs: 3, updates: 9}}}", ["A.per_task.memory.updates"]),
        ("{per_task: {memory: {accuracy: 84}}}", ["A.per_task.memory.accuracy", "84"]),
        ("{per_task: {memory: {file: /etc/passwd}}}", ["A.per_task.memory.file"]),
        ("{task: memory}", ["A.task", "remove it"]),
        ("{accuracy: 0.5}", ["A.accuracy: is of one task", "`per_task`"]),
        ("{lag: 3}", ["A.lag: is a parameter of the task", "(on memory)", "no setting 'lag'"]),
        ("{over: {lag: [3, 4]}}", ["A.over.lag: is a parameter of the task", "(on memory)"]),
        ("{unit: 3}", ["A.unit: there is no setting 'unit'; did you mean 'units'?"]),
        ("{units: 0}", ["A.units: must be at least 1"]),
        ("{over: {units: [1, 2]}, per_task: {echo: {units: 3}}}", ["A.over.units", "(on echo)"]),
        ("{batch_size: 3}", ["A.batch_size", "(on memory)"]),
    ],
)
def test_wrong_settings_are_refused_with_their_place(written, settings, parts):
    message = refusal(written(f"tasks: [memory, echo]\nrecipes: {{A: {settings}}}"))
    for part in parts:
        assert part in message


def test_a_fault_on_every_task_is_reported_once(written):
    text = "tasks: [memory, echo, alphabet]\nrecipes: {A: {units: 0, unit: 3}, B: {base: C}}"
    message = refusal(written(text))
    assert [line.split(":")[0].strip() for line in message.splitlines()] == [
        "recipes.A.unit",
        "recipes.B.base",
    ]
    assert "(on" not in message


def test_one_task_and_searches_do_not_go_with_several_tasks(written):
    text = "tasks: [memory]\ntask: memory\nsearch: {space: {units: [1, 2]}}\nrecipes: {A: {}}"
    message = refusal(written(text))
    assert "task: stands in place of `tasks`" in message
    assert "search: a search is of one task" in message
    message = refusal(written("task: memory\nrecipes: {A: {per_task: {memory: {units: 3}}}}"))
    assert "recipes.A.per_task: needs `tasks` in the sweep" in message


def test_recipes_and_comparisons_of_a_grid_have_unambiguous_ids(written):
    message = refusal(written("tasks: [memory]\nrecipes: {A@B: {}}"))
    assert "recipes.A@B: with `tasks`, an id must have no '@'; rename it" in message
    text = "tasks: [memory, echo]\nrecipes: {A: {}, B: {}}\ncomparisons: {x: {of: A, to: B@ech}}"
    message = refusal(written(text))
    assert "comparisons.x.of: there is no recipe 'A'" in message
    assert "comparisons.x.to: there is no recipe 'B@ech'; did you mean 'B@echo'?" in message
    broken = text.replace("A: {}", "A: {units: 0}").replace("of: A,", "of: A@echo,")
    assert "comparisons.x.of" not in refusal(written(broken))
