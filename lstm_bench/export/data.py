"""The part of a script that makes its samples.

What is written is run before it is used, and kept only where it makes the very arrays of the
recipe; a task or framing that this module has no words for is embedded as arrays instead.
"""

from __future__ import annotations

import base64
import itertools
import pprint
import textwrap
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import UserError
from lstm_bench.framings import Samples
from lstm_bench.recipe import Recipe

LITERAL_UP_TO = 600
"""Numbers that are written out; more are packed."""
EMBEDDED_UP_TO = 2_000_000
"""Characters of packed data that still make a script somebody may want."""

STREAM = '''\
def stream(role, *path):
    """Returns random numbers that depend on nothing but the seed and what they are for."""
    key = np.random.SeedSequence(SEED, spawn_key=(role, *path))
    return np.random.Generator(np.random.Philox(key))
'''

UNPACKED = '''\
def unpacked(text, dtype, shape):
    """Returns the array that `text` holds: its bytes, compressed, in base64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)
'''


@dataclass(frozen=True)
class Data:
    """The code that makes X, y and, where `weighted`, `weight`, the weight of each answer."""

    code: str
    weighted: bool
    readable: bool
    """Whether `symbols`, `sequences` and `samples` (numbers of symbols) are there too."""

    @property
    def packed(self) -> bool:
        """Whether the code calls `unpacked`."""
        return "unpacked(" in self.code


def data(recipe: Recipe, seed: int) -> Data:
    """Returns the code for the samples of `seed`.

    Raises `UserError` where it would be too long for a script.
    """
    wanted = recipe.samples(seed).part(unseen=False)
    weighted = not wanted.scored.all()
    try:
        code = _written(recipe, seed, wanted, weighted)
        if code is not None and _makes(code, seed, wanted, weighted):
            return Data(code, weighted, readable=True)
    except (TypeError, ValueError, IndexError, AttributeError):
        pass  # a kind of sequence that there are no words for
    return Data(_embedded(wanted, weighted), weighted, readable=False)


def _makes(code: str, seed: int, wanted: Samples, weighted: bool) -> bool:
    """Returns whether `code` makes the arrays `wanted`, to the last bit."""
    made: dict[str, Any] = {"np": np, "zlib": zlib, "base64": base64, "SEED": seed}
    exec(STREAM + UNPACKED + code, made)
    pairs = [(made["X"], wanted.x), (made["y"], wanted.y)]
    if weighted:
        pairs.append((made["weight"], answer_weights(wanted)))
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)


def answer_weights(samples: Samples) -> NDArray[np.float32]:
    """Returns Keras's sample weights: (N, T) with an output at every step, else (N,)."""
    weight = samples.scored.astype(np.float32)
    return weight if samples.y.ndim == 3 else weight[:, 0]


# ---- Arrays as they are


def packed(array: NDArray[Any]) -> str:
    """Returns an expression that is `array`, for a script that has `unpacked`."""
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()
    if len(text) > EMBEDDED_UP_TO:
        raise UserError(
            f"export: the data take {len(text):,} characters, but a script holds at most "
            f"{EMBEDDED_UP_TO:,}; make the problem smaller, e.g. with fewer or shorter sequences"
        )
    lines = "\n".join(textwrap.wrap(text, 96))
    return f'unpacked(\n    """\n{lines}\n""",\n    "{array.dtype}",\n    {array.shape},\n)'


def _embedded(samples: Samples, weighted: bool) -> str:
    named = {"X": samples.x, "y": samples.y}
    if weighted:
        named["weight"] = answer_weights(samples)
    shapes = f"# X is [samples, time steps, features]: {samples.x.shape}; y is {samples.y.shape}."
    return "\n".join([shapes, *(f"{name} = {_array(a)}" for name, a in named.items())]) + "\n"


def _array(array: NDArray[np.float32]) -> str:
    if array.size > LITERAL_UP_TO:
        return packed(np.ascontiguousarray(array))
    values = [float(str(value)) for value in array.ravel()]  # the shortest that is the same float32
    if all(value == int(value) for value in values):
        values = [int(value) for value in values]
    return f"np.array(\n{_indented(_literal(values))},\n    np.float32,\n).reshape({array.shape})"


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=92, compact=True)


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")


