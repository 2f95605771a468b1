"""The settings of `network: lstm_1997` and their defaults.

The network is that of Hochreiter & Schmidhuber (1997); `training/_lstm_1997.py` has its equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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

LSTM_1997_SETTINGS = (*DEFAULTS, *GATE_BIASES)
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
