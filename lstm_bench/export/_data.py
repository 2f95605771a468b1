"""The part of a script that makes its samples.

It is readable where the same steps, taken in this process, make the very arrays of the recipe; a
task or framing that there are no words for is embedded as arrays instead. The code itself is not
run: it holds labels, which may be the cells of any file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lstm_bench.export._arrays import answer_weights, array_code, arrays
from lstm_bench.export._embedded import embedded, written_out
from lstm_bench.export._framed import FRAMED
from lstm_bench.export._symbols import Symbols
from lstm_bench.recipes import Recipe, Samples


@dataclass(frozen=True)
class Data:
    """The code that makes X, y and, where `weighted`, `weight`, the weight of each answer."""

    code: str
    weighted: bool
    readable: bool
    """Whether `symbols`, `sequences` and `samples` (numbers of symbols) are there too."""
    packed: bool
    """Whether the code calls `unpacked`."""


def data(recipe: Recipe, seed: int) -> Data:
    """Returns the code for the samples of `seed`.

    Raises `UserError` where it would be too long for a script.
    """
    wanted = recipe.samples(seed).part(unseen=False)
    symbols = _symbols(recipe, seed)
    if symbols is not None and _makes(recipe, seed, symbols, wanted):
        return _readable(recipe, symbols, wanted)
    return _embedded(wanted)


def _weighted(wanted: Samples) -> bool:
    return not wanted.scored.all()


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Returns whether two arrays are the same to the last bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# ---- In the open


def _symbols(recipe: Recipe, seed: int) -> Symbols | None:
    """Returns the sequences of a problem of symbols, None where there are no words for it."""
    if recipe.task.kind != "categorical" or recipe.framing.name not in FRAMED:
        return None
    symbols = Symbols.of(recipe.task.labels, recipe.task.problem(seed))
    return symbols if symbols is not None and symbols.writable else None


def _makes(recipe: Recipe, seed: int, symbols: Symbols, wanted: Samples) -> bool:
    """Returns whether the code of `_readable` makes the arrays of `wanted`."""
    framing, framed = recipe.framing, FRAMED[recipe.framing.name]
    made = [
        each
        for number, (shown, asked, counts) in enumerate(symbols.numbers())
        for each in framed.made(framing, seed, number, shown, asked, counts)
    ]
    try:
        x, y, weight = arrays(recipe, symbols.lengths, wanted, made)
    except ValueError:  # lists of unequal lengths are no array
        return False
    same = _same(x, wanted.x) and _same(y, wanted.y)
    return same and (not _weighted(wanted) or _same(weight, answer_weights(wanted)))


def _readable(recipe: Recipe, symbols: Symbols, wanted: Samples) -> Data:
    weighted = _weighted(wanted)
    lines = [*symbols.code(), "", *_loop(recipe, symbols, weighted), ""]
    lines += array_code(recipe, symbols.lengths, wanted, weighted)
    return Data("\n".join(lines) + "\n", weighted, readable=True, packed=symbols.packed)


def _loop(recipe: Recipe, symbols: Symbols, weighted: bool) -> Iterator[str]:
    """Yields the lines that frame each sequence."""
    framed, names = FRAMED[recipe.framing.name], symbols.names
    yield "samples, answers, counted = [], [], []" if weighted else "samples, answers = [], []"
    if framed.numbered:
        bracketed = f"({names})" if "," in names else names
        yield f"for number, {bracketed} in enumerate(sequences):"
    else:
        yield f"for {names} in sequences:"
    if symbols.chained:
        yield "    shown, asked = sequence[:-1], sequence[1:]"
    for line in framed.code(recipe.framing):
        yield f"    {line}"
        if weighted and "answers.append" in line:
            mask = "counts" if symbols.masked else "[1] * len(asked)"
            yield f"    {line.replace('answers', 'counted').replace('asked', mask)}"


# ---- As arrays


def _embedded(wanted: Samples) -> Data:
    weighted = _weighted(wanted)
    named = {"X": wanted.x, "y": wanted.y}
    if weighted:
        named["weight"] = answer_weights(wanted)
    shapes = f"# X is [samples, time steps, features]: {wanted.x.shape}; y is {wanted.y.shape}."
    code = "\n".join([shapes, *(f"{name} = {embedded(array)}" for name, array in named.items())])
    packed = not all(map(written_out, named.values()))
    return Data(code + "\n", weighted, readable=False, packed=packed)
