"""Text from data stays text in exported scripts, whatever it contains, and is never run here."""

import ast
import csv
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lstm_bench.export import _script
from lstm_bench.export._data import data_code
from lstm_bench.export._embedded import array_expression
from lstm_bench.export._literals import (
    docstring_literal,
    number_literal,
    string_literal,
    value_literal,
)
from lstm_bench.export._predictions import PRINTABLE
from lstm_bench.export._script import export_script
from lstm_bench.recipes._recipe import recipe
from lstm_bench.tasks._base import Problem, Sequence, Task

SEED = 3

ROWS = {
    "plain": [[0, 1, 2, 0], [2, 1, 0, 1]],
    "uneven": [[0, 1, 2, 0, 1], [2, 1, 1]],
    "long": [[0, 1, 2, 0, 1, 1, 2, 2] * 10] * 8,
    "long, uneven": [[0, 1, 2, 0, 1, 1, 2, 2] * 10, [2, 1, 0] * 20] * 5,
}


class Labelled(Task):
    """Sequences of symbols with any labels."""

    name = "labelled"
    defaults = {"units": 2, "epochs": 1, "batch_size": "all", "stateful": False}
    words: tuple[str, ...] = ("a", "b", "c")
    note: str = ""
    rows: str = "plain"
    targets: str = "next"
    masked: bool = False
    cyclic: bool = False

    def problem(self, seed):
        sequences = []
        for row in ROWS[self.rows]:
            inputs = np.array(row)
            # The targets are the next symbols, or others that do not follow from the inputs.
            targets = np.roll(inputs, -1) if self.targets == "next" else inputs[::-1]
            scored = np.arange(len(row)) % 2 == 1 if self.masked else np.ones(len(row), bool)
            sequences.append(Sequence(inputs, targets, scored, self.cyclic))
        return Problem(tuple(sequences))

    labels = property(lambda self: self.words)
    chance = property(lambda self: 0.5)


def labelled(**changes):
    return recipe(Labelled, **changes)


