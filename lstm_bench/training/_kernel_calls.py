"""Makes XLA programs call the kernels of `_kernels` for their recurrent layers.

TensorFlow can compile a call of native code, but its Python package has no function to register
such code. So it is registered with the C++ function of the library that TensorFlow brings, on Linux
only. Where that is not possible, programs are built from XLA's own operations: see `available`.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.ops import gen_xla_ops

from lstm_bench.training._lstm_1997 import LSTM1997
from lstm_bench.training._models import recurrent_parts

KERNELS = "lstm_bench.training._kernels"
LIBRARY = "libtensorflow_cc.so.2"
REGISTRY = "_ZN3xla24CustomCallTargetRegistry"
STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"

BLOCK = 256
"""Rows, over some time steps, for which inputs and gradients of weights are computed at once."""
LONG = 20
"""Time steps from which a kernel is faster than XLA's own loop even for single rows; measured, see
LOG.md. Two rows and more are nearly always faster with a kernel."""

STATES = {"lstm": 2, "gru": 1, "simple_rnn": 1}
"""The states of each network: h and, for an LSTM, c."""
GATES = {"lstm": 4, "gru": 4, "simple_rnn": 0}
"""The values, for each unit and step, that the gradient needs besides the states."""
LSTM_1997 = "lstm_1997"
"""The network with a kernel of other operands and results, in `_kernel_1997`."""

_registering = threading.Lock()


class _String(ctypes.Structure):
    """A `std::string` of GNU's C++ library: its address, its length and 16 more bytes."""

    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t), ("rest", ctypes.c_char * 16)]


@functools.cache
def available() -> bool:
    """Returns whether programs can call kernels here: on Linux with GNU's C++ library and Numba."""
    try:
        _functions()
        if importlib.import_module(KERNELS).config.DISABLE_JIT:
            return False
    except (OSError, AttributeError, ImportError):
        return False
    return hasattr(gen_xla_ops, "xla_custom_call_v2")


def calls_kernels(network: str, steps: int, rows: int, truncate: int | None = None) -> bool:
    """Returns whether programs call kernels for `network` with batches of `rows` samples.

    With `truncate` they do so wherever they can: XLA's own loop would be one loop for each slice.
    """
    known = network in STATES or network == LSTM_1997
    pays = steps >= LONG or (rows > 1 and steps > 1) or truncate is not None
    return known and pays and available()


def prepare() -> None:
    """Loads Numba, if programs can call kernels: that takes a second, and forks share it."""
    if available():
        registry = importlib.import_module(KERNELS).cpu_target
        registry.typing_context.refresh()
        registry.target_context.refresh()


@functools.cache
def _functions() -> tuple[Any, Any]:
    """Returns XLA's functions for its registry of native code and for adding to it."""
    if not sys.platform.startswith("linux"):
        raise OSError("XLA's registry is only known on Linux")
    library = ctypes.CDLL(str(Path(tf.__file__).parent / LIBRARY))
    registry = library[f"{REGISTRY}6GlobalEv"]
    register = library[f"{REGISTRY}8RegisterERK{STRING}PvS8_"]
    registry.argtypes, registry.restype = [], ctypes.c_void_p
    string = ctypes.POINTER(_String)
    register.argtypes, register.restype = [ctypes.c_void_p, string, ctypes.c_void_p, string], None
    return registry, register


def _target(network: str) -> str:
    """Registers the kernel of `network` and returns the name by which programs call it.

    XLA ends the process when it gets a name with another address. So threads register one after
    the other, and the address is part of the name.
    """
    with _registering:
        return _registered(network)


@functools.cache
def _registered(network: str) -> str:
    from lstm_bench.training import _kernel_1997, _kernels

    registry, register = _functions()
    kernel = _kernel_1997.kernel() if network == LSTM_1997 else _kernels.kernel(network)
    address = kernel.address
    name = f"lstm_bench_{network}_{address:x}"
    names = [_String(text, len(text)) for text in (name.encode(), b"Host")]
    register(registry(), names[0], address, names[1])
    return name


def use_kernels(model: keras.Model, truncate: int | None = None) -> None:
    """Makes each recurrent layer of `model` call a kernel for its loop over time.

    With `truncate` the gradient is cut after every so many time steps; see `_truncation`. This
    changes the layers of `model`, so call it only once.
    """
    for layer in model.layers:
        for part in recurrent_parts(layer):
            first = isinstance(layer.input._keras_history.operation, keras.layers.InputLayer)
            if isinstance(part, LSTM1997):
                part.inner_loop = functools.partial(_inner_loop_1997, part, not first)
            else:
                part.inner_loop = functools.partial(_inner_loop, part, not first, truncate)


def _inner_loop(
    layer: Any,
    wants_d_x: bool,
    truncate: int | None,
    sequences: Any,
    initial_state: Any,
    mask: Any,
    training: bool,
) -> tuple[Any, Any, list[Any]]:
    """Returns the last output, all outputs (B, T, U) and the states: Keras's `RNN.inner_loop`."""
    network = type(layer).__name__.lower().replace("simplernn", "simple_rnn")
    x = tf.transpose(sequences, [1, 0, 2])
    x = tf.reverse(x, [0]) if layer.go_backwards else x
    weights = [keras.ops.convert_to_tensor(w) for w in layer.cell.trainable_variables]
    states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
    output, *states = _layer(network, layer.return_sequences, training, wants_d_x, truncate)(
        x, *weights, *states
    )
    if not layer.return_sequences:
        return output, output[:, None], states
    return states[0], tf.transpose(output, [1, 0, 2]), states


