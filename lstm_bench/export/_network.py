"""The part of a script that defines its network, read from the Keras model layer by layer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from lstm_bench.export._definitions import is_own
from lstm_bench.export._literals import number_literal, value_literal
from lstm_bench.recipes import Recipe

WEIGHTS = '''\
def draw(number, variable):
    """Sets the initial weights: uniform (Glorot & Bengio 2010) or orthogonal, as Keras does."""
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

UNIFORM_WEIGHTS = '''\
def draw(number, variable):
    """Sets the initial weights: uniform within +-{limit}."""
    value = stream(2, number).uniform(-{limit}, {limit}, variable.shape)  # 2: initial weights
{biases}    variable.assign(value)


for number, variable in enumerate(model.trainable_variables):
    draw(number, variable)
'''

OMITTED_SETTINGS = {"name", "dtype", "trainable"}
"""Settings of a layer that make no difference in a script."""


def network_code(model: keras.Model) -> str:
    """Returns the code that builds and compiles `model`, a chain of layers."""
    batch, *shape = model.input.shape
    if batch is None:
        first = f"keras.Input({tuple(shape)}),"
    else:
        first = f"keras.Input(batch_shape={(batch, *shape)}),  # stateful: a fixed batch size"
    lines = ["model = keras.Sequential(", "    [", f"        {first}"]
    lines += [f"        {constructor_call(layer)}," for layer in _layers(model)]
    lines += ["    ]", ")"]
    options = [
        f"loss={model.loss.__name__ if callable(model.loss) else value_literal(model.loss)}",
        f"optimizer={constructor_call(model.optimizer)}",
    ]
    compiled = f"model.compile({', '.join(options)})"
    if len(compiled) > 92:
        compiled = "\n".join(["model.compile(", *(f"    {option}," for option in options), ")"])
    lines.append(compiled)
    return "\n".join(lines) + "\n"


def initial_weights_code(model: keras.Model, recipe: Recipe) -> str:
    """Returns the code that draws the initial weights of `model`, a network of `recipe`."""
    variables = model.trainable_variables
    convolution = any(v.name == "kernel" and len(v.shape) > 2 for v in variables)
    fans = "(np.prod(variable.shape[:-2]) * sum(variable.shape[-2:]))"
    fans = fans if convolution else "sum(variable.shape)"
    recurrent = any(v.name == "recurrent_kernel" for v in variables)
    code = WEIGHTS.format(fans=fans, orthogonal=ORTHOGONAL if recurrent else "")
    if recipe.initial_range is not None:
        limit = number_literal(recipe.initial_range)
        code = UNIFORM_WEIGHTS.format(limit=limit, biases=_gate_biases(model, recipe))
    for index, layer in enumerate(_layers(model)):
        if isinstance(layer, keras.layers.Dropout):
            state = np.asarray(layer.seed_generator.state).tolist()  # set by `prepared_model`
            code += f"model.layers[{index}].seed_generator.state.assign({state})\n"
    return code


def _gate_biases(model: keras.Model, recipe: Recipe) -> str:
    """Returns the lines that set the initial biases of gates, for those that the recipe states."""
    gated = [
        (number, variable.shape[0])
        for number, variable in enumerate(model.trainable_variables)
        if variable.name == "bias" and not variable.path.startswith("output/")
    ]
    if not gated or not recipe.gate_biases:
        return ""
    lines = [f"    if number in {[number for number, _ in gated]}:  # the biases of the gates"]
    for begin, values in recipe.gate_biases:
        first = gated[0][1] + begin
        listed = ", ".join(map(number_literal, values))
        lines.append(f"        value[{first}:{first + len(values)}] = [{listed}]")
    return "\n".join(lines) + "\n"


def stateful_layers(model: keras.Model) -> list[int]:
    """Returns the indices of the stateful layers, in a `Sequential` of the same layers."""
    return [i for i, layer in enumerate(_layers(model)) if getattr(layer, "stateful", False)]


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of `model` without its input, which a `Sequential` does not list."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def constructor_call(part: Any) -> str:
    """Returns the call that makes `part`, a layer or an optimizer, without default arguments.

    >>> constructor_call(keras.layers.LSTM(20, stateful=True))
    'keras.layers.LSTM(20, stateful=True)'
    >>> constructor_call(keras.optimizers.SGD(0.05, momentum=0.9))
    'keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)'
    >>> constructor_call(keras.layers.Bidirectional(keras.layers.GRU(8)))
    'keras.layers.Bidirectional(keras.layers.GRU(8))'
    """
    module = "optimizers" if isinstance(part, keras.optimizers.Optimizer) else "layers"
    config = part.get_config()
    parameters = list(inspect.signature(type(part).__init__).parameters.values())[1:]
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    required = [p.name for p in named if p.default is p.empty]
    default = type(part)(**{name: _value(config[name]) for name in required}).get_config()
    arguments = [_argument(config[name]) for name in required]
    arguments += [f"{key}={_argument(value)}" for key, value in _changed(config, default, required)]
    prefix = "" if is_own(type(part)) else f"keras.{module}."
    return f"{prefix}{type(part).__name__}({', '.join(arguments)})"


def _changed(
    config: Mapping[str, Any], default: Mapping[str, Any], required: list[str]
) -> Iterator[tuple[str, Any]]:
    """Yields the settings that differ from their defaults, and are not `required` arguments."""
    for key, value in config.items():
        if key in OMITTED_SETTINGS or key in required:
            continue
        # Keras itself makes the layer that reads backwards in a Bidirectional.
        if value != default.get(key) and key != "backward_layer":
            yield key, value


def _value(value: Any) -> Any:
    """Returns the layer that a configuration describes, and any other value unchanged."""
    if isinstance(value, Mapping) and "class_name" in value:
        return keras.layers.deserialize(dict(value))
    return value


def _argument(value: Any) -> str:
    """Returns the expression for an argument of a layer or an optimizer."""
    value = _value(value)
    if isinstance(value, keras.layers.Layer):
        return constructor_call(value)
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]  # a kernel size of (3,) is 3
    if isinstance(value, float) and value == np.float32(value):
        return number_literal(float(str(np.float32(value))))  # 0.05; Keras keeps 0.0500000007
    return value_literal(value)