def assigned_value(tree, name):
    """Returns the value that the module `tree` assigns to `name`, without running it."""
    node = next(
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(node.value)


def tree_without_strings(source):
    """Returns the syntax tree of `source` without the text of its strings.

    The line that only scripts with unprintable symbols have is left out too.
    """
    tree = ast.parse(source.replace(f"\n{PRINTABLE}\n", "\n"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value, node.kind = "", None
    return ast.dump(tree)


def run_scripts(scripts, folder):
    """Runs `scripts`, a dict by name, in a process of their own; returns the arrays of each.

    They run in the empty folder `folder / "inside"`.
    """
    for part in ("scripts", "arrays", "inside"):
        (folder / part).mkdir()
    for name, text in scripts.items():
        (folder / "scripts" / f"{name}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", RUN_ALL],
        cwd=folder / "inside",
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return {name: dict(np.load(folder / "arrays" / f"{name}.npz")) for name in scripts}


RUN_ALL = """
import pathlib, runpy, sys
import numpy as np
sys.modules["lstm_bench"] = None  # importing it would fail
for path in sorted(pathlib.Path("../scripts").glob("*.py")):
    variables = runpy.run_path(str(path))
    names = {"X", "y", "weight", "losses"} & set(variables)
    np.savez(f"../arrays/{path.stem}.npz", **{name: variables[name] for name in names})
"""


def check_arrays(arrays, chosen):
    samples = chosen.samples(SEED).part(unseen=False)
    weight = samples.scored if samples.y.ndim == 3 else samples.scored[:, 0]
    for actual, expected in ((arrays["X"], samples.x), (arrays["y"], samples.y)):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(arrays.get("weight", np.ones(weight.shape)), weight)


# ---- Columns of a CSV file


def write_column(path, cells):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["sym"], *([cell] for cell in cells)])
    return str(path)


RUN = ",".join(str(ord(char)) for char in "open('CALLED', 'w').close()")
CODE = f"ab)];exec(bytes([{RUN}]));texts=[#abab\\" + ("ab" * 17)[:33]
"""Code with one character in each cell.

The inputs of a script are the characters up to the backslash, two rows before the targets. In
double quotes, unescaped, they would be a call of `exec`.
"""
SPOKEN = "She_said_\"no\",_and_'yes'_too._" * 8
LINES = ['"""', "a\nb", "\\", "#", "{}", "%s", "\u202e", "\u200f", "a\u2028b", "\x7f", "'"] * 6


@pytest.mark.parametrize(
    ("cells", "changes"),
    [
        (CODE, {"horizon": 2}),
        (CODE, {}),
        (SPOKEN, {}),
        (SPOKEN, {"framing": "window"}),
        (LINES, {}),
        (LINES, {"horizon": 2, "framing": "prefixes"}),
    ],
)
def test_cells_of_a_file_stay_text(cells, changes, tmp_path, monkeypatch):
    file = write_column(tmp_path / "sym.csv", cells)
    monkeypatch.chdir(tmp_path)
    chosen = recipe("csv", file=file, target="sym", **{"framing": "pairs", **changes})
    text = export_script(chosen, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["sym.csv"]
    tree = ast.parse(text)
    assert list(assigned_value(tree, "symbols")) == sorted(set(cells))
    # The same file with letters, or with words of letters, in place of the cells.
    size = 1 if all(len(cell) == 1 for cell in cells) else 2
    order = sorted(set(cells))
    letters = [chr(ord("a") + order.index(cell)) * size for cell in cells]
    other = write_column(tmp_path / "other.csv", letters)
    plain = recipe("csv", file=other, target="sym", **{"framing": "pairs", **changes})
    assert tree_without_strings(text) == tree_without_strings(export_script(plain, SEED))


@pytest.mark.long
def test_hostile_scripts_run_and_make_the_samples_and_no_file(tmp_path):
    (tmp_path / "data").mkdir()
    chosen = {}
    for name, cells in (("code", CODE), ("spoken", SPOKEN), ("lines", LINES)):
        file = write_column(tmp_path / "data" / f"{name}.csv", cells)
        options = {"epochs": 1, "units": 2, "framing": "pairs", "horizon": 2}
        chosen[name] = recipe("csv", file=file, target="sym", **options)
    scripts = {name: export_script(recipe_, SEED) for name, recipe_ in chosen.items()}
    arrays = run_scripts(scripts, tmp_path)
    for name, recipe_ in chosen.items():
        assert data_code(recipe_, SEED).readable
        check_arrays(arrays[name], recipe_)
        assert np.isfinite(arrays[name]["losses"]).all()
    assert not list((tmp_path / "inside").iterdir())


# ---- Any labels at all

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "\"'\\\n\r\t\0\x1b#{}[](),;:=%f\u200f\u202e\u2028\u0085\xa0\ufeff"
)
TEXTS = st.text(CHARACTERS, max_size=5) | st.sampled_from(
    ['"""', "'''", '\\"', "\\N{DASH}", "{0}", "# no", "\ndef f():\n", "unpacked(", "X", "a" * 120]
)
LABELS = st.lists(CHARACTERS, min_size=3, max_size=6, unique=True) | st.lists(
    TEXTS, min_size=3, max_size=6, unique=True
)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(LABELS, TEXTS, st.sampled_from(["plain", "long"]), st.booleans(), st.booleans())
@example(['"', "'", "\\"], '"""', "plain", False, False)
@example(['"""', "\\", "a\n"], "\\", "plain", True, False)
@example(["a", "b", "c"], '"""; exit() #', "long", False, True)
def test_any_labels_and_settings_are_only_text(labels, note, rows, masked, reversed_):
    targets = "reversed" if reversed_ else "next"
    options = {"rows": rows, "masked": masked, "targets": targets}
    text = export_script(labelled(words=tuple(labels), note=note, **options), SEED)
    tree = ast.parse(text)
    assert list(assigned_value(tree, "symbols")) == labels
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.encode("utf-8")
    single = all(len(label) == 1 for label in labels)
    plain = tuple(letter if single else letter * 2 for letter in "abcdef"[: len(labels)])
    assert tree_without_strings(text) == tree_without_strings(
        export_script(labelled(words=plain, **options), SEED)
    )
    if single and rows == "plain" and not masked and reversed_:
        spelled = [
            [labels.index(char) for char in pair[0]] for pair in assigned_value(tree, "texts")
        ]
        assert spelled == ROWS["plain"]


class Halves(Labelled):
    """Symbols that are halves of a surrogate pair: UTF-8 cannot encode them unescaped."""

    name = "halves"
    labels = ("\ud83d", "\ude00", '"')


def test_half_characters_are_escaped(tmp_path):
    text = export_script(recipe(Halves), SEED)
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    tree = ast.parse((tmp_path / "mine.py").read_text(encoding="utf-8"))
    assert tuple(assigned_value(tree, "symbols")) == Halves.labels


@settings(max_examples=200, deadline=None)
@given(st.text(CHARACTERS | st.sampled_from('"\\\n')))
@example('"""')
@example('ends in "')
@example('\\"""\\')
@example("\ud800")
def test_literals_give_the_text_back(text):
    for source in (
        string_literal(text),
        docstring_literal(text),
        value_literal([text, {text: (text,)}]),
    ):
        assert all(char.isprintable() or char == "\n" for char in source)
    assert "\n" not in string_literal(text)
    assert ast.literal_eval(string_literal(text)) == text
    assert ast.literal_eval(value_literal([text, {text: (text,)}])) == [text, {text: (text,)}]
    module = ast.parse(docstring_literal(text) + "\nx = 1\n")
    assert len(module.body) == 2
    assert ast.get_docstring(module, clean=False) == text


def test_a_docstring_is_left_as_it_is():
    # Lines that look like the beginning of a function get no blank lines around them.
    text = export_script(labelled(note="def " * 60), SEED)
    about = ast.get_docstring(ast.parse(text), clean=False).split("\n\n")[0].splitlines()
    assert [line[:4] for line in about[1:]] == ["def "] * 3
    assert " ".join(about).count("def") == 60


# ---- Numbers


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (3, "3"),
        (True, "True"),
        (0.1, "0.1"),
        (np.float64(0.1), "0.1"),
        (np.int64(7), "7"),
        (np.bool_(False), "False"),
        (math.inf, 'float("inf")'),
        (-math.inf, 'float("-inf")'),
        (np.float32("nan"), 'float("nan")'),
    ],
)
def test_numbers_are_those_of_python(value, source):
    assert number_literal(value) == source
    assert value_literal((value,)) == f"({source},)"


