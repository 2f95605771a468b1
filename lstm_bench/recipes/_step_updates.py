"""The rules of `update: step` and `cells_from`, the on-line training of an LSTM of 1997."""

from __future__ import annotations

from collections.abc import Iterator

from lstm_bench.errors import Fault
from lstm_bench.recipes._configuration import Configuration

NEEDED = {
    "network": "lstm_1997",
    "framing": "whole",
    "optimizer": "sgd",
    "loss": "summed_squared_error",
    "batch_size": 1,
    "layers": 1,
    "stateful": False,
    "bidirectional": False,
    "momentum": 0,
    "dropout": 0,
    "accumulate": 1,
    "clip_norm": None,
    "decay": None,
}
"""What a recipe with `update=step` must have."""


def step_update_faults(config: Configuration) -> Iterator[Fault]:
    """Yields a fault for each rule of `update` and `cells_from` that `config` breaks."""
    if config.update is not None:
        for key, needed in NEEDED.items():
            value = config.framing.name if key == "framing" else getattr(config, key)
            if value != needed:
                repair = "leave it out" if needed is None else f"use {key}={_as_text(needed)}"
                rule = f"step needs {key}={_as_text(needed)}, but got {_as_text(value)}; {repair}"
                yield Fault("update", rule)
    start = config.cells_from
    if start is None:
        return
    if config.update is None:
        yield Fault("cells_from", "belongs to update=step, but update is left out; leave it out")
    if config.recurrent_inputs:
        rule = "before there are cells the outputs must see the inputs, but recurrent_inputs is"
        yield Fault("cells_from", f"{rule} true; use recurrent_inputs=false, or leave it out")
    total = config.epochs * config.schedule.samples
    if start >= total:
        yield Fault(
            "cells_from",
            f"must be fewer than all training sequences, but got {start:,} and {config.epochs:,} "
            f"epochs of {config.schedule.samples:,}, which are {total:,}; use more epochs",
        )


def _as_text(value: object) -> str:
    return "none" if value is None else str(value).lower() if value in (True, False) else str(value)
