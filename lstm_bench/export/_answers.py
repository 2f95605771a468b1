"""The part of a script that asks the trained network."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from lstm_bench.export._arrays import encoded
from lstm_bench.export._data import Data
from lstm_bench.export._embedded import packed
from lstm_bench.export._literals import number
from lstm_bench.export._training import reset, stretches
from lstm_bench.recipes import Recipe, Samples

SHOWN_UP_TO = 30
"""Samples whose answers are printed; all of them count."""


PRINTABLE = "symbols = [s if s.isprintable() else ascii(s) for s in symbols]"
"""The line of a script that lets its symbols be printed."""


def answers(recipe: Recipe, samples: Samples, made: Data, states: Sequence[int]) -> str:
    """Returns the code that leaves the outputs for all samples in `outputs`, and prints answers.

    Asked otherwise than in teacher forcing, a network generates, or is asked in random order.
    """
    clear = [reset(states)] if states else []
    parts = [*_outputs(recipe, clear), "", *_seen(recipe, made), *_printed(recipe, samples, made)]
    if made.readable and recipe.evaluation in OTHERWISE and _one_row(recipe):
        parts += ["", *OTHERWISE[recipe.evaluation](recipe, samples, clear)]
    return "\n".join(parts) + "\n"


def unseen(recipe: Recipe, samples: Samples) -> str:
    """Returns the code that asks for what the network was not trained on.

    A stateful network would have to be asked in batches of its own shape: that is left out.
    """
    if recipe.stateful:
        return ""
    other = samples.part(unseen=True)
    named = {"new_X": other.x, "new_y": other.y, "judged": other.scored}
    lines = ["# ---- Samples that it was not trained on, and which of their answers are judged", ""]
    lines += [f"{name} = {packed(np.ascontiguousarray(array))}" for name, array in named.items()]
    lines += ["new_outputs = model.predict(new_X, batch_size=len(new_X), verbose=0)"]
    if recipe.task.kind == "categorical":
        right = "new_outputs.argmax(axis=-1) == new_y.argmax(axis=-1)"
    elif recipe.task.kind == "binary":
        right = "((new_outputs >= 0.5) == (new_y >= 0.5)).all(axis=-1)"
    else:
        right = f"(abs(new_outputs - new_y) <= {number(recipe.task.tolerance)}).all(axis=-1)"
    lines += [f"right = {right}"]
    share = "right.reshape(judged.shape)[judged].mean()"
    lines += [f'print(f"{{{share}:.2%}} of the new answers are right")']
    return "\n".join(lines) + "\n"


def _one_row(recipe: Recipe) -> bool:
    """Returns whether the model takes a single sample: a stateful one has a fixed batch."""
    return not recipe.stateful or recipe.schedule.batch_size == 1


def _outputs(recipe: Recipe, clear: list[str]) -> list[str]:
    if not recipe.stateful:
        return ["outputs = model.predict(X, batch_size=len(X), verbose=0)"]
    predict = f"model.predict(X[order], batch_size={recipe.schedule.batch_size}, verbose=0)"
    several, order = stretches(recipe.schedule, shuffled=False)
    lines = ["outputs = np.zeros_like(y)"]
    if several:
        parts = "parts" if recipe.shuffle == "none" else order  # the same as in training
        body = [*clear, f"outputs[order] = {predict}"]
        return [*lines, f"for order in {parts}:", *(f"    {line}" for line in body)]
    if order == "np.arange(len(X))":
        return [*clear, f"outputs = {predict.replace('X[order]', 'X')}"]
    again = [f"order = {order}"] if recipe.shuffle != "none" else []  # else as in training
    return [*lines, *clear, *again, f"outputs[order] = {predict}"]


def _seen(recipe: Recipe, made: Data) -> list[str]:
    """Returns the line that makes symbols printable, where some are not: none controls a terminal.

    From here on they are only printed.
    """
    if not made.readable or all(label.isprintable() for label in recipe.task.labels):
        return []
    return [PRINTABLE]


def _printed(recipe: Recipe, samples: Samples, made: Data) -> list[str]:
    numbers = f"range({len(samples)})"
    if len(samples) > SHOWN_UP_TO:
        numbers = f"range({SHOWN_UP_TO})"
    if recipe.task.kind != "categorical":
        return [
            f"for n in {numbers}:",
            '    print(f"sample {n}: wanted {y[n].tolist()}, answered {outputs[n].tolist()}")',
        ]
    lines = ["predicted, wanted = outputs.argmax(axis=-1), y.argmax(axis=-1)"]
    if not made.readable:
        lines += [f"for n in {numbers}:"]
        lines += ['    print(f"sample {n}: wanted {wanted[n]}, answered {predicted[n]}")']
    else:
        told = '" ".join(symbols[number] for number in {})'
        answer = told.format("predicted[n][: len(samples[n])]")
        answer = answer if samples.y.ndim == 3 else "symbols[predicted[n]]"
        lines += [f"for n in {numbers}:", f"    shown = {told.format('samples[n]')}"]
        lines += [f'    print(shown, "->", {answer})']
    right = "predicted == wanted" + ("" if not made.weighted else ")[weight > 0")
    right = f"({right}]" if made.weighted else f"({right})"
    return [*lines, f'print(f"{{{right}.mean():.2%}} of the answers are right")']


def _query(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that define `answer(past)`."""
    shape = samples.x.shape[1:]
    window = getattr(recipe.framing, "window", shape[0])
    lines = ["def answer(past):", '    """Returns the number of the symbol that follows `past`."""']
    if samples.y.ndim == 3:
        body = [f'x = np.zeros((1, {shape[0]}, {shape[1]}), "float32")']
        body += [f"x[0, : len(past)] = {encoded(recipe, 'past')}"]
        body += clear
        at = "[0, len(past) - 1]"
    elif window == 1:
        body, at = [f"x = np.array([{encoded(recipe, 'past[-1:]')}])"], "[0]"
    else:
        features = shape[0] * shape[1] // window
        body = [f"last = past[-{window}:]", f'x = np.zeros((1, {window}, {features}), "float32")']
        body += [f"x[0, -len(last) :] = {encoded(recipe, 'last')}"]
        body += [f"x = x.reshape(1, {shape[0]}, {shape[1]})"] * (shape[0] != window)
        at = "[0]"
    body += [f"return int(model.predict(x, verbose=0){at}.argmax())"]
    return [*lines, *(f"    {line}" for line in body), "", ""]


