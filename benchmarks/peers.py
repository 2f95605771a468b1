"""Times a training step against JAX, PyTorch and Keras, one core each, in turns.

Run it in an environment of its own, because users need neither JAX nor PyTorch:

    python3 -m uv venv .peers
    python3 -m uv pip install --python .peers --group peers -e .
    .peers/bin/python benchmarks/peers.py

JAX is a whole run written by hand in one `jit`; PyTorch is its own LSTM with the fused Adam; Keras
is `fit`. All train the same network on the same samples in the same order. No evaluation is timed.
Each contender runs in a process of its own on one core, and they take turns, so that a moment of
other load does not slow down only one of them. The medians go into docs/why/speed.md, in the marked
table. `--rows` chooses rows by a part of their name, `--seconds` is the length of a turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_bench.recipes import Recipe, recipe

ROUNDS = 5
MAX_EPOCHS = 900_000
"""Epochs of a turn; a recipe has at most a million."""
CONTENDERS = ("ours", "jax", "torch", "keras")
PAGE = Path(__file__).parents[1] / "docs" / "why" / "speed.md"
BEGIN, END = "<!-- peers: made by benchmarks/peers.py -->\n", "<!-- end of peers -->"

Timer = Callable[[float], float]
"""Trains for about so many seconds and returns the seconds of one training step."""


def rows() -> dict[str, Recipe]:
    """Returns the recipe of each row, by its name in the table."""
    whole = {"framing": "whole", "stateful": False}
    last = {"framing": "prefixes", "stateful": False}
    stateful = {"stateful": True, "shuffle": "none"}
    return {
        "1000 steps, 20 units, 2 rows, an output at every step": recipe(
            "memory", lag=1000, units=20, batch_size=2, **whole
        ),
        "100 steps, 32 units, 50 rows": recipe("memory", lag=100, units=32, batch_size=50, **last),
        "24 steps, 64 units, 16 rows": recipe("memory", lag=24, units=64, batch_size=16, **last),
        "50 steps, 128 units, 50 rows": recipe("memory", lag=50, units=128, batch_size=50, **last),
        "100 steps, 256 units, 50 rows": recipe(
            "memory", lag=100, units=256, batch_size=50, **last
        ),
        "B1: one step, 32 units": recipe("alphabet"),
        "B5: one step, 50 units, stateful": recipe("alphabet", units=50, **stateful),
        "B3: 3 steps, 32 units": recipe("alphabet", framing="window"),
    }


def ours(chosen: Recipe) -> Timer:
    """Times the compiled engine of this package."""
    from lstm_bench.training import get_engine, start_tensorflow

    start_tensorflow(1)
    engine = get_engine("compiled")

    def seconds(epochs: int) -> float:
        changes = {"epochs": epochs, "evaluate_every": 1_000_000}
        (run,) = engine.train(recipe(**{**chosen.settings, **changes}), [0]).runs
        return run.seconds

    def train(epochs: int) -> float:
        # Less what a run does once: it draws the weights and evaluates the last epoch.
        return max(seconds(1 + epochs) - seconds(1), 1e-9)

    return _timer(train, chosen.schedule.batches)


def keras(chosen: Recipe) -> Timer:
    """Times `fit` of plain Keras, one call an epoch."""
    from lstm_bench.seeds import stream
    from lstm_bench.training import fit_epoch, prepared_model, start_tensorflow

    start_tensorflow(1)
    samples, rng = chosen.samples(0), stream(0, "shuffle")
    model = prepared_model(chosen, samples, 0)

    def train(epochs: int) -> float:
        start = time.perf_counter()
        for _ in range(epochs):
            fit_epoch(chosen, model, samples, rng)
        return time.perf_counter() - start

    return _timer(train, chosen.schedule.batches)


def jax(chosen: Recipe) -> Timer:
    """Times a run written by hand: `scan` over time, `grad`, Adam, all epochs in one `jit`."""
    import jax
    import jax.numpy as jnp

    x, y, index = _data(chosen)
    units, every_step = chosen.units, chosen.framing.every_step
    draw = np.random.default_rng(0).normal
    shapes = [(x.shape[2], 4 * units), (units, 4 * units), (4 * units,)]
    shapes += [(units, y.shape[-1]), (y.shape[-1],)]
    weights = [jnp.asarray(draw(scale=0.1, size=shape), jnp.float32) for shape in shapes]

    def forward(weights: Any, state: Any, x: Any) -> Any:
        kernel, recurrent, bias, dense, dense_bias = weights

        def step(state: Any, inputs: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(inputs + h @ recurrent, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        inputs = jnp.swapaxes(x, 0, 1) @ kernel + bias
        if inputs.shape[0] == 1:
            state, _ = step(state, inputs[0])
            hidden = state[0]
        else:
            state, all_h = jax.lax.scan(step, state, inputs)
            hidden = jnp.swapaxes(all_h, 0, 1) if every_step else state[0]
        return hidden @ dense + dense_bias, state

    def loss(weights: Any, state: Any, x: Any, y: Any) -> Any:
        logits, state = forward(weights, state, x)
        return -(jax.nn.log_softmax(logits) * y).sum(-1).mean(), state

    def batch(number: Any, carried: Any) -> Any:
        weights, first, second, step, state = carried
        chosen_rows = index_array[number % len(index)]
        (_, state), gradient = jax.value_and_grad(loss, has_aux=True)(
            weights, state, x_array[chosen_rows], y_array[chosen_rows]
        )
        step = step + 1
        rate = 0.001 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        first = [m + (g - m) * 0.1 for m, g in zip(first, gradient, strict=True)]
        second = [v + (g * g - v) * 0.001 for v, g in zip(second, gradient, strict=True)]
        weights = [
            w - m * rate / (jnp.sqrt(v) + 1e-7)
            for w, m, v in zip(weights, first, second, strict=True)
        ]
        ends = (number + 1) % len(index) == 0 if chosen.stateful else True
        state = jax.tree.map(lambda s: jnp.where(ends, 0.0, s), state)
        return weights, first, second, step, state

    x_array, y_array, index_array = map(jnp.asarray, (x, y, index))
    run = jax.jit(lambda count, carried: jax.lax.fori_loop(0, count, batch, carried))
    zeros = [jnp.zeros_like(w) for w in weights]
    state = tuple(jnp.zeros((index.shape[1], units)) for _ in range(2))
    carried = (weights, zeros, zeros, jnp.float32(0), state)

    def train(epochs: int) -> float:
        start = time.perf_counter()
        jax.block_until_ready(run(epochs * len(index), carried))
        return time.perf_counter() - start

    return _timer(train, len(index))


def torch(chosen: Recipe) -> Timer:
    """Times PyTorch's own LSTM with its fused Adam."""
    import torch

    torch.set_num_threads(1)
    x, y, index = _data(chosen)
    every_step = chosen.framing.every_step
    layer = torch.nn.LSTM(x.shape[2], chosen.units, batch_first=True)
    head = torch.nn.Linear(chosen.units, y.shape[-1])
    parameters = [*layer.parameters(), *head.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.001, eps=1e-7, fused=True)
    batches = [(torch.tensor(x[i]), torch.tensor(y[i].argmax(-1))) for i in index]

    def train(epochs: int) -> float:
        start = time.perf_counter()
        for _ in range(epochs):
            state = None
            for inputs, target in batches:
                hidden, after = layer(inputs, state)
                logits = head(hidden if every_step else hidden[:, -1])
                cost = torch.nn.functional.cross_entropy(logits.flatten(0, -2), target.flatten())
                adam.zero_grad(set_to_none=True)
                cost.backward()
                adam.step()
                state = tuple(s.detach() for s in after) if chosen.stateful else None
        return time.perf_counter() - start

    return _timer(train, len(batches))


