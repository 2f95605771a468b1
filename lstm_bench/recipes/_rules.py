"""The rules of a configuration: which settings fit one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lstm_bench.errors import Fault, unknown
from lstm_bench.recipes import _schedule as schedule
from lstm_bench.recipes._configuration import Configuration, encodings

FITTING_OUTPUT: Mapping[str, tuple[str, ...]] = {
    "categorical_crossentropy": ("softmax",),
    "binary_crossentropy": ("sigmoid",),
    "mean_squared_error": ("softmax", "sigmoid", "linear"),
}

SAMPLES_UP_TO = 2 * 2**30
"""Bytes that the samples of a seed may take."""


def faults(chosen: Configuration) -> Iterator[Fault]:
    """Yields every rule that `chosen` breaks: none if it is legal."""
    for rule in (_head, _owners, _direction, _evaluation, _encoding):
        yield from rule(chosen)
    yield from _length(chosen) or _memory(chosen) or _dealing(chosen)


def _head(chosen: Configuration) -> Iterator[Fault]:
    if chosen.output not in FITTING_OUTPUT[chosen.loss]:
        fitting = " or ".join(FITTING_OUTPUT[chosen.loss])
        yield Fault("output", f"{chosen.loss} needs {fitting}, but got {chosen.output}")


def _owners(chosen: Configuration) -> Iterator[Fault]:
    if chosen.momentum and chosen.optimizer != "sgd":
        yield Fault("momentum", f"belongs to sgd, but optimizer is {chosen.optimizer}; use 0")
    if chosen.kernel_size != 3 and chosen.network != "conv1d":
        yield Fault("kernel_size", f"belongs to network=conv1d, but got {chosen.network}")


def _direction(chosen: Configuration) -> Iterator[Fault]:
    if not chosen.bidirectional:
        return
    if not chosen.recurrent:
        yield Fault("bidirectional", f"belongs to recurrent networks, but got {chosen.network}")
    if chosen.stateful:
        yield Fault(
            "bidirectional",
            "a network that also reads backwards needs the whole sample before it answers, so "
            "its state cannot go on to the next; use stateful=false",
        )
    if chosen.framing.every_step and chosen.task.autoregressive:
        yield Fault(
            "bidirectional",
            f"with framing={chosen.framing.name} a network that reads backwards is shown the "
            "answers, for each is the next step's input; use window or prefixes",
        )


def _evaluation(chosen: Configuration) -> Iterator[Fault]:
    task, evaluation = chosen.task, chosen.evaluation
    if chosen.start is not None and evaluation != "cold_start":
        yield Fault("start", f"belongs to evaluation=cold_start, not {evaluation}")
    if evaluation == "teacher_forced":
        return
    if not task.symbolic or task.kind != "categorical":
        yield Fault(
            "evaluation",
            f"{evaluation} asks for symbols, but {task.name} has real values; use teacher_forced",
        )
        return
    if evaluation in ("free_running", "cold_start") and not task.generates:
        yield Fault(
            "evaluation",
            f"{evaluation} feeds answers back as inputs, but {task.name} does not "
            "ask for its next input; use teacher_forced or step_by_step",
        )
    if chosen.start is not None:
        shown = {task.labels[int(n)] for each in task.problem(0).train for n in each.inputs}
        if chosen.start not in shown:
            yield Fault("start", unknown("input symbol", chosen.start, shown))


def _encoding(chosen: Configuration) -> Iterator[Fault]:
    fitting = encodings(type(chosen.task))
    if chosen.encoding not in fitting:
        rule = f"{chosen.task.name} needs {' or '.join(fitting)}, but got {chosen.encoding}"
        yield Fault("encoding", rule)


def _length(chosen: Configuration) -> list[Fault]:
    """Every sequence gives a sample."""
    for length in sorted(sum(chosen.lengths, ())):
        if chosen.framing.count(length) < 1:
            return [Fault("framing", chosen.framing.misfit(length))]
    return []


def _memory(chosen: Configuration) -> list[Fault]:
    shown = chosen.task.problem(0).train[0].inputs
    wide = chosen.task.alphabet_size if chosen.encoding == "onehot" else 1
    features = shown.shape[1] if shown.ndim == 2 else wide
    samples = sum(map(sum, chosen.counts))
    steps = max(chosen.width, getattr(chosen.framing, "window", 1))
    taken = 4 * samples * steps * features
    if taken <= SAMPLES_UP_TO:
        return []
    rule = (
        f"the samples of a seed must take at most {SAMPLES_UP_TO / 2**30:.0f} GB, but "
        f"{chosen.framing.name} makes {samples:,} of {chosen.width:,} steps, which take "
        f"{taken / 2**30:.1f} GB; use shorter or fewer sequences, or framing=whole"
    )
    return [Fault("framing", rule)]


def _dealing(chosen: Configuration) -> list[Fault]:
    """The rules of `schedule`, also for the unseen sequences where a state is kept in them."""
    train, unseen = chosen.counts
    plans = [("", train, chosen.shuffle)]
    if chosen.stateful and unseen:
        plans.append(("of the unseen sequences: ", unseen, "none"))
    for which, dealt, shuffle in plans:
        found = schedule.faults(
            dealt,
            chosen.rows,
            chosen.stateful,
            chosen.layout,
            chosen.reset,
            shuffle,
            continues=chosen.framing.continues,
            recurrent=chosen.recurrent,
        )
        if found:
            return [Fault(fault.key, which + fault.message) for fault in found]
    return []