# ---- Symbols and sequences


def _written(recipe: Recipe, seed: int, wanted: Samples, weighted: bool) -> str | None:
    """Returns readable code for a problem of symbols, None where there are no words for it."""
    if recipe.task.kind != "categorical" or recipe.framing.name not in FRAMED:
        return None
    train = recipe.task.problem(seed).train
    parts = [[s.inputs.tolist(), s.targets.tolist()] for s in train]
    if not all(isinstance(n, int) for part in parts for row in part for n in row):
        return None
    masks = [s.scored.astype(int).tolist() for s in train]
    masked = not all(all(mask) for mask in masks)
    if masked:
        parts = [[*part, mask] for part, mask in zip(parts, masks, strict=True)]
    chain = not masked and all(shown[1:] == asked[:-1] for shown, asked in parts)
    told = [shown + asked[-1:] for shown, asked in parts] if chain else parts
    lines = list(_sequences(recipe.task.labels, told, chain, masked))
    lines += ["", "samples, answers = [], []"]
    if weighted:
        lines[-1] = "samples, answers, counted = [], [], []"
    names = "sequence" if chain else "shown, asked, counts" if masked else "shown, asked"
    numbered = recipe.framing.name == "substrings"
    lines.append(
        f"for number, {f'({names})' if ',' in names else names} in enumerate(sequences):"
        if numbered
        else f"for {names} in sequences:"
    )
    if chain:
        lines.append("    shown, asked = sequence[:-1], sequence[1:]")
    for line in FRAMED[recipe.framing.name](recipe):
        lines.append(f"    {line}")
        if weighted and "answers.append" in line:
            mask = "counts" if masked else "[1] * len(asked)"
            line = line.replace("answers", "counted").replace("asked", mask)
            lines.append(f"    {line}")
    lines += ["", *_arrays(recipe, [len(s) for s in train], wanted, weighted)]
    return "\n".join(lines) + "\n"


def _sequences(labels: Sequence[str], told: list[Any], chain: bool, masked: bool) -> Iterator[str]:
    """Yields the lines that define `symbols` and `sequences`."""
    single = all(len(label) == 1 for label in labels)
    if single:
        yield f"symbols = {''.join(labels)!r}".replace("'", '"')
    elif tuple(labels) == tuple(map(str, range(len(labels)))):
        yield f"symbols = [str(number) for number in range({len(labels)})]"
    else:
        yield f"symbols = {_literal(list(labels))}"
    flat = list(itertools.chain.from_iterable(told if chain else itertools.chain(*told)))
    if single and not masked and len(flat) <= LITERAL_UP_TO:
        yield "char_to_int = {char: number for number, char in enumerate(symbols)}"

        def text(numbers: list[int]) -> str:
            return '"' + "".join(labels[n] for n in numbers) + '"'

        if chain:
            yield from _listed("texts", [text(numbers) for numbers in told])
            yield "sequences = [[char_to_int[char] for char in text] for text in texts]"
        else:
            pairs = [f"({text(shown)}, {text(asked)})" for shown, asked in told]
            yield "# What is shown, and what is asked for."
            yield from _listed("texts", pairs)
            numbers = "[char_to_int[char] for char in text]"
            yield f"sequences = [[{numbers} for text in pair] for pair in texts]"
        return
    parts = "" if chain else ": what is shown, what is asked for" + ", what counts" * masked
    yield f"# Each sequence as the numbers of its symbols{parts}."
    if len(flat) <= LITERAL_UP_TO:
        yield from _listed("sequences", [_literal(numbers) for numbers in told])
    else:
        # Raises ValueError where lengths differ: such data are embedded as arrays instead.
        array = np.array(told, np.min_scalar_type(len(labels)))
        yield f"sequences = {packed(array)}.tolist()"


def _listed(name: str, items: list[str]) -> Iterator[str]:
    line = f"{name} = [{', '.join(items)}]"
    if len(line) <= 92 and "\n" not in line:
        yield line
        return
    yield f"{name} = ["
    yield from (_indented(item) + "," for item in items)
    yield "]"