def _generated(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that print each sequence as generated from its first symbol."""
    problem = recipe.task.problem(0)
    firsts = [(int(s.inputs[0]), len(s)) for s in problem.train]
    return [
        *_query(recipe, samples, clear),
        "# Fed its first symbol alone, then its own answers.",
        f"for first, steps in {firsts}:",
        *_loop(clear, "first", "steps"),
    ]


def _from_cold(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that print what follows a symbol further on, from a clear state."""
    start = None if recipe.start is None else recipe.task.labels.index(recipe.start)
    train = recipe.task.problem(0).train
    for sequence in train:
        shown = sequence.inputs.tolist()
        if start is None or start in shown:
            place = len(shown) // 2 if start is None else shown.index(start)
            break
    loop = _loop(clear, str(shown[place]), str(len(shown) - place))
    return [
        *_query(recipe, samples, clear),
        "# Started further on, with a clear state, and fed its own answers.",
        *textwrap.dedent("\n".join(loop)).splitlines(),
    ]


def _loop(clear: list[str], first: str, steps: str) -> list[str]:
    return [
        *(f"    {line}" for line in clear),
        f"    past = [{first}]",
        f"    for _ in range({steps}):",
        "        past.append(answer(past))",
        '    print(" ".join(symbols[number] for number in past))',
    ]


def _in_random_order(recipe: Recipe, samples: Samples, clear: list[str]) -> list[str]:
    """Returns the lines that print the answers to samples drawn at random."""
    at = "[0, -1]" if samples.y.ndim == 3 else "[0]"
    return [
        "# Asked in random order, with no reset between.",
        *clear,
        "for n in stream(5).integers(0, len(X), 20):  # 5: queries",
        f"    number = int(model.predict(X[[n]], verbose=0){at}.argmax())",
        '    print(" ".join(symbols[k] for k in samples[n]), "->", symbols[number])',
    ]


OTHERWISE = {
    "free_running": _generated,
    "cold_start": _from_cold,
    "random_order": _in_random_order,
}
"""What is printed beside the answers of teacher forcing, by the recipe's evaluation."""
