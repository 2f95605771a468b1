"""The part of a script that defines its network: read from the Keras model, layer by layer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from lstm_bench.export._literals import expression, number

WEIGHTS = '''\
def draw(number, variable):
    """Sets the starting weights: uniform (Glorot & Bengio 2010) or orthogonal, as Keras does."""
    rng = stream(2, number)  # 2: initial weights
    if variable.name == "kernel":
        limit = np.sqrt(6 / {fans})
        variable.assign(rng.uniform(-limit, limit, variable.shape))
{orthogonal}\


for number, variable in enumerate(model.trainable_variables):
    draw(number, variable)
'''

ORTHOGONAL = """\
    elif variable.name == "recurrent_kernel":
        rows, columns = variable.shape
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        variable.assign(q if rows >= columns else q.T)
"""

NOT_WRITTEN = {"name", "dtype", "trainable"}
"""Settings of a layer that change nothing here."""


def network(model: keras.Model) -> str:
    """Returns the code that makes and compiles `model`, a chain of layers."""
    batch, *shape = model.input.shape
    if batch is None:
        first = f"keras.Input({tuple(shape)}),"
    else:
        first = f"keras.Input(batch_shape={(batch, *shape)}),  # a kept state has one row a sample"
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    lines = ["model = keras.Sequential(", "    [", f"        {first}"]
    lines += [f"        {written(layer)}," for layer in layers]
    lines += ["    ]", ")"]
    options = [f"loss={expression(model.loss)}", f"optimizer={written(model.optimizer)}"]
    compiled = f"model.compile({', '.join(options)})"
    if len(compiled) > 92:
        compiled = "\n".join(["model.compile(", *(f"    {each}," for each in options), ")"])
    lines.append(compiled)
    return "\n".join(lines) + "\n"


def weights(model: keras.Model) -> str:
    """Returns the code that draws the starting weights of `model`."""
    variables = model.trainable_variables
    field = any(v.name == "kernel" and len(v.shape) > 2 for v in variables)
    fans = "(np.prod(variable.shape[:-2]) * sum(variable.shape[-2:]))"
    fans = fans if field else "sum(variable.shape)"
    recurrent = any(v.name == "recurrent_kernel" for v in variables)
    code = WEIGHTS.format(fans=fans, orthogonal=ORTHOGONAL if recurrent else "")
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    for place, layer in enumerate(layers):
        if isinstance(layer, keras.layers.Dropout):
            start = np.asarray(layer.seed_generator.state).tolist()  # as `prepared` left it
            code += f"model.layers[{place}].seed_generator.state.assign({start})\n"
    return code


def stateful(model: keras.Model) -> list[int]:
    """Returns the places of the layers that keep a state, in a `Sequential` of the same layers."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    return [number for number, layer in enumerate(layers) if getattr(layer, "stateful", False)]


def written(made: Any) -> str:
    """Returns the expression that makes `made`, a layer or optimizer; what is default is left out.

    >>> written(keras.layers.LSTM(20, stateful=True))
    'keras.layers.LSTM(20, stateful=True)'
    >>> written(keras.optimizers.SGD(0.05, momentum=0.9))
    'keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)'
    >>> written(keras.layers.Bidirectional(keras.layers.GRU(8)))
    'keras.layers.Bidirectional(keras.layers.GRU(8))'
    """
    family = "optimizers" if isinstance(made, keras.optimizers.Optimizer) else "layers"
    config = made.get_config()
    parameters = list(inspect.signature(type(made).__init__).parameters.values())[1:]
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    needed = [p.name for p in named if p.default is p.empty]
    plain = type(made)(**{name: _value(config[name]) for name in needed}).get_config()
    arguments = [_shown(config[name]) for name in needed]
    arguments += [f"{key}={_shown(value)}" for key, value in _differing(config, plain, needed)]
    return f"keras.{family}.{type(made).__name__}({', '.join(arguments)})"


def _differing(
    config: Mapping[str, Any], plain: Mapping[str, Any], needed: list[str]
) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if key in NOT_WRITTEN or key in needed:
            continue
        # The way back through a Bidirectional is a layer that Keras makes itself.
        if value != plain.get(key) and key != "backward_layer":
            yield key, value


def _value(value: Any) -> Any:
    """Returns the layer that a configuration describes, and other values as they are."""
    if isinstance(value, Mapping) and "class_name" in value:
        return keras.layers.deserialize(dict(value))
    return value


def _shown(value: Any) -> str:
    value = _value(value)
    if isinstance(value, keras.layers.Layer):
        return written(value)
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]  # a kernel size of (3,) is 3
    if isinstance(value, float) and value == np.float32(value):
        return number(float(str(np.float32(value))))  # 0.05, which Keras keeps as 0.0500000007
    return expression(value)
