"""Text from data in exported scripts: it stays text, whatever it holds, and is never run here."""

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

import lstm_bench.export
from lstm_bench.export._answers import PRINTABLE
from lstm_bench.export._data import data
from lstm_bench.export._embedded import embedded
from lstm_bench.export._literals import docstring, expression, literal, number
from lstm_bench.export._script import script
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
    due: str = "next"
    masked: bool = False
    cyclic: bool = False

    def problem(self, seed):
        made = []
        for row in ROWS[self.rows]:
            shown = np.array(row)
            # The next symbol, or one that the inputs do not tell: a sequence and its answers.
            asked = np.roll(shown, -1) if self.due == "next" else shown[::-1]
            scored = np.arange(len(row)) % 2 == 1 if self.masked else np.ones(len(row), bool)
            made.append(Sequence(shown, asked, scored, self.cyclic))
        return Problem(tuple(made))

    labels = property(lambda self: self.words)
    chance = property(lambda self: 0.5)


def labelled(**changes):
    return recipe(Labelled, **changes)


def assigned(tree, name):
    """Returns the value that the module `tree` gives `name`, read and not run."""
    node = next(
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(node.value)


def blanked(source):
    """Returns the syntax tree of `source`, without the text of its strings.

    And without the line that only scripts with unprintable symbols have.
    """
    tree = ast.parse(source.replace(f"\n{PRINTABLE}\n", "\n"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value, node.kind = "", None
    return ast.dump(tree)


def separately(scripts, folder):
    """Runs `scripts`, by name, in one process of its own and returns the arrays of each.

    It runs in the empty folder `folder / "inside"`.
    """
    for part in ("scripts", "made", "inside"):
        (folder / part).mkdir()
    for name, text in scripts.items():
        (folder / "scripts" / f"{name}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", EACH],
        cwd=folder / "inside",
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return {name: dict(np.load(folder / "made" / f"{name}.npz")) for name in scripts}


EACH = """
import pathlib, runpy, sys
import numpy as np
sys.modules["lstm_bench"] = None  # importing it would fail
for path in sorted(pathlib.Path("../scripts").glob("*.py")):
    left = runpy.run_path(str(path))
    made = {name: left[name] for name in ("X", "y", "weight", "losses") if name in left}
    np.savez(f"../made/{path.stem}.npz", **made)
"""


def same(made, chosen):
    samples = chosen.samples(SEED).part(unseen=False)
    weight = samples.scored if samples.y.ndim == 3 else samples.scored[:, 0]
    for ours, wanted in ((made["X"], samples.x), (made["y"], samples.y)):
        assert ours.dtype == wanted.dtype
        np.testing.assert_array_equal(ours, wanted)
    np.testing.assert_array_equal(made.get("weight", np.ones(weight.shape)), weight)


# ---- Columns of a CSV file


def column(path, cells):
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, quoting=csv.QUOTE_ALL).writerows([["sym"], *([cell] for cell in cells)])
    return str(path)


RUN = ",".join(str(ord(char)) for char in "open('CALLED', 'w').close()")
CODE = f"ab)];exec(bytes([{RUN}]));texts=[#abab\\" + ("ab" * 17)[:33]
"""A character a cell, of which the script shows those up to the backslash, two rows before what it

asks for. As texts in double quotes, unescaped, these are a call of `exec`."""
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
    file = column(tmp_path / "sym.csv", cells)
    monkeypatch.chdir(tmp_path)
    chosen = recipe("csv", file=file, target="sym", **{"framing": "pairs", **changes})
    text = script(chosen, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["sym.csv"]
    tree = ast.parse(text)
    assert list(assigned(tree, "symbols")) == sorted(set(cells))
    # The same in letters, or in words of letters.
    size = 1 if all(len(cell) == 1 for cell in cells) else 2
    order = sorted(set(cells))
    letters = [chr(ord("a") + order.index(cell)) * size for cell in cells]
    other = column(tmp_path / "other.csv", letters)
    plain = recipe("csv", file=other, target="sym", **{"framing": "pairs", **changes})
    assert blanked(text) == blanked(script(plain, SEED))


def test_hostile_scripts_run_and_make_the_samples_and_no_file(tmp_path):
    (tmp_path / "data").mkdir()
    chosen = {}
    for name, cells in (("code", CODE), ("spoken", SPOKEN), ("lines", LINES)):
        file = column(tmp_path / "data" / f"{name}.csv", cells)
        options = {"epochs": 1, "units": 2, "framing": "pairs", "horizon": 2}
        chosen[name] = recipe("csv", file=file, target="sym", **options)
    scripts = {name: script(each, SEED) for name, each in chosen.items()}
    made = separately(scripts, tmp_path)
    for name, each in chosen.items():
        assert data(each, SEED).readable
        same(made[name], each)
        assert np.isfinite(made[name]["losses"]).all()
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


@settings(max_examples=25, deadline=None)
@given(LABELS, TEXTS, st.sampled_from(["plain", "long"]), st.booleans(), st.booleans())
@example(['"', "'", "\\"], '"""', "plain", False, False)
@example(['"""', "\\", "a\n"], "\\", "plain", True, False)
@example(["a", "b", "c"], '"""; exit() #', "long", False, True)
def test_any_labels_and_settings_are_text_alone(labels, note, rows, masked, reversed_):
    options = {"rows": rows, "masked": masked, "due": "reversed" if reversed_ else "next"}
    text = script(labelled(words=tuple(labels), note=note, **options), SEED)
    tree = ast.parse(text)
    assert list(assigned(tree, "symbols")) == labels
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.encode("utf-8")
    single = all(len(label) == 1 for label in labels)
    plain = tuple(letter if single else letter * 2 for letter in "abcdef"[: len(labels)])
    assert blanked(text) == blanked(script(labelled(words=plain, **options), SEED))
    if single and rows == "plain" and not masked and reversed_:
        spelled = [[labels.index(char) for char in pair[0]] for pair in assigned(tree, "texts")]
        assert spelled == ROWS["plain"]


class Halves(Labelled):
    """Symbols that are halves of a character of two: no file in UTF-8 can hold them bare."""

    name = "halves"
    labels = ("\ud83d", "\ude00", '"')


def test_half_characters_are_escaped(tmp_path):
    text = script(recipe(Halves), SEED)
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    tree = ast.parse((tmp_path / "mine.py").read_text(encoding="utf-8"))
    assert tuple(assigned(tree, "symbols")) == Halves.labels


@settings(max_examples=200, deadline=None)
@given(st.text(CHARACTERS | st.sampled_from('"\\\n')))
@example('"""')
@example('ends in "')
@example('\\"""\\')
@example("\ud800")
def test_literals_give_the_text_back(text):
    for shown in (literal(text), docstring(text), expression([text, {text: (text,)}])):
        assert all(char.isprintable() or char == "\n" for char in shown)
    assert "\n" not in literal(text)
    assert ast.literal_eval(literal(text)) == text
    assert ast.literal_eval(expression([text, {text: (text,)}])) == [text, {text: (text,)}]
    module = ast.parse(docstring(text) + "\nx = 1\n")
    assert len(module.body) == 2
    assert ast.get_docstring(module, clean=False) == text


def test_a_docstring_is_left_as_it_is():
    # Its lines that begin like a function are no function, to which empty lines are added.
    text = script(labelled(note="def " * 60), SEED)
    about = ast.get_docstring(ast.parse(text), clean=False).split("\n\n")[0].splitlines()
    assert [line[:4] for line in about[1:]] == ["def "] * 3
    assert " ".join(about).count("def") == 60


# ---- Numbers


@pytest.mark.parametrize(
    ("value", "shown"),
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
def test_numbers_are_those_of_python(value, shown):
    assert number(value) == shown
    assert expression((value,)) == f"({shown},)"


def test_values_without_a_literal_are_refused():
    with pytest.raises(TypeError, match="plain values, but got object"):
        expression([object()])


def test_arrays_with_infinite_values_are_packed():
    # Written out, inf and nan would be names that the script does not define.
    for value in (math.inf, math.nan):
        assert embedded(np.array([1.0, value], np.float32)).startswith("unpacked(")
    assert embedded(np.array([1.0, 2.5], np.float32)).startswith("np.array(")


# ---- The code and what it makes, told apart from one another


def test_nothing_is_run_or_compiled():
    files = sorted(Path(lstm_bench.export.__path__[0]).rglob("*.py"))
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
    "pairs": {"due": "reversed"},
    "masked": {"masked": True},
    "uneven": {"rows": "uneven"},
    "uneven, masked": {"rows": "uneven", "due": "reversed", "masked": True},
    "packed": {"rows": "long"},
    "packed, masked": {"rows": "long", "due": "reversed", "masked": True},
    "too long": {"rows": "long, uneven"},
}
COMBINED = {
    f"{framing}, {encoding}, {kind}": {"framing": framing, "encoding": encoding, **own, **rows}
    for framing, own in FRAMINGS.items()
    for encoding in ("onehot", "scaled")
    for kind, rows in SEQUENCES.items()
}


def test_the_code_of_every_framing_makes_its_samples(tmp_path):
    """Each is written as code, and once more as what is done here: the two must not part."""
    chosen = {name: labelled(**changes) for name, changes in COMBINED.items()}
    chosen |= {
        # Two symbols that share a label, and substrings that go round the end of a sequence.
        "shared": labelled(words=("a", "b", "a")),
        "cyclic": labelled(cyclic=True, framing="substrings", substrings=9, max_length=3),
        "digits": labelled(words=tuple(map(str, range(11)))),
        "words": labelled(words=("on", "off", "hold"), due="reversed"),
    }
    made = {name: data(each, SEED) for name, each in chosen.items()}
    embedded_ = {name for name, each in made.items() if not each.readable}
    assert embedded_ == {"shared", "cyclic"} | {name for name in made if "too long" in name}
    # As far as the samples: the rest of a script is run by other tests.
    scripts = {name: script(each, SEED).split("# ---- Network")[0] for name, each in chosen.items()}
    arrays = separately(scripts, tmp_path)
    for name, each in chosen.items():
        same(arrays[name], each)
        assert made[name].weighted == ("weight" in arrays[name])
        assert made[name].packed == ("def unpacked" in scripts[name])


@pytest.mark.slow
def test_what_a_script_prints_controls_no_terminal(tmp_path):
    file = column(tmp_path / "esc.csv", ["\x1b[2J", "\x1b]0;x\x07", "\x9b", "plain"] * 10)
    chosen = recipe("csv", file=file, target="sym", framing="pairs", epochs=1, units=2)
    (tmp_path / "mine.py").write_text(script(chosen, SEED), encoding="utf-8")
    words = [sys.executable, "-I", "-X", "utf8", "mine.py"]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "plain" in done.stdout and "x1b[2J" in done.stdout
    assert all(char.isprintable() or char == "\n" for char in done.stdout)
