"""Task classes in place of names: of a notebook, of a script, of a function, and of a module."""

import importlib
import json
import pickle
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import lstm_bench as lb
from lstm_bench.recipes._recipe import recipe, recipe_from_settings
from lstm_bench.sweeps._python_values import document_with_names, task_list
from lstm_bench.sweeps._task_files import load_tasks, tasks_from_sources

SESSION = """
import json
import numpy as np
import lstm_bench as lb

OFFSET = 0

def shifted(bits):
    return (bits + OFFSET) % 2

class Same(lb.Task):
    "Say it again: 0 1 -> 0 1."

    name = "same"
    source = "none"
    autoregressive = False
    defaults = {"framing": "whole", "epochs": 2, "units": 2}
    length: int = 6

    def problem(self, seed):
        bits = np.arange(self.length) % 2
        return lb.Problem((lb.Sequence(bits, shifted(bits), np.ones(self.length, bool)),))

    labels = ("0", "1")
    chance = 0.5

@lb.task(labels="01", chance=0.5, source="none", autoregressive=False,
         defaults={"framing": "whole", "epochs": 2, "units": 2})
def again(seed: int, length: int = 4) -> lb.Problem:
    "Say it again: 0 1 -> 0 1."
    bits = np.arange(length) % 2
    return lb.Problem((lb.Sequence(bits, bits, np.ones(length, bool)),))

document = {"task": Same, "seeds": 1, "recipes": {"A": {}, "B": {"task": again, "length": 5}}}
swept = lb.sweep(document, name="s", progress=False)
direct = lb.run(Same, 1)
facts = {"ids": list(swept), "loss": [float(o.seeds["loss"].iloc[0]) for o in (swept["A"], direct)],
         "digests": [swept["A"].digest, direct.digest]}
"""

CHANGED = """
facts["scripts"] = [lb.export(swept["A"], tasks=Same), lb.export("s:B", tasks=[Same, again])]
space = {"units": [2, 3]}
few = {"trials": 2, "seeds": 1, "progress": False, "search": {"confirm": 0}}
facts["searched"] = list(lb.search(Same, space, **few))

def shifted(bits):
    return 1 - bits

changed = lb.sweep(document, name="s", progress=False)
facts |= {"changed": changed["A"].digest, "unchanged": changed["B"] == swept["B"]}
try:
    lb.search(Same, space, **few)
except lb.SweepError as error:
    facts["refused"] = str(error)
"""


