"""The part of a script that prints the predictions of the trained network."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from lstm_bench.export._arrays import encoding_expression
from lstm_bench.export._data import DataCode
from lstm_bench.export._embedded import packed_expression
from lstm_bench.export._training import order_expression, reset_call, right_expression
from lstm_bench.recipes import Recipe, Samples

MAX_PRINTED = 30
"""Samples whose predictions are printed; the accuracy is that of all of them."""


PRINTABLE = "symbols = [s if s.isprintable() else ascii(s) for s in symbols]"
"""The line of a script that escapes the symbols that cannot be printed."""


def prediction_code(recipe: Recipe, samples: Samples, data: DataCode, states: Sequence[int]) -> str:
    """Returns the code that leaves the outputs for all samples in `outputs`, and prints them.

    Where the recipe's evaluation is not teacher forcing, the code also generates sequences, or
    predicts in random order. `states` are the indices of the stateful layers.
    """
    clear = [reset_call(states)] if states else []
    parts = [*_outputs(recipe, clear), "", *_printable(recipe, data)]
    parts += _printed(recipe, samples, data)
    if data.readable and recipe.evaluation in EVALUATION_CODE and _takes_one_sample(recipe):
        parts += ["", *EVALUATION_CODE[recipe.evaluation](recipe, samples, clear)]
    return "\n".join(parts) + "\n"


def unseen_code(recipe: Recipe, samples: Samples) -> str:
    """Returns the code that predicts the unseen samples, and prints how many are right.

    Empty for a stateful network: it only takes batches of its own fixed shape.
    """
    if recipe.stateful:
        return ""
    unseen = samples.part(unseen=True)
    named = {"new_X": unseen.x, "new_y": unseen.y, "judged": unseen.scored}
    lines = ["# ---- Unseen samples, and which of their targets are scored", ""]
    lines += [
        f"{name} = {packed_expression(np.ascontiguousarray(array))}"
        for name, array in named.items()
    ]
    lines += ["new_outputs = model.predict(new_X, batch_size=len(new_X), verbose=0)"]
    lines += [f"right = {right_expression(recipe, 'new_outputs', 'new_y')}"]
    share = "right.reshape(judged.shape)[judged].mean()"
    lines += [f'print(f"{{{share}:.2%}} of the new answers are right")']
    return "\n".join(lines) + "\n"


def _takes_one_sample(recipe: Recipe) -> bool:
    """Returns whether the model takes a single sample: a stateful one has a fixed batch size."""
    return not recipe.stateful or recipe.schedule.batch_size == 1


def _outputs(recipe: Recipe, clear: list[str]) -> list[str]:
    """Returns the lines that compute `outputs`, in the batches that the network was trained in."""
    if not recipe.stateful:
        return ["outputs = model.predict(X, batch_size=len(X), verbose=0)"]
    predict = f"model.predict(X[order], batch_size={recipe.schedule.batch_size}, verbose=0)"
    several, order = order_expression(recipe.schedule, shuffled=False)
    lines = ["outputs = np.zeros_like(y)"]
    if several:
        parts = "parts" if recipe.shuffle == "none" else order  # `parts` is defined for training
        body = [*clear, f"outputs[order] = {predict}"]
        return [*lines, f"for order in {parts}:", *(f"    {line}" for line in body)]
    if order == "np.arange(len(X))":
        return [*clear, f"outputs = {predict.replace('X[order]', 'X')}"]
    # Without shuffling, `order` is still that of the training.
    definition = [f"order = {order}"] if recipe.shuffle != "none" else []
    return [*lines, *clear, *definition, f"outputs[order] = {predict}"]


def _printable(recipe: Recipe, data: DataCode) -> list[str]:
    """Returns the line that escapes unprintable symbols, if there are any.

    Printed as they are, they could control the terminal. From here on symbols are only printed.
    """
    if not data.readable or all(label.isprintable() for label in recipe.task.labels):
        return []
    return [PRINTABLE]


def _printed(recipe: Recipe, samples: Samples, data: DataCode) -> list[str]:
    """Returns the lines that print the predictions and, for symbols, the accuracy."""
    numbers = f"range({min(len(samples), MAX_PRINTED)})"
    if recipe.task.kind != "categorical":
        heading = []
        if recipe.task.kind == "regression" and recipe.task.has_baselines:  # values of a file
            numbers = f"range({min(samples.train_count, MAX_PRINTED)})"
            what = "samples that it was trained on, in the scaled values that the network has"
            heading = [f'print("{what}:")']
        return [
            *heading,
            f"for n in {numbers}:",
            '    print(f"sample {n}: wanted {y[n].tolist()}, answered {outputs[n].tolist()}")',
        ]
    lines = ["predicted, wanted = outputs.argmax(axis=-1), y.argmax(axis=-1)"]
    if not data.readable:
        lines += [f"for n in {numbers}:"]
        lines += ['    print(f"sample {n}: wanted {wanted[n]}, answered {predicted[n]}")']
    else:
        joined = '" ".join(symbols[number] for number in {})'
        several = joined.format("predicted[n][: len(samples[n])]")
        predicted = several if samples.y.ndim == 3 else "symbols[predicted[n]]"
        lines += [f"for n in {numbers}:", f"    shown = {joined.format('samples[n]')}"]
        lines += [f'    print(shown, "->", {predicted})']
    right = "(predicted == wanted)" + "[weight > 0]" * data.weighted
    return [*lines, f'print(f"{{{right}.mean():.2%}} of the answers are right")']


def _next_symbol(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that define `answer(past)`, which predicts the next symbol."""
    shape = samples.x.shape[1:]
    window = getattr(recipe.framing, "window", shape[0])
    lines = ["def answer(past):", '    """Returns the number of the symbol that follows `past`."""']
    if samples.y.ndim == 3:
        body = [f'x = np.zeros((1, {shape[0]}, {shape[1]}), "float32")']
        body += [f"x[0, : len(past)] = {encoding_expression(recipe, 'past')}"]
        body += clear
        index = "[0, len(past) - 1]"
    elif window == 1:
        body, index = [f"x = np.array([{encoding_expression(recipe, 'past[-1:]')}])"], "[0]"
    else:
        features = shape[0] * shape[1] // window
        body = [f"last = past[-{window}:]", f'x = np.zeros((1, {window}, {features}), "float32")']
        body += [f"x[0, -len(last) :] = {encoding_expression(recipe, 'last')}"]
        body += [f"x = x.reshape(1, {shape[0]}, {shape[1]})"] * (shape[0] != window)
        index = "[0]"
    body += [f"return int(model.predict(x, verbose=0){index}.argmax())"]
    return [*lines, *(f"    {line}" for line in body), "", ""]


