"""Plots what a training step costs as sequences, batches, networks and seeds grow.

    .venv/bin/python benchmarks/growth.py

prints the tables and writes `growth.svg` beside this file. All but the seeds run on one core, and
each panel is measured in turns: every point once a round, and the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
from peers import ROUNDS, ours

from lstm_bench.recipes import Recipe, recipe
from lstm_bench.training import get_engine, start_tensorflow

FIGURE = Path(__file__).with_name("growth.svg")
LENGTHS = (25, 50, 100, 200, 400, 1000)
ROWS = (1, 2, 4, 8, 16, 32)
UNITS = (8, 16, 32, 64, 128, 256)
SEEDS = (1, 2, 4, 8)

Points = dict[tuple[str, int], float]
"""Values by the label of a line and the place on the x axis."""


def example(steps: int = 100, rows: int = 8, units: int = 20) -> Recipe:
    """Returns a recipe with samples of `steps` time steps, and an output at each of them."""
    settings = {"framing": "whole", "batch_size": rows, "units": units, "train": 32, "unseen": 1}
    return recipe("echo", steps=steps, **settings)


def measure(recipes: dict[tuple[str, int], Recipe], seconds: float) -> Points:
    """Returns microseconds a time step of one batch, the median of turns."""
    timers = {key: ours(chosen) for key, chosen in recipes.items()}
    rounds = [{key: timer(seconds) for key, timer in timers.items()} for _ in range(ROUNDS)]
    return {
        key: 1e6 * statistics.median(values[key] for values in rounds) / recipes[key].width
        for key in recipes
    }


def measure_seeds(seconds: float) -> Points:
    """Returns seeds a second on one and on two cores, relative to one seed on one core."""
    engine = get_engine("compiled")
    settings = example(rows=16, units=32).settings | {"evaluate_every": 1_000_000}
    chosen = recipe(**settings | {"epochs": max(1, round(1000 * seconds))})
    cores = sorted(os.sched_getaffinity(0))
    engine.train(recipe(**settings | {"epochs": 2}), [0])  # compiles: not all are evaluated
    speeds: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for count in (1, 2)[: len(cores)]:
            for seeds in SEEDS:
                start = time.perf_counter()
                engine.train(chosen, list(range(seeds)), threads=count)
                speed = seeds / (time.perf_counter() - start)
                speeds.setdefault((f"{count} threads", seeds), []).append(speed)
    medians = {key: statistics.median(values) for key, values in speeds.items()}
    return {key: value / medians["1 threads", 1] for key, value in medians.items()}


def panels(seconds: float) -> Iterator[tuple[str, str, Points]]:
    """Yields the labels of the axes and the points of every panel."""
    by_length = {(f"{b} rows", t): example(steps=t, rows=b) for b in (1, 2, 8, 32) for t in LENGTHS}
    by_rows = {(f"{u} units", b): example(rows=b, units=u) for u in (20, 64) for b in ROWS}
    by_units = {(f"{b} rows", u): example(rows=b, units=u) for b in (1, 8, 32) for u in UNITS}
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_cores)})
    yield "time steps", "us a time step", measure(by_length, seconds)
    yield "rows", "us a time step", measure(by_rows, seconds)
    yield "units", "us a time step", measure(by_units, seconds)
    os.sched_setaffinity(0, all_cores)
    yield "seeds", "speed over one seed", _seeds_in_a_new_process(seconds)


def _seeds_in_a_new_process(seconds: float) -> Points:
    """Returns the points of `measure_seeds`: in this process TensorFlow has one core."""
    command = [sys.executable, __file__, "--seconds", str(seconds), "--seeds"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {(line, seeds): speed for line, seeds, speed in json.loads(output)}


def main() -> None:
    """Measures, prints and plots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.2, help="of a turn")
    parser.add_argument("--seeds", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    seconds = options.seconds
    if options.seeds:
        start_tensorflow(2)
        print(json.dumps([[*key, speed] for key, speed in measure_seeds(seconds).items()]))
        return
    plt.rcParams["svg.hashsalt"] = "growth"
    figure, axes = plt.subplots(2, 2, figsize=(9, 7), layout="constrained")
    for axis, (across, upward, points) in zip(axes.flat, panels(seconds), strict=True):
        for line in dict.fromkeys(label for label, _ in points):
            places = [place for label, place in points if label == line]
            values = [points[line, place] for place in places]
            axis.plot(places, values, marker="o", markersize=3, label=line)
            shown = "  ".join(f"{p}: {v:.2f}" for p, v in zip(places, values, strict=True))
            print(f"{across} ({upward}), {line}: {shown}", flush=True)
        logarithmic = across != "seeds"
        axis.set(xlabel=across, ylabel=upward, xscale="log" if logarithmic else "linear")
        axis.set_yscale("log" if logarithmic else "linear")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