@pytest.mark.long
def test_a_class_of_a_script_is_swept_searched_and_changed(tmp_path):
    (tmp_path / "script.py").write_text(SESSION + CHANGED + "print(json.dumps(facts))\n")
    words = [sys.executable, "script.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["ids"] == ["A", "B"]
    for swept, direct in (facts["loss"], facts["digests"]):
        assert swept == direct  # to the last bit
    assert len(set(facts["scripts"])) == 2
    assert facts["searched"] == ["trial-0", "trial-1"]
    # A function that the class calls was changed: its data are others, and so is the recipe.
    assert facts["changed"] != facts["digests"][0]
    assert facts["unchanged"]
    assert "the data that the task 'same' makes have changed" in facts["refused"]


def local_task(value=0, **namespace):
    """Returns a task class that is the attribute of no module."""

    class Local(lb.Task):
        """0 -> 0."""

        name = "local"
        source = "none"

        def problem(self, seed):
            steps = np.full(4, value) + namespace.get("offset", 0)
            return lb.Problem((lb.Sequence(steps, steps, steps >= 0),))

        labels = ("0", "1")
        chance = 0.5

    Local.extra = namespace.get("extra")
    return Local


def test_another_process_gets_the_same_class():
    given = local_task(value=1)
    tasks = load_tasks([given, given])
    assert tasks["local"] is given and len(tasks.sources) == 1
    assert tasks.places["local"] == f"the class {given.__qualname__}"
    code = """
        import pickle, sys
        from lstm_bench.recipes import recipe_from_settings
        from lstm_bench.sweeps import tasks_from_sources
        tasks = tasks_from_sources(pickle.loads(sys.stdin.buffer.read()))
        print(recipe_from_settings({"task": "local"}, tasks).digest)
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(words, input=pickle.dumps(tasks.sources), capture_output=True, check=True)
    assert done.stdout.decode().strip() == recipe(given).digest != recipe(local_task()).digest


def test_a_class_that_cannot_be_sent_is_refused_with_a_repair():
    with pytest.raises(lb.TaskError, match=r"class local_task.* my_task\.py and give that file"):
        load_tasks([local_task(extra=threading.Lock())])


def test_two_classes_of_one_name_are_refused():
    document = {"task": local_task(), "seeds": 1, "recipes": {"A": {"task": local_task(1)}}}
    with pytest.raises(lb.TaskError, match="two tasks are named 'local'"):
        lb.sweep(document, progress=False)


def test_the_class_of_a_module_comes_from_its_file(tmp_path, monkeypatch):
    text = "import lstm_bench as lb\n\n\n@lb.task(labels='01', chance=0.5)\n"
    text += "def filed(seed: int) -> lb.Problem:\n    'x'\n"
    text += "    return lb.Problem((lb.Sequence.next_symbol([0, 1, 0, 1]),))\n"
    (tmp_path / "filed_task.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    filed = importlib.import_module("filed_task").filed
    tasks = load_tasks([filed, tmp_path / "filed_task.py"])
    assert [source.path for source in tasks.sources] == [str(tmp_path / "filed_task.py")]
    again = tasks_from_sources(tasks.sources)
    assert recipe_from_settings({"task": "filed"}, again).digest == recipe(filed).digest


def test_classes_become_names_wherever_a_document_has_them():
    one, other = local_task(), lb.recipe("echo").task
    document, classes = document_with_names(
        {
            "task": one,
            "recipes": {"A": None, "B": {"task": other, "units": 3}, "C": {"base": "A"}},
            "refused": {"D": {"task": one, "shuffle": "samples"}, "E": 3},
        }
    )
    assert document["task"] == document["refused"]["D"]["task"] == "local"
    assert document["recipes"] == {
        "A": None,
        "B": {"task": "echo", "units": 3},
        "C": {"base": "A"},
    }
    assert document["refused"]["E"] == 3
    assert classes == [one, type(other), one]


@pytest.mark.parametrize("wrong", [3, [3], [None], [dict], {"a": 1}.values(), {"a.py": 1}, b"a.py"])
def test_tasks_are_files_or_classes(wrong):
    with pytest.raises(lb.UserError, match="tasks: must be Python files or task classes"):
        task_list(wrong)


def test_a_file_is_known_only_to_the_call_that_gives_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "import lstm_bench as lb\n\n\n@lb.task(labels='01', chance=0.5)\n"
    text += "def here(seed: int) -> lb.Problem:\n    'x'\n"
    text += "    return lb.Problem((lb.Sequence.next_symbol([0, 1, 0, 1]),))\n"
    (tmp_path / "here.py").write_text(text)
    assert "here" in set(lb.tasks("here.py")["name"])
    assert lb.recipe("here", tasks="here.py", units=3).units == 3
    assert lb.run("here", 1, tasks=["here.py"], units=2, epochs=1).settings["task"] == "here"
    assert "LSTM(3" in lb.export("here", tasks="here.py", units=3)
    for call in (lb.recipe, lb.run, lb.export):
        with pytest.raises(lb.UserError, match="there is no task 'here'"):
            call("here")
    # As for the commands, the files of the settings are always known.
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "default.yaml").write_text("tasks: [here.py]\n")
    assert lb.recipe("here").task.name == "here"


def test_another_task_among_the_changes_is_refused():
    with pytest.raises(lb.UserError, match="task: is given already"):
        lb.export("memory", task="echo")
    with pytest.raises(lb.UserError, match="task: is given already"):
        lb.export(lb.recipe("memory"), task="echo")
