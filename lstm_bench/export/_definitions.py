"""The layers and the loss of this package that a network uses, as source code for a script."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import keras


def is_own(definition: Any) -> bool:
    """Returns whether a class or a function is defined outside Keras."""
    return str(definition.__module__).split(".", 1)[0] != "keras"


def definitions_code(model: keras.Model) -> str:
    """Returns the source of the layers and of the loss of `model` that Keras does not have.

    Empty for a network of Keras's own layers. Its annotations need `from typing import Any`.
    """
    blocks = [_source(definition) for definition in dict.fromkeys(_definitions(model))]
    return "\n\n\n".join(blocks)


def _definitions(model: keras.Model) -> Iterator[Any]:
    """Yields the classes and functions of `model` that are defined outside Keras."""
    for layer in model.layers:
        part = layer.forward_layer if isinstance(layer, keras.layers.Bidirectional) else layer
        parts = [part.cell, part] if isinstance(part, keras.layers.RNN) else [part]
        yield from (type(part) for part in parts if is_own(type(part)))
    if callable(model.loss):
        yield model.loss


def _source(definition: Any) -> str:
    """Returns the source of a class or a function, without doctests.

    A script registers its classes under its own name, so that it changes nothing for this package.
    """
    code = inspect.getsource(definition).replace('serializable("lstm_bench")', "serializable()")
    code = re.sub(r"  # type: ignore.*", "", code)
    return re.sub(r"\n\n *>>> (.|\n)*?(?=\n *\"\"\")", "", code).strip("\n")
