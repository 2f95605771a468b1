"""The settings of `network: lstm_1997`, their defaults and their rules.

The network is that of Hochreiter & Schmidhuber (1997); `training/_lstm_1997.py` has its equations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lstm_bench.errors import Fault

if TYPE_CHECKING:
    from lstm_bench.recipes._configuration import Configuration

Squashing = Literal["symmetric", "positive"]
Biases = Literal["none", "gates", "hidden", "all"]

DEFAULTS: Mapping[str, Any] = {
    "block_size": 1,
    "output_gate": True,
    "squashing": "symmetric",
    "recurrent_inputs": True,
    "biases": "all",
    "initial_range": 0.1,
}
"""The defaults of the settings of this network; recipes of other networks have none of them."""

GATE_BIASES = ("input_gate_bias", "output_gate_bias")
"""Further settings: the initial bias of each block's gate; None: drawn like the weights."""

SETTINGS = (*DEFAULTS, *GATE_BIASES)
"""All settings of this network."""


@dataclass(frozen=True)
class Lstm1997:
    """The settings on which the layer depends; the others are initial values."""

    block_size: int
    output_gate: bool
    squashing: Squashing
    recurrent_inputs: bool
    biases: Biases


def with_defaults(settings: Any) -> Any:
    """Returns the `settings` of a recipe with the defaults of this network, if it has this network.

    So equal recipes have equal settings and digests, whichever of the defaults were written out.
    """
    if not isinstance(settings, Mapping) or settings.get("network") != "lstm_1997":
        return settings
    missing = {key: value for key, value in DEFAULTS.items() if settings.get(key) is None}
    return {**settings, **missing}


def gate_biases(config: Configuration) -> tuple[tuple[int, tuple[float, ...]], ...]:
    """Returns where the given biases begin in the bias of a layer, from its end, and their values.

    The end of a bias is an input gate for each block, and then an output gate for each block.
    """
    blocks = config.units // (config.block_size or 1)
    given = [
        (2 * blocks if config.output_gate else blocks, config.input_gate_bias),
        (blocks, config.output_gate_bias),
    ]
    return tuple((-begin, values) for begin, values in given if values is not None)


def faults(config: Configuration) -> Iterator[Fault]:
    """Yields a fault for each rule of this network that `config` breaks."""
    if config.network != "lstm_1997":
        for key in SETTINGS:
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
    for key in GATE_BIASES:
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
