"""The part of a script that makes its samples.

It is readable where the same steps, taken in this process, make exactly the arrays of the recipe.
A task or framing that no readable code is known for is embedded as arrays instead. The code itself
is not run here: it contains labels, which may be the cells of any file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm_bench.export._arrays import Arrays, array_code, arrays_from_lists
from lstm_bench.export._embedded import array_expression, is_written_out, packed_expression
from lstm_bench.export._framing_code import FRAMING_CODE, FramingCode, data_stream
from lstm_bench.export._literals import number_literal
from lstm_bench.export._symbols import NotReadableError, Symbols
from lstm_bench.recipes import Recipe, Samples


@dataclass(frozen=True)
class DataCode:
    """The code that makes X, y and, if `weighted`, `weight`, the sample weights."""

    code: str
    weighted: bool
    readable: bool
    """Whether the code also makes `symbols`, `sequences` and `samples` (numbers of symbols)."""
    packed: bool
    """Whether the code calls `unpacked`."""


def data_code(recipe: Recipe, seed: int) -> DataCode:
    """Returns the code for the training samples of `seed`.

    Raises `UserError` where it would be too long for a script.
    """
    arrays = Arrays.from_samples(recipe.samples(seed).part(unseen=False))
    try:
        return _readable(recipe, seed, arrays)
    except NotReadableError:
        # No error for the user: the arrays of any task and framing can be written as they are.
        return _embedded(arrays)


def _readable(recipe: Recipe, seed: int, arrays: Arrays) -> DataCode:
    """Returns code that makes `arrays` from symbols, sequences and lists of samples.

    Raises `NotReadableError` where that is not possible.
    """
    framing = FRAMING_CODE.get(recipe.framing.name)
    if framing is None or recipe.task.kind != "categorical":
        raise NotReadableError(f"{recipe.task.kind} targets, framing {recipe.framing.name}")
    symbols = Symbols.from_problem(recipe.task.labels, recipe.task.problem(seed))
    samples = [
        sample
        for number, sequence in enumerate(symbols.read_sequences())
        for sample in framing.samples(recipe.framing, sequence, data_stream(seed, number))
    ]
    if not arrays_from_lists(recipe, symbols, arrays, samples).same(arrays):
        raise NotReadableError("the code would make other arrays")
    weighted = arrays.weight is not None
    lines = [*symbols.code(), "", *_framing_loop(recipe, framing, symbols, weighted), ""]
    lines += array_code(recipe, symbols, arrays)
    return DataCode("\n".join(lines) + "\n", weighted, readable=True, packed=symbols.packed)


def _framing_loop(
    recipe: Recipe, framing: FramingCode, symbols: Symbols, weighted: bool
) -> Iterator[str]:
    """Yields the lines that frame every sequence."""
    names = symbols.loop_variables
    yield "samples, answers, counted = [], [], []" if weighted else "samples, answers = [], []"
    if framing.numbered:
        bracketed = f"({names})" if "," in names else names
        yield f"for number, {bracketed} in enumerate(sequences):"
    else:
        yield f"for {names} in sequences:"
    if symbols.chained:
        yield "    inputs, targets = sequence[:-1], sequence[1:]"
    for line in framing.code(recipe.framing):
        yield f"    {line}"
        if weighted and "answers.append" in line:
            mask = "counts" if symbols.masked else "[1] * len(targets)"
            yield f"    {line.replace('answers', 'counted').replace('targets', mask)}"


def _embedded(arrays: Arrays) -> DataCode:
    """Returns code that contains `arrays` as they are."""
    weighted = arrays.weight is not None
    named = {"X": arrays.x, "y": arrays.y}
    if arrays.weight is not None:
        named["weight"] = arrays.weight
    shapes = f"# X is [samples, time steps, features]: {arrays.x.shape}; y is {arrays.y.shape}."
    lines = [f"{name} = {array_expression(array)}" for name, array in named.items()]
    packed = not all(map(is_written_out, named.values()))
    return DataCode("\n".join([shapes, *lines]) + "\n", weighted, readable=False, packed=packed)


def recall_code(recipe: Recipe, samples: Samples) -> str:
    """Returns the code that gives steps that need memory the recipe's `recall_weight`, or ""."""
    if recipe.recall_weight is None or samples.recall is None:
        return ""
    every_step = samples.y.ndim == 3
    recall = samples.recall if every_step else samples.recall[:, 0]
    lines = ["# The steps that need memory weigh more in the loss."]
    if samples.scored.all():
        lines += [f'weight = np.ones({recall.shape}, "float32")']
    mask = packed_expression(np.ascontiguousarray(recall))
    lines += [f"weight[{mask}] *= {number_literal(recipe.recall_weight)}"]
    return "\n".join(lines) + "\n"
