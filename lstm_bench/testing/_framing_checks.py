"""The checks of a framing, by name; each is a function that raises `AssertionError`.

They use sequences of 1 to 12 steps, as far as these fit the framing, with steps that do not count.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from pydantic import ValidationError

from lstm_bench.recipes import Framing, Samples, encode
from lstm_bench.seeds import stream
from lstm_bench.tasks import Problem, Sequence

SIZE = 12
LENGTHS = range(1, SIZE + 1)


def probe_sequences(framing: Framing) -> list[Sequence]:
    """Returns one sequence of every length that fits `framing`."""
    return [probe_sequence(length) for length in LENGTHS if framing.count(length) >= 1]


def probe_sequence(length: int, cyclic: bool = False) -> Sequence:
    """Returns a sequence of different symbols, which show where they come from.

    Every third step is not scored.
    """
    symbols = np.arange(length)
    return Sequence(symbols, (symbols * 5 + 3) % SIZE, symbols % 3 != 1, cyclic)


def frame(framing: Framing, *sequences: Sequence) -> Samples:
    """Returns the samples of training sequences, one-hot."""
    return framing.samples(Problem(sequences), SIZE, "onehot", 0)


def value(framing: Framing) -> None:
    """It is an immutable value with a name: equal to a copy, hashable, and strict."""
    kind = type(framing)
    named = isinstance(getattr(kind, "name", None), str) and kind.name.isidentifier()
    assert named, f"{kind.__name__} must have a `name` of letters, digits and _"
    assert kind.__doc__, f"{kind.__name__} must have a docstring that says what a sample shows"
    parameters = {key: getattr(framing, key) for key in kind.model_fields}
    copy = kind(**parameters)
    equal = framing == copy and hash(framing) == hash(copy)
    assert equal, "two framings with the same parameters must be equal, but are not"
    try:
        kind.model_validate({**parameters, "no_such_parameter": 1})
    except ValidationError:
        return
    raise AssertionError(
        "must refuse unknown parameters, but took no_such_parameter=1; leave model_config alone"
    )


def fits(framing: Framing) -> None:
    """It makes samples of some sequence of up to 12 steps."""
    rule = "count(length) must be 1 or more for some length"
    fitting = probe_sequences(framing)
    assert fitting, f"{rule}, but it fits none of {LENGTHS.start} to {LENGTHS.stop - 1} steps"


def indices(framing: Framing) -> None:
    """A sample shows steps of its sequence, or padding."""
    for sequence in probe_sequences(framing):
        for probe in (sequence, probe_sequence(len(sequence), cyclic=True)):
            shown = framing.indices(probe, stream(0, "data", 0))
            valid = shown.ndim == 2 and np.issubdtype(shown.dtype, np.integer)
            actual = f"{shown.shape} of {shown.dtype}"
            assert valid, f"indices must be (samples, steps shown) of integers, but is {actual}"
            low, high = int(shown.min(initial=0)), int(shown.max(initial=0))
            rule = f"indices must be from -1 (padding) to {len(probe) - 1} for {len(probe)} steps"
            assert -1 <= low <= high < len(probe), f"{rule}, but are from {low} to {high}"


def padding(framing: Framing) -> None:
    """Padding is on the right with an output at every step, else on the left."""
    for sequence in probe_sequences(framing):
        shown = framing.indices(sequence, stream(0, "data", 0))
        real = shown >= 0
        assert real.any(axis=1).all(), "every sample must show a step, but one is all padding"
        ordered = real[:, ::-1] if framing.every_step else real
        side = "right" if framing.every_step else "left"
        first = np.argmax(ordered, axis=1)
        contiguous = (real.sum(axis=1) == real.shape[1] - first).all()
        example = shown[~ordered.all(axis=1)][:1].tolist()
        rule = f"padding (-1) must be on the {side} only"
        assert contiguous, f"{rule}, but a sample shows {example}"


def count(framing: Framing) -> None:
    """`count` is the number of samples."""
    for sequence in probe_sequences(framing):
        stated = framing.count(len(sequence))
        actual = len(framing.indices(sequence, stream(0, "data", 0)))
        rule = f"count({len(sequence)}) must be the number of rows of indices"
        assert stated == actual, f"{rule}, but they are {stated} and {actual}"


def width(framing: Framing) -> None:
    """`width` is the number of time steps of a sample."""
    for sequence in probe_sequences(framing):
        stated, actual = framing.width(len(sequence)), frame(framing, sequence).x.shape[1]
        rule = f"width({len(sequence)}) must be the time steps of x"
        assert stated == actual, f"{rule}, but they are {stated} and {actual}"


def shapes(framing: Framing) -> None:
    """Samples are float32, with an output at every step or one for the whole sample."""
    sequences = probe_sequences(framing)
    if not sequences:
        return  # the check `fits` fails then
    samples = frame(framing, *sequences)
    for name in ("x", "y"):
        dtype = getattr(samples, name).dtype
        assert dtype == np.float32, f"{name} must be float32, but is {dtype}"
    number, steps = samples.x.shape[:2]
    outputs = steps if framing.every_step else 1
    y = (number, steps, SIZE) if framing.every_step else (number, SIZE)
    actual = samples.x.ndim, samples.y.shape, samples.step.shape, samples.scored.shape
    expected = 3, y, (number, outputs), (number, outputs)
    rule = "x must have 3 dimensions (N, T, F), and the shapes of y, step and scored must fit it"
    assert actual == expected, f"{rule}: {expected}, but are {actual}"


def owners(framing: Framing) -> None:
    """Every target belongs to the sequence and the step that the samples state for it."""
    sequences = probe_sequences(framing)
    if not sequences:
        return
    samples = frame(framing, *sequences)
    targets = samples.y.reshape(*samples.step.shape, SIZE)
    trained = samples.sequence[: samples.train_count]
    numbers = sorted(set(trained.tolist()))
    rule = "samples to train on must belong to every sequence, in order"
    ordered = numbers == list(range(len(sequences))) and (np.diff(trained) >= 0).all()
    assert ordered, f"{rule}, but belong to {numbers} of {len(sequences)}"
    for row, number in enumerate(samples.sequence):
        sequence = sequences[number]
        for place, step in enumerate(samples.step[row]):
            subject = f"sample {row}, of step {step} of sequence {number}"
            assert -1 <= step < len(sequence), f"{subject}: there is no such step"
            scored = bool(step >= 0 and sequence.scored[step])
            actual = bool(samples.scored[row, place])
            assert actual == scored, f"{subject}: scored must be {scored}, but is {actual}"
            target = np.eye(SIZE)[sequence.targets[step]] if step >= 0 else np.zeros(SIZE)
            rule = "y must be the target of that step, and zero for padding"
            assert (targets[row, place] == target).all(), f"{subject}: {rule}, but is not"


def look_ahead(framing: Framing) -> None:
    """No sample shows a step after the one it has to predict, nor any target.

    The check changes all inputs after a step, and all targets: the earlier inputs must not change.
    """
    for sequence in probe_sequences(framing):
        before = frame(framing, sequence)
        if not np.array_equal(before.x, frame(framing, sequence).x):
            return  # random draws: the check `determinism` fails then
        for step in range(len(sequence)):
            later = np.arange(len(sequence)) > step
            inputs = np.where(later, (sequence.inputs + 1) % SIZE, sequence.inputs)
            targets = (sequence.targets + 1) % SIZE
            after = frame(framing, Sequence(inputs, targets, sequence.scored))
            for row, place in np.argwhere((before.step >= 0) & (before.step <= step)):
                end = place + 1 if framing.every_step else None
                rule = f"must not show steps after {step}, which it has to predict"
                same = np.array_equal(before.x[row, :end], after.x[row, :end])
                assert same, f"sample {row} of a sequence of {len(sequence)} steps {rule}, but does"


def unseen(framing: Framing) -> None:
    """Unseen sequences come last, and are not trained on."""
    sequences = probe_sequences(framing)
    if not sequences:
        return
    train, other = sequences[-1], probe_sequence(len(sequences[-1]))
    samples = framing.samples(Problem((train,), (other,)), SIZE, "onehot", 0)
    trained = samples.train_count
    valid = int((samples.sequence[:trained] == 0).sum())
    actual = f"but only {valid} of {trained} training samples are of the training sequence"
    assert valid == trained > 0, f"unseen sequences must not be trained on, {actual}"
    last = (samples.sequence[trained:] == 1).any()
    assert last, "samples of unseen sequences must come after those to train on, but there are none"


def determinism(framing: Framing) -> None:
    """A seed always gives the same samples, whatever the state of the global generators."""
    sequences, results = probe_sequences(framing), []
    if not sequences:
        return
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            results.append(frame(framing, *sequences))
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
    first, second = results
    names = ("x", "y", "step", "scored")
    same = all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)
    assert same, "the same seed must give the same samples, but does not; draw only from rng"


def query(framing: Framing) -> None:
    """The inputs that predict the step after some past have the shape of a training sample."""
    for sequence in probe_sequences(framing):
        x = frame(framing, sequence).x
        for steps in range(1, len(sequence) + 1):
            past = encode(sequence.inputs[:steps], SIZE, "onehot")
            shape = framing.query(past, x.shape[1]).shape
            rule = f"query of {steps} steps must be (k, {x.shape[1]}, {x.shape[2]}), as x is"
            assert shape[0] >= 1 and shape[1:] == x.shape[1:], f"{rule}, but is {shape}"


FRAMING_CHECKS: dict[str, Callable[[Framing], None]] = {
    check.__name__: check
    for check in (
        value, fits, indices, padding, count, width, shapes, owners, look_ahead, unseen,
        determinism, query,
    )
}  # fmt: skip
