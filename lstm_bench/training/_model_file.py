"""A `.keras` file that is only opened where it holds a network of our own kinds.

Such a file says which classes Keras is to make, of what sizes, and where their weights lie. One
that comes from a stranger may name any class or function, sizes that no memory holds, and other
files. So it is held to what `models.build` makes: a chain of a few layers of Keras's own, whose
weights are all in the file, as they are.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import keras
import numpy as np
from keras.src.saving import saving_lib  # the public `load_model` opens nothing but paths

from lstm_bench.errors import StoreError
from lstm_bench.results import MOST_NETWORK, checked_mapping, shortened

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
MOST_CONFIG = 2**20
"""Bytes that the description of a network may have."""
MOST_ENTRIES = 1000
"""Groups and arrays that its weights may be in."""
MOST_INPUT = 2**27
"""Numbers that a sample may have: time steps times features."""

PARTS = {("keras.initializers", "GlorotUniform"), ("keras.initializers", "Orthogonal"),
         ("keras.initializers", "Zeros"), ("keras", "DTypePolicy")}  # fmt: skip
"""What the layers of our networks are configured with, by module and class."""
ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax", "tanh")
FUNCTIONS = ("activation", "recurrent_activation")
"""Options under which Keras looks for a function by its name."""
ABSENT = ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
          "activity_regularizer", "recurrent_constraint", "bias_constraint", "quantization_config",
          "unroll", "return_state", "sparse", "ragged", "optional")  # fmt: skip
"""Options that our networks leave out."""

Shape = tuple[int, ...]
"""Of what goes from layer to layer: (T, F), or (F,) once time is gone."""
Layer = Callable[[Mapping[str, Any], Shape], tuple[int, Shape]]


def opened(data: bytes) -> keras.Model:
    """Returns the network in the bytes of a `.keras` file; nothing is written to disk.

    Raises `StoreError` where it is damaged, or is not such a network as this package makes.
    """
    try:
        _check(data)
        return saving_lib.load_model(io.BytesIO(data), compile=False, safe_mode=True)
    # Whatever Keras, TensorFlow or HDF5 make of a file that has passed so far and is wrong all the
    # same, in any of their own classes of errors, is a fault of that file.
    except Exception as error:
        raise StoreError(
            f"its network cannot be used ({shortened(error)}); run its sweep again"
        ) from error


def _check(data: bytes) -> None:
    """Raises ValueError, or what the libraries do, where a file is not one of ours."""
    if len(data) > MOST_NETWORK:
        raise ValueError(f"its file must have at most {MOST_NETWORK >> 20} MB")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = sorted(each.filename for each in members)
        if names != sorted(MEMBERS):
            raise ValueError(f"its file must hold {', '.join(MEMBERS)}, but holds {names[:4]}")
        # Keras compresses nothing: so no member can be larger than the file itself.
        if any(each.compress_type != zipfile.ZIP_STORED for each in members):
            raise ValueError("its file must not be compressed")
        if sum(each.file_size for each in members) > len(data):
            raise ValueError("its file announces more than it holds")
        config = checked_mapping(archive.read("config.json"), MOST_CONFIG)
        checked_mapping(archive.read("metadata.json"), MOST_CONFIG)
        weights = _weights(archive.read("model.weights.h5"))
    wanted = _size(config)
    if wanted > weights:
        raise ValueError(f"it has {wanted:,} weights, but its file holds {weights:,}")


def _size(network: Mapping[str, Any]) -> int:
    """Returns how many weights the described network has.

    Raises ValueError where it is no chain of layers of ours, from one input to one output.
    """
    kind, built = (network["module"], network["class_name"]), network["build_config"]
    if kind != ("keras.src.models.functional", "Functional") or built != {"input_shape": None}:
        raise ValueError(f"it must be a chain of layers, but is {kind}")
    whole = network["config"]
    first, *layers = whole["layers"]
    shape, total = _input(first), 0
    before = first["config"]["name"]
    for layer in layers:
        (node,) = layer["inbound_nodes"]
        (tensor,) = node["args"]
        if tensor["config"]["keras_history"] != [before, 0, 0] or any(node["kwargs"].values()):
            raise ValueError("each layer must take what the one before gives, and nothing else")
        weights, shape = _layer(layer, shape, LAYERS)
        total += weights
        before = layer["config"]["name"]
    ends = [whole["input_layers"], whole["output_layers"]]
    if ends != [[first["config"]["name"], 0, 0], [before, 0, 0]]:
        raise ValueError("it must have one input and one output, the ends of its chain")
    return total


def _layer(layer: Mapping[str, Any], shape: Shape, kinds: Mapping[str, Layer]) -> tuple[int, Shape]:
    """Returns how many weights a layer has, and what it makes of a sample's shape.

    Raises ValueError where it is not one of `kinds`, or has an option that ours do not have.
    """
    module, kind = layer["module"], str(layer["class_name"])
    if module != "keras.layers" or kind not in kinds or layer["registered_name"] is not None:
        raise ValueError(f"it must be made of {', '.join(kinds)}, but has {module!r}.{kind!r}")
    own = layer["config"]
    within = {"layer", "backward_layer"} if kind == "Bidirectional" else set()
    _plain({key: value for key, value in own.items() if key not in within})
    built = layer.get("build_config")  # what Keras makes the weights for
    if built and (list(built) != ["input_shape"] or built["input_shape"][1:] != list(shape)):
        raise ValueError(f"a layer is shown {list(shape)}, but made for {built}")
    return kinds[kind](own, shape)


def _plain(options: Any) -> None:
    """Raises ValueError where options name a class or a function that those of ours do not."""
    if isinstance(options, list):
        for each in options:
            _plain(each)
    if not isinstance(options, dict):
        return
    if options.keys() & {"class_name", "module", "registered_name", "build_config"}:
        part = options.get("module"), options.get("class_name")
        if part not in list(PARTS) or options.get("registered_name") or "build_config" in options:
            raise ValueError(f"its layers must be plain, but one has {part[0]!r}.{part[1]!r}")
        if part[1] == "DTypePolicy" and options["config"] != {"name": "float32"}:
            raise ValueError(f"its numbers must be float32, but are {options['config']!r}")
    for key in FUNCTIONS:
        if key in options and options[key] not in list(ACTIVATIONS):
            rule = f"must be one of {', '.join(ACTIVATIONS)}"
            raise ValueError(f"{key} {rule}, but is {options[key]!r}")
    for key in ABSENT:
        if options.get(key):
            raise ValueError(f"{key} must be left out, but is {options[key]!r}")
    for each in options.values():
        _plain(each)


def _input(layer: Mapping[str, Any]) -> Shape:
    """Returns the shape (T, F) of the samples that a network takes."""
    kind, own = (layer["module"], layer["class_name"]), layer["config"]
    batch, steps, features = own["batch_shape"]
    _plain(own)
    ours = kind == ("keras.layers", "InputLayer") and own["dtype"] == "float32"
    if not ours or layer["registered_name"] or layer["inbound_nodes"] or batch not in (None, 1):
        raise ValueError("it must begin with an input of samples, one by one or in any number")
    shape = _whole(steps), _whole(features)
    if math.prod(shape) > MOST_INPUT:
        raise ValueError(f"a sample may have {MOST_INPUT:,} numbers, but has {math.prod(shape):,}")
    return shape


def _whole(number: Any) -> int:
    if type(number) is not int or not 1 <= number <= MOST_NETWORK:
        raise ValueError(f"sizes must be whole numbers from 1 on, but one is {number!r}")
    return number


def _dense(own: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    units = _whole(own["units"])
    return units * (shape[-1] + 1), (*shape[:-1], units)


def _conv1d(own: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    steps, features = shape
    filters, (width,) = _whole(own["filters"]), own["kernel_size"]
    every = own["padding"], own["strides"], own["dilation_rate"], own["groups"]
    if every != ("causal", [1], [1], 1) or own["data_format"] != "channels_last":
        raise ValueError("its convolutions must be causal, at every step and of all features")
    return filters * (_whole(width) * features + 1), (steps, filters)


def _recurrent(gates: int, biases: int) -> Layer:
    """Returns the rule of a recurrent layer with so many kernels, and so many biases for each."""

    def layer(own: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
        steps, features = shape
        units = _whole(own["units"])
        after = (steps, units) if own["return_sequences"] else (units,)
        return gates * units * (features + units + biases), after

    return layer


def _bidirectional(own: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    (weights, after), (others, other) = (
        _layer(own[key], shape, RECURRENT) for key in ("layer", "backward_layer")
    )
    if own["merge_mode"] != "concat" or after != other:
        raise ValueError("the two directions of a layer must be alike, and side by side")
    return weights + others, (*after[:-1], 2 * after[-1])


RECURRENT: Mapping[str, Layer] = {
    "LSTM": _recurrent(4, 1),
    "GRU": _recurrent(3, 2),
    "SimpleRNN": _recurrent(1, 1),
}
LAYERS: Mapping[str, Layer] = {
    "Dense": _dense,
    "Conv1D": _conv1d,
    **RECURRENT,
    "Bidirectional": _bidirectional,
    "Dropout": lambda own, shape: (0, shape),
    "Flatten": lambda own, shape: (0, (math.prod(shape),)),
}
"""The layers that there may be: how many weights each has, and what it makes of a shape."""


def _weights(data: bytes) -> int:
    """Returns how many numbers an HDF5 file holds; raises ValueError unless all lie in it."""
    size, count, seen = 0, 0, 0
    with h5py.File(io.BytesIO(data), "r") as file:
        ahead = [file["/"]]
        while ahead:
            group = ahead.pop()
            for name in group:
                seen += 1  # groups may hold one another in a circle
                if seen > MOST_ENTRIES or type(group.get(name, getlink=True)) is not h5py.HardLink:
                    raise ValueError("its weights must lie in its own file, each once")
                each = group[name]
                if isinstance(each, h5py.Group):
                    ahead.append(each)
                    continue
                _check_numbers(each)
                size, count = size + int(each.nbytes), count + int(each.size)
                if size > len(data):
                    raise ValueError("its weights must be no larger than its file")
    return count


def _check_numbers(dataset: Any) -> None:
    """Raises ValueError unless a dataset's numbers lie in the file, as they are."""
    name = dataset.name
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype not in (np.float32, np.float64):
        raise ValueError(f"its weights must be floating point numbers, but {name!r} is not")
    apart = dataset.external or dataset.is_virtual or dataset.chunks or dataset.compression
    if apart or dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(f"its weights must lie in its file as they are, but {name!r} does not")
