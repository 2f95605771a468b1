"""Builds the Keras model of a recipe.

Each network comes in two versions: `plain`, as a tutorial would write it, and one that XLA can
compile. Both have the same weights in the same order; they differ only in where the loop over time
runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe
from lstm_bench.seeds import integer_seed, stream
from lstm_bench.training import _lstm_1997 as lstm_1997
from lstm_bench.training._own_network import checked_own, is_own, own_weights, random_states

RECURRENT: dict[str, Callable[..., keras.layers.RNN]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm_1997": lstm_1997.LSTM1997,
}


def build(
    recipe: Recipe, input_shape: tuple[int, int], outputs: int, batch: int | None, plain: bool
) -> keras.Model:
    """Returns the network for inputs (batch, T, F) with `outputs` values per output.

    `input_shape` is (T, F). A stateful network needs `batch`. `plain` leaves all layer options at
    the defaults of Keras; otherwise the layers are built for XLA. Raises `RecipeError` for a
    network of the user's own that breaks a rule.
    """
    if recipe.own_network is not None:
        return checked_own(recipe, input_shape, output_shape(recipe, input_shape, outputs))
    inputs = keras.Input(batch_shape=(batch, *input_shape))
    x = MODELS[recipe.network](recipe, inputs, input_shape[0], plain)
    # A Dense layer on (B, T, units) gives an output at every step, with the same weights.
    head = keras.layers.Dense(
        outputs,
        activation=recipe.output,
        use_bias=recipe.biases in (None, "all"),
        name="output",
    )
    return keras.Model(inputs, head(x), name=recipe.network)


def output_shape(recipe: Recipe, input_shape: tuple[int, int], outputs: int) -> tuple[int, ...]:
    """Returns the shape of the outputs for one sample: (K,), or (T, K) with one at every step."""
    return (input_shape[0], outputs) if recipe.framing.every_step else (outputs,)


def _recurrent(recipe: Recipe, x: Any, steps: int, plain: bool) -> Any:
    options: dict[str, Any] = {"stateful": recipe.stateful}
    if not plain:
        options["unroll"] = steps == 1  # no loop at all
        if recipe.network in ("lstm", "gru"):
            options["use_cudnn"] = False
    if recipe.network == "lstm_1997":
        options |= lstm_1997.layer_options(recipe)
    for number in range(1, recipe.layers + 1):
        sequences = recipe.framing.every_step or number < recipe.layers
        name = f"rnn_{number}"
        layer = RECURRENT[recipe.network](
            recipe.units, return_sequences=sequences, name=name, **options
        )
        if recipe.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=name)
        x = _dropout(recipe, layer(x))
    return x


def _mlp(recipe: Recipe, x: Any, steps: int, plain: bool) -> Any:
    if not recipe.framing.every_step:
        x = keras.layers.Flatten()(x)
    for number in range(1, recipe.layers + 1):
        layer = keras.layers.Dense(recipe.units, activation="relu", name=f"dense_{number}")
        x = _dropout(recipe, layer(x))
    return x


def _conv1d(recipe: Recipe, x: Any, steps: int, plain: bool) -> Any:
    """Causal convolutions over time (van den Oord et al. 2016, section 2.1, undilated)."""
    for number in range(1, recipe.layers + 1):
        layer = keras.layers.Conv1D(
            recipe.units,
            recipe.kernel_size,
            padding="causal",
            activation="relu",
            name=f"conv_{number}",
        )
        x = _dropout(recipe, layer(x))
    return x if recipe.framing.every_step else keras.layers.Flatten()(x)


def _dropout(recipe: Recipe, x: Any) -> Any:
    """Returns `x` after dropout (Srivastava et al. 2014), or unchanged if the recipe has none.

    This is the only part in which the engines differ by more than rounding: from the same seed,
    XLA draws other numbers than TensorFlow does without XLA.
    """
    return keras.layers.Dropout(recipe.dropout, seed=0)(x) if recipe.dropout else x


MODELS: dict[str, Callable[[Recipe, Any, int, bool], Any]] = {
    **dict.fromkeys(RECURRENT, _recurrent),
    "mlp": _mlp,
    "conv1d": _conv1d,
}


def multiply_adds(model: keras.Model) -> int:
    """Returns the multiplications by weights in the forward pass of one sample.

    A kernel counts all its elements once for each time step of its input. The few products between
    gates and states are not counted. All kernels of a user's own network count so, for each time
    step of its input.
    """
    if is_own(model):
        kernels = sum(math.prod(v.shape) for v in model.trainable_variables if len(v.shape) > 1)
        return kernels * int(model.input_shape[1])
    total = 0
    for layer in model.layers:
        kernels = sum(math.prod(w.shape) for w in layer.trainable_variables if w.name != "bias")
        if kernels:
            total += kernels * math.prod(layer.input.shape[1:-1])
    return total


def state_variables(model: keras.Model) -> list[Any]:
    """Returns the state variables of all stateful layers, in order; empty if there are none."""
    return [
        state
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and layer.stateful
        for state in layer.states
    ]


def has_no_gradient(model: keras.Model) -> list[bool]:
    """Returns for each trainable weight whether its gradient is always zero.

    So is that of a recurrent kernel which is only multiplied by a state of zeros: in a network that
    reads one time step and keeps no state. No optimizer changes such a weight.
    """
    if is_own(model):
        return [False] * len(model.trainable_variables)
    unused = []
    for layer in model.layers:
        for part in recurrent_parts(layer):
            if layer.input.shape[1] == 1 and not part.stateful:
                unused.append(getattr(part.cell, "recurrent_kernel", None))
    return [any(v is weight for weight in unused) for v in model.trainable_variables]


def recurrent_parts(layer: keras.Layer) -> list[keras.layers.RNN]:
    """Returns the parts of `layer` that are recurrent; see `layer_parts`."""
    return [part for part in layer_parts(layer) if isinstance(part, keras.layers.RNN)]


def layer_parts(layer: keras.Layer) -> list[keras.Layer]:
    """Returns both layers of a bidirectional one, otherwise `layer` alone."""
    bidirectional = isinstance(layer, keras.layers.Bidirectional)
    return [layer.forward_layer, layer.backward_layer] if bidirectional else [layer]


def reset_states(model: keras.Model) -> None:
    """Clears the state of every stateful layer."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_state()


