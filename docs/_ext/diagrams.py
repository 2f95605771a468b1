"""Pictures of batches, drawn from the schedules of recipes: what a row continues, and what not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

import lstm_bench as lb

COLORS = ["#cfe4f2", "#f7dcc0"]  # one for each sequence
EDGE, STATE, RESET = "#33475b", "#1f6f8b", "#b3262e"

PICTURES = {
    "batch_1": ("Batch 1: each sample continues the one before", {}, None),
    "rows": ("Batch 4 in rows: no row continues the row before it", {"batch_size": 4}, None),
    "streams": (
        "Batch 2 in streams: each row is a sequence of its own",
        {"batch_size": 2, "layout": "streams"},
        None,
    ),
    "epoch": (
        "One reset an epoch: the state passes from sequence to sequence",
        {"reset": "epoch"},
        None,
    ),
    "shuffled": (
        "Shuffled samples: what comes before is another sequence's",
        {"stateful": False, "shuffle": "samples"},
        3,
    ),
}


def draw_batches(recipe: lb.Recipe, title: str, seed: int | None = None) -> Figure:
    """Returns one epoch of a recipe on `memory`: a column a batch, a cell a sample."""
    rng = None if seed is None else np.random.default_rng(seed)
    batches, resets = (part[0] for part in recipe.schedule.epochs(rng, 1))
    problem = recipe.task.problem(0)
    steps = [(s, t) for s, sequence in enumerate(problem.train) for t in range(len(sequence))]
    columns, rows = batches.shape
    figure = Figure(figsize=(7.6, 0.62 + 0.56 * rows), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.75, 8), ylim=(rows - 0.3, -0.95), aspect="auto")
    axes.axis("off")
    axes.set_title(title, loc="left", fontsize=10.5, color=EDGE)
    for column in range(columns):
        axes.text(column + 0.3, -0.62, f"batch {column + 1}", ha="center", fontsize=7.5, color=EDGE)
        if resets[column]:
            place = column - 0.2
            axes.plot([place, place], [-0.45, rows - 0.55], color=RESET, linewidth=2)
        for row, sample in enumerate(batches[column]):
            if sample < 0:
                continue
            sequence, step = steps[sample]
            box = FancyBboxPatch(
                (column, row - 0.3), 0.6, 0.6, boxstyle="round,pad=0,rounding_size=0.06",
                facecolor=COLORS[sequence], edgecolor=EDGE, linewidth=0.8,
            )  # fmt: skip
            axes.add_patch(box)
            train = problem.train[sequence]
            text = f"{train.inputs[step]}→{train.targets[step]}"
            axes.text(column + 0.3, row, text, ha="center", va="center", fontsize=9, color=EDGE)
            if recipe.stateful and column + 1 < columns and not resets[column + 1]:
                arrow = {"arrowstyle": "->", "color": STATE, "linewidth": 1.4}
                axes.annotate("", (column + 0.99, row), (column + 0.62, row), arrowprops=arrow)
    return figure


def draw_all(folder: Path) -> None:
    """Writes the pictures as SVG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, settings, seed) in PICTURES.items():
        figure = draw_batches(lb.recipe("memory", **settings), title, seed)
        figure.savefig(folder / f"batches_{name}.svg", metadata={"Date": None})
