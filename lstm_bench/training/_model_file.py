"""Opens `.keras` files safely: only those with a network that this package could have built.

Such a file names the classes that Keras creates, their sizes, and where their weights are stored.
A file from an untrusted source may name any class or function, sizes beyond all memory, and other
files. So a file must describe what `build` in `_models.py` returns: a chain of a few standard
Keras layers and the LSTM of 1997, with all weights uncompressed in the file.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, get_args

import h5py
import keras
import numpy as np
from keras.src.saving import saving_lib  # the public `load_model` only takes paths

from lstm_bench.errors import StoreError, UserError
from lstm_bench.recipes import Biases, OwnNetwork, Squashing
from lstm_bench.results import MAX_NETWORK_BYTES, one_line, parse_json_mapping
from lstm_bench.training._own_network import build_own, load_weights

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
MAX_CONFIG_BYTES = 2**20
"""Largest size of the description of a network."""
MAX_WEIGHT_ENTRIES = 1000
"""Largest number of groups and arrays with weights."""
MAX_INPUT_NUMBERS = 2**27
"""Largest number of values in a sample: time steps times features."""

PARTS = {("keras.initializers", "GlorotUniform"), ("keras.initializers", "Orthogonal"),
         ("keras.initializers", "Zeros"), ("keras", "DTypePolicy")}  # fmt: skip
"""Objects that may occur in the options of a layer, by module and class."""
ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax", "tanh")
FUNCTIONS = ("activation", "recurrent_activation")
"""Options that Keras resolves to a function by name."""
ABSENT = ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint",
          "activity_regularizer", "recurrent_constraint", "bias_constraint", "quantization_config",
          "unroll", "return_state", "sparse", "ragged", "optional")  # fmt: skip
"""Options that must be empty or false."""

Shape = tuple[int, ...]
"""The shape of a sample between layers: (T, F), or (F,) without a time axis."""
LayerRule = Callable[[Mapping[str, Any], Shape], tuple[int, Shape]]
"""A function from options and input shape to the number of weights and the output shape."""


def open_network(data: bytes) -> keras.Model:
    """Returns the network in the bytes of a `.keras` file; nothing is written to disk.

    Raises `StoreError` if the file is damaged, or if this package could not have built the network.
    """
    try:
        _check_file(data)
        return saving_lib.load_model(io.BytesIO(data), compile=False, safe_mode=True)
    # A file can pass the checks and still be wrong. Then Keras, TensorFlow or HDF5 raise errors of
    # many classes, and all of them mean that the file is damaged.
    except Exception as error:
        raise StoreError(
            f"its network cannot be used ({one_line(error)}); run its sweep again"
        ) from error


def open_own_network(data: bytes, network: OwnNetwork, settings: Mapping[str, Any]) -> keras.Model:
    """Returns the network of a run of a user's own `network`, with the weights in a `.keras` file.

    The network is built by the user's function, so nothing but numbers is taken from the file.
    Raises `StoreError` if the file is damaged, or of another network.
    """
    try:
        config = _checked_members(data)
        first, *_, last = config["config"]["layers"]
        shape = _input_shape(first)
        output = tuple(map(_positive_integer, last["config"]["target_shape"]))
        model = build_own(network, settings, shape, output)
        load_weights(model, data)
    except UserError:
        raise
    except Exception as error:
        raise StoreError(
            f"its network cannot be used ({one_line(error)}); run its sweep again"
        ) from error
    return model


def _check_file(data: bytes) -> None:
    """Raises ValueError, or an error of the libraries, if a file is not one of this package."""
    config = _checked_members(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stored = _stored_numbers(archive.read("model.weights.h5"))
    needed = _weight_count(config)
    if needed > stored:
        raise ValueError(f"it has {needed:,} weights, but its file holds {stored:,}")


def _checked_members(data: bytes) -> Mapping[str, Any]:
    """Returns the description of the network in a file, whose parts and weights are well-formed.

    Raises ValueError, or an error of the libraries, if they are not.
    """
    if len(data) > MAX_NETWORK_BYTES:
        raise ValueError(f"its file must have at most {MAX_NETWORK_BYTES >> 20} MB")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        names = sorted(member.filename for member in members)
        if names != sorted(MEMBERS):
            raise ValueError(f"its file must hold {', '.join(MEMBERS)}, but holds {names[:4]}")
        # Keras compresses nothing, so no member can be larger than the file itself.
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("its file must not be compressed")
        if sum(member.file_size for member in members) > len(data):
            raise ValueError("its file declares more bytes than it holds")
        config = parse_json_mapping(archive.read("config.json"), MAX_CONFIG_BYTES)
        parse_json_mapping(archive.read("metadata.json"), MAX_CONFIG_BYTES)
        _stored_numbers(archive.read("model.weights.h5"))
    return config


def _weight_count(network: Mapping[str, Any]) -> int:
    """Returns the number of weights of the described network.

    Raises ValueError unless it is a chain of allowed layers from one input to one output.
    """
    kind, built = (network["module"], network["class_name"]), network["build_config"]
    if kind != ("keras.src.models.functional", "Functional") or built != {"input_shape": None}:
        raise ValueError(f"it must be a chain of layers, but is {kind}")
    config = network["config"]
    first, *layers = config["layers"]
    shape, total = _input_shape(first), 0
    previous = first["config"]["name"]
    for layer in layers:
        (node,) = layer["inbound_nodes"]
        (tensor,) = node["args"]
        if tensor["config"]["keras_history"] != [previous, 0, 0] or any(node["kwargs"].values()):
            raise ValueError("each layer must take the output of the one before, and nothing else")
        weights, shape = _checked_layer(layer, shape, LAYERS)
        total += weights
        previous = layer["config"]["name"]
    ends = [config["input_layers"], config["output_layers"]]
    if ends != [[first["config"]["name"], 0, 0], [previous, 0, 0]]:
        raise ValueError("it must have one input and one output, the ends of its chain")
    return total


def _checked_layer(
    layer: Mapping[str, Any], shape: Shape, kinds: Mapping[str, LayerRule]
) -> tuple[int, Shape]:
    """Returns the number of weights of a layer and the shape of its output.

    Raises ValueError if it is not one of `kinds`, or has an option that is not allowed.
    """
    module, kind = layer["module"], str(layer["class_name"])
    origin = OWN_LAYERS.get(kind, ("keras.layers", None))
    if kind not in kinds or (module, layer["registered_name"]) != origin:
        raise ValueError(f"it must be made of {', '.join(kinds)}, but has {module!r}.{kind!r}")
    options = layer["config"]
    nested = {"layer", "backward_layer"} if kind == "Bidirectional" else set()
    _check_options({key: value for key, value in options.items() if key not in nested})
    built = layer.get("build_config")  # the input shape for which Keras creates the weights
    if built and (list(built) != ["input_shape"] or built["input_shape"][1:] != list(shape)):
        raise ValueError(f"a layer gets input {list(shape)}, but is built for {built}")
    return kinds[kind](options, shape)


def _check_options(options: Any) -> None:
    """Raises ValueError if options name a class or a function that is not allowed."""
    if isinstance(options, list):
        for item in options:
            _check_options(item)
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
    for value in options.values():
        _check_options(value)


def _input_shape(layer: Mapping[str, Any]) -> Shape:
    """Returns the shape (T, F) of the samples that a network takes."""
    kind, options = (layer["module"], layer["class_name"]), layer["config"]
    batch, steps, features = options["batch_shape"]
    _check_options(options)
    allowed = kind == ("keras.layers", "InputLayer") and options["dtype"] == "float32"
    if not allowed or layer["registered_name"] or layer["inbound_nodes"] or batch not in (None, 1):
        raise ValueError("it must begin with an input of batch size 1 or of any batch size")
    shape = _positive_integer(steps), _positive_integer(features)
    size = math.prod(shape)
    if size > MAX_INPUT_NUMBERS:
        raise ValueError(f"a sample may have {MAX_INPUT_NUMBERS:,} numbers, but has {size:,}")
    return shape


def _positive_integer(number: Any) -> int:
    if type(number) is not int or not 1 <= number <= MAX_NETWORK_BYTES:
        raise ValueError(f"sizes must be whole numbers from 1 on, but one is {number!r}")
    return number


def _dense(options: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    units = _positive_integer(options["units"])
    return units * (shape[-1] + bool(options["use_bias"])), (*shape[:-1], units)


def _conv1d(options: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    steps, features = shape
    filters, (width,) = _positive_integer(options["filters"]), options["kernel_size"]
    layout = options["padding"], options["strides"], options["dilation_rate"], options["groups"]
    if layout != ("causal", [1], [1], 1) or options["data_format"] != "channels_last":
        raise ValueError("its convolutions must be causal, at every step and over all features")
    return filters * (_positive_integer(width) * features + 1), (steps, filters)


def _recurrent(gates: int, biases: int) -> LayerRule:
    """Returns the rule of a recurrent layer with `gates` kernels and `biases` biases for each."""

    def rule(options: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
        steps, features = shape
        units = _positive_integer(options["units"])
        output = (steps, units) if options["return_sequences"] else (units,)
        return gates * units * (features + units + biases), output

    return rule


def _bidirectional(options: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    (forward, output), (backward, backward_output) = (
        _checked_layer(options[key], shape, RECURRENT) for key in ("layer", "backward_layer")
    )
    if options["merge_mode"] != "concat" or output != backward_output:
        raise ValueError("the two directions of a layer must be equal in shape and concatenated")
    return forward + backward, (*output[:-1], 2 * output[-1])


def _lstm_1997(options: Mapping[str, Any], shape: Shape) -> tuple[int, Shape]:
    steps, features = shape
    units, size = _positive_integer(options["units"]), _positive_integer(options["block_size"])
    switches = options["output_gate"], options["recurrent_inputs"]
    kinds = options["squashing"], options["biases"]
    known = kinds[0] in list(get_args(Squashing)) and kinds[1] in list(get_args(Biases))
    if units % size or not all(type(switch) is bool for switch in switches) or not known:
        raise ValueError(f"its LSTM of 1997 has options that do not exist: {dict(options)}")
    output_gate, recurrent_inputs = switches
    gates = units // size * (1 + output_gate)
    hidden = units + gates
    biases = {"none": 0, "gates": gates, "hidden": hidden, "all": hidden}[kinds[1]]
    weights = hidden * (features + hidden * recurrent_inputs) + biases
    width = units if recurrent_inputs else features + units
    return weights, (steps, width) if options["return_sequences"] else (width,)


OWN_LAYERS = {"LSTM1997": ("lstm_bench.training._lstm_1997", "lstm_bench>LSTM1997")}
"""The module and the registered name of each layer of this package."""
RECURRENT: Mapping[str, LayerRule] = {
    "LSTM": _recurrent(4, 1),
    "GRU": _recurrent(3, 2),
    "SimpleRNN": _recurrent(1, 1),
    "LSTM1997": _lstm_1997,
}
LAYERS: Mapping[str, LayerRule] = {
    "Dense": _dense,
    "Conv1D": _conv1d,
    **RECURRENT,
    "Bidirectional": _bidirectional,
    "Dropout": lambda options, shape: (0, shape),
    "Flatten": lambda options, shape: (0, (math.prod(shape),)),
}
"""The allowed layers and their rules."""


def _stored_numbers(data: bytes) -> int:
    """Returns how many numbers an HDF5 file stores; raises ValueError if any lie elsewhere."""
    size, count, entries = 0, 0, 0
    with h5py.File(io.BytesIO(data), "r") as file:
        pending = [file["/"]]
        while pending:
            group = pending.pop()
            for name in group:
                entries += 1  # groups may contain one another in a circle
                is_hard_link = type(group.get(name, getlink=True)) is h5py.HardLink
                if entries > MAX_WEIGHT_ENTRIES or not is_hard_link:
                    raise ValueError("its weights must lie in its own file, each once")
                entry = group[name]
                if isinstance(entry, h5py.Group):
                    pending.append(entry)
                    continue
                _check_dataset(entry)
                size, count = size + int(entry.nbytes), count + int(entry.size)
                if size > len(data):
                    raise ValueError("its weights must be no larger than its file")
    return count


def _check_dataset(dataset: Any) -> None:
    """Raises ValueError unless the numbers of a dataset are in the file, and uncompressed."""
    name = dataset.name
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype not in (np.float32, np.float64):
        raise ValueError(f"its weights must be floating point numbers, but {name!r} is not")
    encoded = dataset.external or dataset.is_virtual or dataset.chunks or dataset.compression
    if encoded or dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(f"its weights must lie uncompressed in its file, but {name!r} does not")