def dropout_variables(model: keras.Model) -> list[Any]:
    """Returns the random state variable of each dropout layer; empty if there are none."""
    if is_own(model):
        return random_states(model)
    layers = (layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    return [layer.seed_generator.state for layer in layers]


def initial_dropout_states(model: keras.Model, seed: int) -> list[NDArray[np.int64]]:
    """Returns the start values of `dropout_variables` for `seed`: Keras's pairs (seed, draws)."""
    return [
        np.array([integer_seed(seed, "dropout", number), 0], state.dtype)
        for number, state in enumerate(dropout_variables(model))
    ]


def initial_weights(model: keras.Model, recipe: Recipe, seed: int) -> list[NDArray[np.float32]]:
    """Returns the initial weights of `seed`, in the order of `model.trainable_variables`.

    Kernels are drawn from the distributions of Keras's default initializers (`glorot_uniform`, and
    `orthogonal` for recurrent kernels), each from a separate `init` stream; biases are constants,
    unless the recipe has a `forget_bias`. A weight has the same value in all networks where it has
    the same shape and position. Those of an lstm_1997 are drawn as its recipe says, those of a
    user's own network by the initializers of its layers.
    """
    if recipe.own_network is not None:
        return own_weights(recipe, model.input_shape[1:], model.output_shape[1:], seed)
    if recipe.network == "lstm_1997":
        return lstm_1997.initial_weights(model, recipe, seed)
    values = []
    gates = [part.cell.bias for layer in model.layers for part in recurrent_parts(layer)]
    for number, variable in enumerate(model.trainable_variables):
        rng = stream(seed, "init", number)
        draw = INITIALIZERS.get(variable.name)
        drawn = draw(rng, tuple(variable.shape)) if draw else np.asarray(variable)
        if recipe.forget_bias is not None and any(variable is bias for bias in gates):
            drawn = lstm_biases(recipe, rng)
        values.append(drawn.astype(np.float32))
    return values


def lstm_biases(recipe: Recipe, rng: np.random.Generator) -> NDArray[np.floating]:
    """Returns the biases (4U,) of an LSTM layer whose recipe has a `forget_bias`: i, f, c, o.

    A number is the bias of every forget gate. With "chrono" the forget gates have log u, where u is
    uniform between 1 and the longest time less 1, and the input gates the negative of it (Tallec &
    Ollivier 2018, equation 16).
    """
    units = recipe.units
    biases = np.zeros(4 * units)
    if recipe.forget_bias == "chrono":
        drawn = np.log(rng.uniform(1, recipe.longest_dependency - 1, units))
        biases[: 2 * units] = np.concatenate([-drawn, drawn])
    else:
        biases[units : 2 * units] = recipe.forget_bias
    return biases


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Returns uniform draws within sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010, eq. 16)."""
    kernel_size = math.prod(shape[:-2])  # 1 for a Dense kernel
    limit = math.sqrt(6 / (kernel_size * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Returns a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)."""
    rows, columns = shape
    drawn = rng.standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    return q if rows >= columns else q.T


INITIALIZERS: dict[str, Callable[..., NDArray[np.floating]]] = {
    "kernel": glorot_uniform,
    "recurrent_kernel": orthogonal,
}
"""The initializer of each kind of weight, by its Keras name; others keep Keras's constant."""
