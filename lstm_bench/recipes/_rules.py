"""The rules of a configuration: which settings fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lstm_bench.errors import Fault, unknown
from lstm_bench.recipes import _lstm_1997 as lstm_1997
from lstm_bench.recipes import _schedule as schedule
from lstm_bench.recipes._configuration import Configuration, encodings
from lstm_bench.recipes._step_updates import step_update_faults

FITTING_OUTPUT: Mapping[str, tuple[str, ...]] = {
    "categorical_crossentropy": ("softmax",),
    "binary_crossentropy": ("sigmoid",),
    "mean_squared_error": ("softmax", "sigmoid", "linear"),
    "summed_squared_error": ("softmax", "sigmoid", "linear"),
}

MAX_SAMPLE_BYTES = 2 * 2**30
"""Largest size of the samples of one seed."""


def faults(config: Configuration) -> Iterator[Fault]:
    """Yields a fault for each rule that `config` breaks; none if it is valid."""
    rules = (
        _output_faults,
        _unused_faults,
        _own_network_faults,
        _direction_faults,
        _evaluation_faults,
        _stopping_faults,
        _sequence_faults,
    )
    for rule in rules:
        yield from rule(config)
    yield from _lstm_1997_faults(config)
    yield from step_update_faults(config)
    yield from _encoding_faults(config)
    yield from _length_faults(config) or [
        *_time_faults(config),
        *(_memory_faults(config) or _schedule_faults(config)),
    ]


def _output_faults(config: Configuration) -> Iterator[Fault]:
    if config.output not in FITTING_OUTPUT[config.loss]:
        fitting = " or ".join(FITTING_OUTPUT[config.loss])
        yield Fault("output", f"{config.loss} needs {fitting}, but got {config.output}")


def _unused_faults(config: Configuration) -> Iterator[Fault]:
    if config.momentum and config.optimizer != "sgd":
        yield Fault("momentum", f"belongs to sgd, but optimizer is {config.optimizer}; use 0")
    if config.kernel_size != 3 and config.network != "conv1d":
        yield Fault("kernel_size", f"belongs to network=conv1d, but got {config.network}")
    if config.forget_bias is not None and config.network != "lstm":
        rule = f"only an LSTM has forget gates, but network is {config.network}; leave it out"
        yield Fault("forget_bias", rule)
    if config.longest_time is not None and config.forget_bias != "chrono":
        got = "nothing" if config.forget_bias is None else f"{config.forget_bias:g}"
        yield Fault("longest_time", f"belongs to forget_bias=chrono, but got {got}; leave it out")
    if config.truncate is not None and (not config.recurrent or config.network == "lstm_1997"):
        fitting = "lstm, gru or simple_rnn"  # the gradient of an lstm_1997 is cut by its nature
        rule = f"belongs to {fitting}, but got {config.network}; leave it out"
        yield Fault("truncate", rule)


def _stopping_faults(config: Configuration) -> Iterator[Fault]:
    task = config.task
    if config.stop_after_solved is not None and task.has_baselines:
        rule = "needs a task that says when it is solved"
        yield Fault("stop_after_solved", f"{rule}, but {task.name} is compared with baselines")
    if config.stop is None:
        return
    if task.stopping_rule is None:
        yield Fault("stop", f"{task.name} has no published stopping rule; use stop_after_solved")
    if config.stop_after_solved is not None:
        yield Fault("stop", "training ends by one rule only, but stop_after_solved is set too")
    if config.framing.name != "whole" or config.stateful:
        yield Fault("stop", "the rule judges whole sequences; use framing=whole, stateful=false")


def _sequence_faults(config: Configuration) -> Iterator[Fault]:
    """Yields faults of settings that depend on which sequences the task has."""
    task, framing = config.task, config.framing
    if config.recall_weight is not None and task.problem(0).train[0].recall is None:
        rule = "needs a task that says which steps need memory"
        yield Fault("recall_weight", f"{rule}, but {task.name} does not; leave it out")
    if config.fresh and not config.lengths[1]:
        rule = "a task with new sequences in every epoch must be scored on unseen ones"
        yield Fault("task", f"{task.name}: {rule}, but problem(0) has none")
    longest = task.longest
    if longest is not None and framing.count(longest) != framing.count(longest - 1):
        yield Fault(
            "framing",
            f"the sequences of {task.name} differ in length from seed to seed, so each must give "
            f"equally many samples, but {framing.name} makes one for every step; use framing=whole",
        )
    if config.fresh and framing.name == "substrings":
        yield Fault("framing", f"{task.name} draws new sequences in every epoch; use whole")


def _own_network_faults(config: Configuration) -> Iterator[Fault]:
    if config.own_network is not None and config.stateful:
        yield Fault(
            "stateful",
            "only the recurrent networks of this package keep a state from batch to batch, but "
            f"network is {config.network}; use stateful=false",
        )


def _direction_faults(config: Configuration) -> Iterator[Fault]:
    if not config.bidirectional:
        return
    if config.own_network is not None:
        rule = f"belongs to recurrent networks of this package, but got {config.network}"
        yield Fault("bidirectional", f"{rule}; build it with keras.layers.Bidirectional there")
        return
    if not config.recurrent:
        yield Fault("bidirectional", f"belongs to recurrent networks, but got {config.network}")
    if config.stateful:
        yield Fault(
            "bidirectional",
            "a bidirectional network needs the whole sample before its first output, so its "
            "state cannot pass to the next sample; use stateful=false",
        )
    if config.framing.every_step and config.task.autoregressive:
        yield Fault(
            "bidirectional",
            f"with framing={config.framing.name} a network that reads backwards is shown the "
            "targets, because each is the next step's input; use window or prefixes",
        )


def _evaluation_faults(config: Configuration) -> Iterator[Fault]:
    task, evaluation = config.task, config.evaluation
    if config.start is not None and evaluation != "cold_start":
        yield Fault("start", f"belongs to evaluation=cold_start, not {evaluation}")
    if evaluation == "teacher_forced":
        return
    if not task.symbolic or task.kind != "categorical":
        yield Fault(
            "evaluation",
            f"{evaluation} needs symbols, but {task.name} has real values; use teacher_forced",
        )
        return
    if evaluation in ("free_running", "cold_start") and not task.generates:
        yield Fault(
            "evaluation",
            f"{evaluation} feeds predictions back as inputs, but the targets of {task.name} are "
            "not its next inputs; use teacher_forced or step_by_step",
        )
    if config.start is not None:
        train = task.problem(0).train
        symbols = {task.labels[int(n)] for sequence in train for n in sequence.inputs}
        if config.start not in symbols:
            yield Fault("start", unknown("input symbol", config.start, symbols))


def _lstm_1997_faults(config: Configuration) -> Iterator[Fault]:
    if config.network != "lstm_1997":
        for key in lstm_1997.LSTM_1997_SETTINGS:
            if getattr(config, key) is not None:
                rule = f"belongs to network=lstm_1997, but got {config.network}; leave it out"
                yield Fault(key, rule)
        return
    size, units = config.block_size or 1, config.units
    if units % size:
        fitting = max(1, units // size) * size
        yield Fault(
            "block_size",
            f"units must be a multiple of block_size, but got units={units} and "
            f"block_size={size}; use units={fitting}, for example",
        )
        return
    for key in lstm_1997.GATE_BIASES:
        values = getattr(config, key)
        if values is None:
            continue
        if key == "output_gate_bias" and not config.output_gate:
            yield Fault(key, "belongs to output_gate=true, but output_gate is false; leave it out")
        elif config.biases == "none":
            yield Fault(key, "needs biases=gates, hidden or all, but biases is none; leave it out")
        elif len(values) != units // size:
            yield Fault(
                key,
                f"must have one value for each of the {units // size} blocks (units / block_size), "
                f"but got {len(values)}: {list(values)}",
            )


def _encoding_faults(config: Configuration) -> Iterator[Fault]:
    fitting = encodings(type(config.task))
    if config.encoding not in fitting:
        rule = f"{config.task.name} needs {' or '.join(fitting)}, but got {config.encoding}"
        yield Fault("encoding", rule)


def _length_faults(config: Configuration) -> list[Fault]:
    """Returns a fault if a sequence is too short to give a sample."""
    for length in sorted(sum(config.lengths, ())):
        if config.framing.count(length) < 1:
            return [Fault("framing", config.framing.misfit(length))]
    return []


def _time_faults(config: Configuration) -> Iterator[Fault]:
    """Yields the faults of settings that depend on the number of time steps in a sample."""
    steps, cut = config.width, config.truncate
    samples = f"samples of framing={config.framing.name} have {steps:,}"
    if config.forget_bias == "chrono" and config.longest_dependency < 3:
        yield Fault(
            "longest_time",
            f"forget_bias=chrono needs a longest time of 3 or more time steps, but {samples}; "
            "give longest_time",
        )
    if cut is None or not config.recurrent or config.own_network is not None:
        return
    if config.bidirectional:
        yield Fault(
            "truncate",
            "gradients are cut in one direction of time, but a bidirectional network reads in "
            "both; use bidirectional=false, or leave truncate out",
        )
    elif steps == 1:
        yield Fault("truncate", f"needs two or more time steps to cut between, but {samples}; "
                    "leave it out, or use framing=window, prefixes, whole or chunks")  # fmt: skip
    elif cut >= steps:
        yield Fault("truncate", f"must be smaller than the time steps of a sample, but got {cut:,} "
                    f"and {samples}; use at most {steps - 1:,}, or leave it out")  # fmt: skip


def _memory_faults(config: Configuration) -> list[Fault]:
    inputs = config.task.problem(0).train[0].inputs
    symbol_features = config.task.alphabet_size if config.encoding == "onehot" else 1
    features = inputs.shape[1] if inputs.ndim == 2 else symbol_features
    samples = sum(map(sum, config.counts))
    steps = max(config.width, getattr(config.framing, "window", 1))
    size = 4 * samples * steps * features
    if size <= MAX_SAMPLE_BYTES:
        return []
    rule = (
        f"the samples of a seed must take at most {MAX_SAMPLE_BYTES / 2**30:.0f} GB, but "
        f"{config.framing.name} makes {samples:,} of {config.width:,} steps, which take "
        f"{size / 2**30:.1f} GB; use shorter or fewer sequences, or framing=whole"
    )
    return [Fault("framing", rule)]


def _schedule_faults(config: Configuration) -> list[Fault]:
    """Returns the faults of the batch schedule.

    A stateful network is also evaluated in batches of the unseen sequences, so these must fit too.
    """
    train, unseen = config.counts
    others = unseen if config.stateful else ()
    schedules = [("", train, others, config.shuffle)]
    if others:
        schedules.append(("of the unseen sequences: ", unseen, train, "none"))
    for prefix, counts, rest, shuffle in schedules:
        faults = schedule.faults(
            counts,
            config.rows,
            config.stateful,
            config.layout,
            config.reset,
            shuffle,
            continues=config.framing.continues,
            recurrent=config.recurrent or config.own_network is not None,
            others=rest,
        )
        if faults:
            return [Fault(fault.key, prefix + fault.message) for fault in faults]
    return []