def _data(chosen: Recipe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns x (N, T, F), y (N, K) or (N, T, K), and the full batches of an epoch (batches, B)."""
    samples = chosen.samples(0)
    (index,), _ = chosen.schedule.epochs(np.random.default_rng(0), 1)
    return samples.x, samples.y, index[(index >= 0).all(axis=1)]


def _timer(train: Callable[[int], float], batches: int) -> Timer:
    """Returns the timer of `train(epochs)`, which returns seconds; the first call compiles."""
    train(1)

    def timer(seconds: float) -> float:
        epochs = 1
        while (taken := train(epochs)) < seconds / 2 and epochs < MAX_EPOCHS:
            # At most ten times as many: a time of a few epochs may be too short by chance.
            epochs *= min(10, max(2, int(seconds / taken)))
            epochs = min(epochs, MAX_EPOCHS)
        return taken / (epochs * batches)

    return timer


def serve(contender: str) -> None:
    """Answers each line of the input, the name of a row and seconds, with seconds a step."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    timers: dict[str, Timer] = {}
    sys.stdout, answers = sys.stderr, sys.stdout  # what libraries print is no answer
    for line in sys.stdin:
        name, seconds = json.loads(line)
        if name not in timers:
            timers.clear()  # one row at a time in memory
            timers[name] = globals()[contender](rows()[name])
        print(json.dumps(timers[name](seconds)), file=answers, flush=True)


def measure(names: list[str], seconds: float) -> dict[str, dict[str, float]]:
    """Returns the median microseconds of a training step, by row and contender."""
    script = [sys.executable, __file__, "--serve"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pipes["stderr"] = subprocess.DEVNULL
    processes = {name: subprocess.Popen([*script, name], **pipes) for name in CONTENDERS}
    table: dict[str, dict[str, float]] = {}
    for row in names:
        times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(ROUNDS):
            for name, process in processes.items():
                process.stdin.write(json.dumps([row, seconds]) + "\n")
                process.stdin.flush()
                times[name].append(json.loads(process.stdout.readline()))
        table[row] = {name: statistics.median(values) * 1e6 for name, values in times.items()}
        print(row, {name: round(value, 1) for name, value in table[row].items()}, flush=True)
    for process in processes.values():
        process.stdin.close()
        process.wait()
    return table


def markdown(table: dict[str, dict[str, float]]) -> str:
    """Returns the table, with the ratio to the faster of JAX and PyTorch."""
    lines = ["| microseconds a training step | lstm-bench | JAX | PyTorch | Keras | ratio |"]
    lines.append("|---|---|---|---|---|---|")
    for row, times in table.items():
        ratio = times["ours"] / min(times["jax"], times["torch"])
        cells = [
            f"{times[name]:,.0f}" if times[name] >= 100 else f"{times[name]:.1f}"
            for name in CONTENDERS
        ]
        lines.append(f"| {row} | {' | '.join(cells)} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures the chosen rows; all of them are written into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="a part of the names of the rows")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn")
    parser.add_argument("--serve", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    names = [name for name in rows() if options.rows in name]
    text = markdown(measure(names, options.seconds))
    print(text)
    if len(names) == len(rows()):
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