def _free_running(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that print each sequence as generated from its first symbol."""
    problem = recipe.task.problem(0)
    firsts = [(int(s.inputs[0]), len(s)) for s in problem.train]
    return [
        *_next_symbol(recipe, samples, clear),
        "# Free-running: the first symbol, then the predictions as inputs.",
        f"for first, steps in {firsts}:",
        *_generation(clear, "first", "steps"),
    ]


def _cold_start(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that generate from a symbol in mid-sequence, with a clear state.

    That is the recipe's `start` where it is set, else the symbol in the middle.
    """
    start = None if recipe.start is None else recipe.task.labels.index(recipe.start)
    train = recipe.task.problem(0).train
    for sequence in train:
        inputs = sequence.inputs.tolist()
        if start is None or start in inputs:
            step = len(inputs) // 2 if start is None else inputs.index(start)
            break
    loop = _generation(clear, str(inputs[step]), str(len(inputs) - step))
    return [
        *_next_symbol(recipe, samples, clear),
        "# Cold start: a later symbol after a reset, then the predictions as inputs.",
        *textwrap.dedent("\n".join(loop)).splitlines(),
    ]


def _generation(clear: list[str], first: str, steps: str) -> list[str]:
    """Returns the lines, indented, that generate `steps` symbols after `first`, and print them."""
    return [
        *(f"    {line}" for line in clear),
        f"    past = [{first}]",
        f"    for _ in range({steps}):",
        "        past.append(answer(past))",
        '    print(" ".join(symbols[number] for number in past))',
    ]


def _random_order(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that print the predictions for samples drawn at random."""
    index = "[0, -1]" if samples.y.ndim == 3 else "[0]"
    return [
        "# Samples in random order, without a reset in between.",
        *clear,
        "for n in stream(5).integers(0, len(X), 20):  # 5: queries",
        f"    number = int(model.predict(X[[n]], verbose=0){index}.argmax())",
        '    print(" ".join(symbols[k] for k in samples[n]), "->", symbols[number])',
    ]


EVALUATION_CODE = {
    "free_running": _free_running,
    "cold_start": _cold_start,
    "random_order": _random_order,
}
"""What a script prints besides the predictions of teacher forcing, by the recipe's evaluation."""
