"""From a recipe to a Keras model.

Two readings of one network: `plain`, as a tutorial would write it, and one that XLA can compile.
They hold the same weights in the same order; only where the loop over time runs differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_bench.recipes import Recipe
from lstm_bench.seeds import integer, stream

RECURRENT: dict[str, Callable[..., keras.layers.RNN]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}


def build(
    recipe: Recipe, input_shape: tuple[int, int], outputs: int, batch: int | None, plain: bool
) -> keras.Model:
    """Returns the network for inputs (batch, T, F) with `outputs` values an answer.

    `input_shape` is (T, F). `batch` must be given for a stateful network. `plain` leaves every
    layer option at Keras's default; otherwise the layers are made for XLA.
    """
    inputs = keras.Input(batch_shape=(batch, *input_shape))
    x = MODELS[recipe.network](recipe, inputs, input_shape[0], plain)
    # A Dense layer on (B, T, units) answers at every step with the same weights.
    answers = keras.layers.Dense(outputs, activation=recipe.output, name="output")(x)
    return keras.Model(inputs, answers, name=recipe.network)


def _recurrent(recipe: Recipe, x: Any, steps: int, plain: bool) -> Any:
    options: dict[str, Any] = {"stateful": recipe.stateful}
    if not plain:
        options["unroll"] = steps == 1  # no loop at all
        if recipe.network != "simple_rnn":
            options["use_cudnn"] = False
    for number in range(1, recipe.layers + 1):
        every = recipe.framing.every_step or number < recipe.layers
        name = f"rnn_{number}"
        layer = RECURRENT[recipe.network](
            recipe.units, return_sequences=every, name=name, **options
        )
        if recipe.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=name)
        x = _dropped(recipe, layer(x))
    return x


def _mlp(recipe: Recipe, x: Any, steps: int, plain: bool) -> Any:
    if not recipe.framing.every_step:
        x = keras.layers.Flatten()(x)
    for number in range(1, recipe.layers + 1):
        layer = keras.layers.Dense(recipe.units, activation="relu", name=f"dense_{number}")
        x = _dropped(recipe, layer(x))
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
        x = _dropped(recipe, layer(x))
    return x if recipe.framing.every_step else keras.layers.Flatten()(x)


def _dropped(recipe: Recipe, x: Any) -> Any:
    """Returns `x` with dropout (Srivastava et al. 2014) after a hidden layer, where asked for.

    The one thing that the engines do not share to the last digit: from the same seed XLA draws
    other numbers than TensorFlow does outside it.
    """
    return keras.layers.Dropout(recipe.dropout, seed=0)(x) if recipe.dropout else x


MODELS: dict[str, Callable[[Recipe, Any, int, bool], Any]] = {
    **dict.fromkeys(RECURRENT, _recurrent),
    "mlp": _mlp,
    "conv1d": _conv1d,
}


def multiply_adds(model: keras.Model) -> int:
    """Returns the multiplications by weights in one sample's way through `model`, forward.

    Those of a kernel are its elements, once for every time step of what it is applied to; the
    handful of products of a gate's own state are not counted.
    """
    total = 0
    for layer in model.layers:
        kernels = sum(math.prod(w.shape) for w in layer.trainable_variables if w.name != "bias")
        if kernels:
            total += kernels * math.prod(layer.input.shape[1:-1])
    return total


def states(model: keras.Model) -> list[Any]:
    """Returns the state variables of a stateful model, layer by layer; empty if there are none."""
    return [
        state
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and layer.stateful
        for state in layer.states
    ]


def reset_states(model: keras.Model) -> None:
    """Clears the state of every stateful layer."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_state()


def noise(model: keras.Model) -> list[Any]:
    """Returns the state of each dropout layer's random stream; empty if there are none."""
    layers = (layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    return [layer.seed_generator.state for layer in layers]


def initial_noise(model: keras.Model, seed: int) -> list[NDArray[np.int64]]:
    """Returns where the streams in `noise` start for `seed`: Keras's own pair (seed, draws)."""
    return [
        np.array([integer(seed, "dropout", number), 0], state.dtype)
        for number, state in enumerate(noise(model))
    ]


def initial_weights(model: keras.Model, seed: int) -> list[NDArray[np.float32]]:
    """Returns the starting weights of `seed`, in the order of `model.trainable_variables`.

    Kernels are drawn as Keras's default initializers prescribe (`glorot_uniform`, and `orthogonal`
    for recurrent kernels), each from an `init` stream of its own; biases are constants. Networks
    that share a weight's shape and place share its value.
    """
    values = []
    for number, variable in enumerate(model.trainable_variables):
        rng = stream(seed, "init", number)
        draw = INITIALIZERS.get(variable.name)
        drawn = draw(rng, tuple(variable.shape)) if draw else np.asarray(variable)
        values.append(drawn.astype(np.float32))
    return values


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Returns uniform draws within sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010, eq. 16)."""
    field = math.prod(shape[:-2])  # 1 for a Dense kernel, the kernel size for a convolution
    limit = math.sqrt(6 / (field * (shape[-2] + shape[-1])))
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
"""How each weight starts, by its Keras name; the others keep the constant that Keras gave them."""