# ---- Framings: lines in a loop that has `shown`, `asked` and, for random ones, `number`


def _pairs(recipe: Recipe) -> list[str]:
    return [
        "for step in range(len(shown)):",
        "    samples.append([shown[step]])",
        "    answers.append(asked[step])",
    ]


def _window(recipe: Recipe) -> list[str]:
    window = getattr(recipe.framing, "window", 1)
    return [
        f"for start in range(len(shown) - {window - 1}):",
        f"    samples.append(shown[start : start + {window}])",
        f"    answers.append(asked[start + {window - 1}])",
    ]


def _prefixes(recipe: Recipe) -> list[str]:
    return [
        "for step in range(len(shown)):",
        "    samples.append(shown[: step + 1])",
        "    answers.append(asked[step])",
    ]


def _substrings(recipe: Recipe) -> list[str]:
    count, longest = (getattr(recipe.framing, key) for key in ("substrings", "max_length"))
    return [
        "rng = stream(1, number)  # 1: data",
        f"starts = rng.integers(0, len(shown) - 1, size={count})",
        f"ends = rng.integers(starts, np.minimum(starts + {longest}, len(shown)))",
        "for start, end in zip(starts, ends):",
        "    samples.append(shown[start : end + 1])",
        "    answers.append(asked[end])",
    ]


def _whole(recipe: Recipe) -> list[str]:
    return ["samples.append(shown)", "answers.append(asked)"]


FRAMED: dict[str, Callable[[Recipe], list[str]]] = {
    "pairs": _pairs,
    "window": _window,
    "feature_window": _window,
    "prefixes": _prefixes,
    "substrings": _substrings,
    "whole": _whole,
}
"""How each framing is written, by its name."""


def encoded(recipe: Recipe, numbers: str) -> str:
    """Returns the expression that encodes `numbers`, a list (T,) in a script, as (T, F)."""
    size = recipe.task.alphabet_size
    if recipe.encoding == "onehot":
        return f'np.eye({size}, dtype="float32")[{numbers}]'
    return f'np.array({numbers}, "float32")[:, None] / {size}'


def _arrays(recipe: Recipe, lengths: list[int], samples: Samples, weighted: bool) -> Iterator[str]:
    """Yields the lines that turn `samples` and `answers` into arrays."""
    size, shape = recipe.task.alphabet_size, samples.x.shape
    every = samples.y.ndim == 3
    ragged = recipe.framing.name in ("prefixes", "substrings") or (every and len(set(lengths)) > 1)
    how = "one-hot" if recipe.encoding == "onehot" else f"numbers / {size}"
    padding = f", padded with zeros on the {'right' if every else 'left'}" if ragged else ""
    about = (
        f"X is [samples, time steps, features]: {shape}, {how}{padding}; y is {samples.y.shape}."
    )
    yield from textwrap.wrap(about, 92, initial_indent="# ", subsequent_indent="# ")
    if ragged:
        place = ": len(sample)" if every else "-len(sample) :"
        yield f'X = np.zeros({shape}, "float32")'
        yield "for row, sample in zip(X, samples):"
        yield f"    row[{place}] = {encoded(recipe, 'sample')}"
    elif recipe.encoding == "onehot":
        side_by_side = recipe.framing.name == "feature_window"
        tail = f".reshape({shape})" if side_by_side else ""
        yield f'X = np.eye({size}, dtype="float32")[samples]{tail}'
    else:
        yield f'X = np.array(samples, "float32").reshape({shape}) / {size}'
    if ragged and every:
        yield f'y = np.zeros({samples.y.shape}, "float32")'
        yield "for row, answer in zip(y, answers):"
        yield f'    row[: len(answer)] = np.eye({size}, dtype="float32")[answer]'
        yield 'weight = np.zeros(y.shape[:2], "float32")  # 0 where an answer does not count'
        yield "for row, counts in zip(weight, counted):"
        yield "    row[: len(counts)] = counts"
        return
    yield f'y = np.eye({size}, dtype="float32")[answers]'
    if weighted:
        yield 'weight = np.array(counted, "float32")  # 0 where an answer does not count'