def test_values_without_a_literal_are_refused():
    with pytest.raises(TypeError, match="plain values, but got object"):
        value_literal([object()])


def test_arrays_with_infinite_values_are_packed():
    # Written out, inf and nan would be undefined names.
    for value in (math.inf, math.nan):
        assert array_expression(np.array([1.0, value], np.float32)).startswith("unpacked(")
    assert array_expression(np.array([1.0, 2.5], np.float32)).startswith("np.array(")


# ---- The code, and the same steps taken in this process


def test_nothing_is_run_or_compiled():
    files = sorted(Path(_script.__file__).parent.rglob("*.py"))
    assert len(files) > 5
    banned = {"exec", "eval", "compile", "__import__", "builtins", "runpy", "importlib", "code"}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            names = {getattr(called, "id", None), getattr(called, "attr", None)} - {"code"}
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                names |= {node.module, *(alias.name for alias in node.names)}
            assert not names & banned, f"{path.name}, line {node.lineno}"


FRAMINGS = {
    "pairs": {},
    "window": {"window": 2},
    "feature_window": {"window": 3},
    "prefixes": {},
    "substrings": {"substrings": 7, "max_length": 3},
    "whole": {},
}
SEQUENCES = {
    "chained": {},
    "pairs": {"targets": "reversed"},
    "masked": {"masked": True},
    "uneven": {"rows": "uneven"},
    "uneven, masked": {"rows": "uneven", "targets": "reversed", "masked": True},
    "packed": {"rows": "long"},
    "packed, masked": {"rows": "long", "targets": "reversed", "masked": True},
    "too long": {"rows": "long, uneven"},
}
COMBINED = {
    f"{framing}, {encoding}, {kind}": {"framing": framing, "encoding": encoding, **options, **rows}
    for framing, options in FRAMINGS.items()
    for encoding in ("onehot", "scaled")
    for kind, rows in SEQUENCES.items()
}


@pytest.mark.long
def test_the_code_of_every_framing_makes_its_samples(tmp_path):
    """Each framing is written as code and again in Python; both must make the same samples."""
    chosen = {name: labelled(**changes) for name, changes in COMBINED.items()}
    chosen |= {
        # Two symbols that share a label, and substrings that wrap around the end of a sequence.
        "shared": labelled(words=("a", "b", "a")),
        "cyclic": labelled(cyclic=True, framing="substrings", substrings=9, max_length=3),
        "digits": labelled(words=tuple(map(str, range(11)))),
        "words": labelled(words=("on", "off", "hold"), targets="reversed"),
    }
    codes = {name: data_code(recipe_, SEED) for name, recipe_ in chosen.items()}
    embedded = {name for name, code in codes.items() if not code.readable}
    assert embedded == {"shared", "cyclic"} | {name for name in codes if "too long" in name}
    # Only up to the samples: other tests run the rest of a script.
    scripts = {
        name: export_script(recipe_, SEED).split("# ---- Network")[0]
        for name, recipe_ in chosen.items()
    }
    arrays = run_scripts(scripts, tmp_path)
    for name, recipe_ in chosen.items():
        check_arrays(arrays[name], recipe_)
        assert codes[name].weighted == ("weight" in arrays[name])
        assert codes[name].packed == ("def unpacked" in scripts[name])


@pytest.mark.slow
def test_a_script_prints_no_control_characters(tmp_path):
    file = write_column(tmp_path / "esc.csv", ["\x1b[2J", "\x1b]0;x\x07", "\x9b", "plain"] * 10)
    chosen = recipe("csv", file=file, target="sym", framing="pairs", epochs=1, units=2)
    (tmp_path / "mine.py").write_text(export_script(chosen, SEED), encoding="utf-8")
    words = [sys.executable, "-I", "-X", "utf8", "mine.py"]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "plain" in done.stdout and "x1b[2J" in done.stdout
    assert all(char.isprintable() or char == "\n" for char in done.stdout)