def _layer(
    network: str, every_step: bool, training: bool, wants_d_x: bool, truncate: int | None = None
) -> Any:
    """Returns a function of x (T, B, F), the weights and the states (B, U) with a gradient.

    It returns the output, (T, B, U) or (B, U), and the new states. No gradient flows through the
    states: a run clears them or carries them as numbers.
    """
    target = _target(network)

    def forward(x: Any, kernel: Any, recurrent: Any, bias: Any, *states: Any) -> Any:
        steps, rows, features = x.shape
        units = recurrent.shape[0]
        h_slots = steps + 1 if training or every_step else 1
        slots = steps + 1 if training else 1
        block = max(1, min(steps, BLOCK // rows))
        gates = (steps if training else block) * GATES[network] or block
        shapes = [
            (h_slots, rows, units),
            (gates, rows, units),
            *[(slots, rows, units)] * (STATES[network] - 1),
        ]
        sizes = [steps, rows, features, units, block]
        cut = truncate or steps
        operands = [x, kernel, recurrent, bias, *states]
        h, kept, *c = _call(target, [*sizes, 0, training, every_step, cut], operands, shapes)

        def gradient(d_output: Any, *d_states: Any) -> list[Any]:
            shapes = [kernel.shape, recurrent.shape, bias.shape]
            shapes.append(x.shape if wants_d_x else (1,))
            operands = [x, kernel, recurrent, d_output, h, kept, *c]
            results = _call(target, [*sizes, 1, wants_d_x, every_step, cut], operands, shapes)
            *weights, d_x = results
            return [d_x if wants_d_x else None, *weights, *[None] * len(states)]

        output = h[1:] if every_step else h[-1]
        return (output, h[-1], *(value[-1] for value in c)), gradient

    return tf.custom_gradient(forward)


def _inner_loop_1997(
    layer: Any, wants_d_x: bool, sequences: Any, initial_state: Any, mask: Any, training: bool
) -> tuple[Any, Any, list[Any]]:
    """Returns what `_inner_loop` returns, for a layer of `_lstm_1997`."""
    cell = layer.cell
    x = tf.transpose(sequences, [1, 0, 2])
    x = tf.reverse(x, [0]) if layer.go_backwards else x
    kernel = keras.ops.convert_to_tensor(cell.kernel)
    width = kernel.shape[1]
    recurrent, bias = tf.zeros((1,)), tf.zeros(width)
    if cell.recurrent_inputs:
        recurrent = keras.ops.convert_to_tensor(cell.recurrent_kernel)
    if cell.biases != "none":
        bias = keras.ops.convert_to_tensor(cell.bias)
        bias = tf.pad(bias, [[width - bias.shape[0], 0]])
    operands = [x, kernel, recurrent, bias, *initial_state]
    output, *states = _layer_1997(cell, layer.return_sequences, wants_d_x)(*operands)
    if not layer.return_sequences:
        output = output if cell.recurrent_inputs else tf.concat([x[-1], output], -1)
        return output, output[:, None], states
    output = output if cell.recurrent_inputs else tf.concat([x, output], -1)
    return output[-1], tf.transpose(output, [1, 0, 2]), states


def _layer_1997(cell: Any, every_step: bool, wants_d_x: bool) -> Any:
    """Returns a function of x (T, B, F), the weights and the states a and s; see `_layer`."""
    target, units = _target(LSTM_1997), cell.units
    options = [cell.output_gate, cell.squashing == "symmetric", cell.recurrent_inputs]

    def forward(x: Any, kernel: Any, recurrent: Any, bias: Any, a: Any, s: Any) -> Any:
        steps, rows, features = x.shape
        sizes = [steps, rows, features, units, units // cell.block_size]
        shapes = [(steps + 1, rows, kernel.shape[1]), (rows, units), *[(steps, rows, units)] * 2]
        operands = [x, kernel, recurrent, bias, a, s]
        a, s, *kept = _call(target, [*sizes, 0, 0, every_step, *options], operands, shapes)

        def gradient(d_output: Any, *d_states: Any) -> list[Any]:
            shapes = [kernel.shape, recurrent.shape, bias.shape]
            shapes.append(x.shape if wants_d_x else (1,))
            results = _call(
                target,
                [*sizes, 1, wants_d_x, every_step, *options],
                [x, kernel, d_output, a, *kept],
                shapes,
            )
            *weights, d_x = results
            return [d_x if wants_d_x else None, *weights, None, None]

        output = a[1:] if every_step else a[-1]
        return (output[..., :units], a[-1], s), gradient

    return tf.custom_gradient(forward)


def _call(target: str, sizes: list[int], operands: list[Any], shapes: list[Any]) -> list[Any]:
    """Returns the results of the kernel `target`, arrays of `shapes`; `sizes`: see `_kernels`."""
    results: list[Any] = gen_xla_ops.xla_custom_call_v2(
        [tf.constant(np.array(sizes, np.int32)), *operands],
        call_target_name=target,
        backend_config="",
        has_side_effect=False,
        result_dtypes=[tf.float32] * len(shapes),
        result_shapes=[tf.TensorShape(shape) for shape in shapes],
    )
    return results
