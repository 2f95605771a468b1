"""What the command line answers to input that is nearly right."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from lstm_bench.cli._app import app
from lstm_bench.cli._options import refuse_setting_options
from lstm_bench.errors import SweepError, UserError
from lstm_bench.safety import _terminal as terminal
from lstm_bench.sweeps import find_sweep, load_sweep

COMMAND = typer.main.get_command(app)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("run memory --units 20", "--units: `run` has no such option. Settings are given as words"),
        ("run memory --units 20", "units=20"),
        ("run memory --learning-rate=0.1", "learning_rate=0.1"),
        ("sweep quickstart --seeds 5", "seeds=5"),
        ("run memory --seed 5", "did you mean --seeds?"),
        ("sweep quickstart --stateful", "stateful=VALUE"),
    ],
)
def test_a_setting_that_is_given_as_an_option_is_explained(words: str, answer: str) -> None:
    with pytest.raises(UserError) as raised:
        refuse_setting_options(words.split(), COMMAND)
    assert answer in str(raised.value)


@pytest.mark.parametrize(
    "words",
    [
        "run memory units=20 --seeds 5 --json",
        "run memory --no-log",
        "sweep --csv a.csv --target b",
        "sweep --help",
        "run memory -- --units",
        "tasks --units",
        "nothing --units",
        "",
    ],
)
def test_options_and_other_commands_are_left_alone(words: str) -> None:
    refuse_setting_options(words.split(), COMMAND)


def test_an_option_of_the_search_is_told_from_one_of_the_sweep(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("task: memory\nsearch: {trials: 3, space: {units: [4, 8]}}\n")
    with pytest.raises(SweepError, match=r"trials: is an option.*did you mean search\.trials=8\?"):
        load_sweep(path, ["trials=8"])
    path.write_text("task: memory\nrecipes: {A: {}}\n")
    with pytest.raises(SweepError, match="this sweep has no search"):
        load_sweep(path, ["trials=8"])


def test_a_missing_sweep_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SweepError) as raised:
        find_sweep("nothere")
    assert f"looked for the file sweeps/nothere.yaml in {tmp_path}" in str(raised.value)
    assert "make a folder with sweeps by `lstm-bench init DIR`" in str(raised.value)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mine.yaml").write_text("task: memory\n")
    with pytest.raises(SweepError, match=r"or give the path of a file$"):
        find_sweep("nothere")
    with pytest.raises(SweepError) as raised:
        find_sweep("nothere.yaml")
    assert f"(looked for in {tmp_path})" in str(raised.value)


def test_errors_break_between_words() -> None:
    line = "  units: must be a whole number, but got 'abcdefghijklmnopqrstuvwxyz-and-more'"
    parts = terminal._wrapped(line, 30)
    assert " ".join(" ".join(parts).split()) == " ".join(line.split())
    assert parts[0].startswith("  units") and all(part.startswith("    ") for part in parts[1:])
    assert max(len(part) for part in parts if "abcdef" not in part) <= 30
    assert terminal._wrapped("", 30) == [""]
