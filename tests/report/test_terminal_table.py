"""The table for the terminal: a line for a recipe, whatever the width."""

from __future__ import annotations

import io

import pytest
from report_cases import EDGES
from rich.console import Console

from lstm_bench.report import prediction_table, terminal_table


def printed(name: str, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(terminal_table(EDGES[name], width=width))
    return console.export_text().splitlines()


@pytest.mark.parametrize("name", ["all sorts", "searched", "published trials", "across tasks"])
def test_a_recipe_has_one_whole_line_on_80_columns(name: str) -> None:
    lines = printed(name, 80)
    for row in EDGES[name].fixed:
        (line,) = (line for line in lines if line.startswith(f" {row.id} "))
        rate = row.outcome.solve_rate
        assert f" {rate.k}/{rate.n} " in line
        assert "…" not in line.split(f"{rate.k}/{rate.n}")[1]


def test_names_say_what_differs() -> None:
    lines = printed("all sorts", 120)
    assert any(line.startswith(" A3 ") and "gru(20) pairs" in line for line in lines)


def test_predictions_are_summed_up_over_the_seeds() -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(prediction_table(EDGES["all sorts"].fixed[0].outcome))
    text = console.export_text()
    assert "A ×2, no ×1" in text and "2/3" in text  # the last of four steps, by three seeds
    assert len([line for line in text.splitlines() if "/3" in line]) == 4
