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
{further}\


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

FORGET_BIAS = """\
    elif "lstm_cell" in variable.path:  # biases: input gates, forget gates, cells, output gates
        units = variable.shape[0] // 4
        forget = np.full(units, {value})
        variable.assign(np.concatenate([np.zeros(units), forget, np.zeros(2 * units)]))
"""

CHRONO = """\
    elif "lstm_cell" in variable.path:  # biases: input gates, forget gates, cells, output gates
        units = variable.shape[0] // 4
        forget = np.log(rng.uniform(1, {longest}, units))  # Tallec & Ollivier 2018
        variable.assign(np.concatenate([-forget, forget, np.zeros(2 * units)]))
"""

TRUNCATED = '''\
def truncated(layer, x):
    """Returns the outputs of a recurrent layer; its gradient is cut after every {every}."""
    parts, states = [], None
    for first in range(0, x.shape[1], {steps}):
        output, *states = layer(x[:, first : first + {steps}], initial_state=states)
        states = [keras.ops.stop_gradient(state) for state in states]
        parts.append(output)
    return keras.ops.concatenate(parts, axis=1) if layer.return_sequences else parts[-1]
'''

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

SCHEDULE = keras.optimizers.schedules.LearningRateSchedule


def network_code(model: keras.Model, truncate: int | None = None) -> str:
    """Returns the code that builds and compiles `model`, a chain of layers.

    With `truncate` the gradient of its recurrent layers is cut after every so many time steps.
    """
    batch, *shape = model.input.shape
    comment = "" if batch is None else "  # stateful: a fixed batch size"
    first = f"{tuple(shape)}" if batch is None else f"batch_shape={(batch, *shape)}"
    if truncate is None:
        lines = ["model = keras.Sequential(", "    [", f"        keras.Input({first}),{comment}"]
        lines += [f"        {constructor_call(layer)}," for layer in _layers(model)]
        lines += ["    ]", ")"]
    else:
        lines = [TRUNCATED.format(steps=truncate, every=_time_steps(truncate)), ""]
        lines += [f"x = inputs = keras.Input({first}){comment}"]
        lines += [f"x = {_applied(layer)}" for layer in _layers(model)]
        lines += ["model = keras.Model(inputs, x)"]
    return "\n".join([*lines, compile_code(model)])


def compile_code(model: keras.Model) -> str:
    """Returns the code that compiles `model`, with its loss and its optimizer."""
    lines = []
    optimizer = constructor_call(model.optimizer)
    rate = _value(model.optimizer.get_config()["learning_rate"])
    if isinstance(rate, SCHEDULE):
        call = constructor_call(rate)
        lines += ["# The learning rate falls to 0 over all batches.", f"rate = {call}"]
        optimizer = optimizer.replace(call, "rate")
    loss = model.loss.__name__ if callable(model.loss) else value_literal(model.loss)
    options = [f"loss={loss}", f"optimizer={optimizer}"]
    compiled = f"model.compile({', '.join(options)})"
    if len(compiled) > 92:
        compiled = "\n".join(["model.compile(", *(f"    {option}," for option in options), ")"])
    lines.append(compiled)
    return "\n".join(lines) + "\n"


def _time_steps(count: int) -> str:
    return "time step" if count == 1 else f"{count} time steps"


def _applied(layer: keras.layers.Layer) -> str:
    """Returns the call of `layer` on x, with a truncated gradient if it is recurrent."""
    call = constructor_call(layer)
    if isinstance(layer, keras.layers.RNN):
        return f"truncated({call.removesuffix(')')}, return_state=True), x)"
    return f"{call}(x)"


def initial_weights_code(model: keras.Model, recipe: Recipe) -> str:
    """Returns the code that draws the initial weights of `model`, the network of `recipe`."""
    variables = model.trainable_variables
    convolution = any(v.name == "kernel" and len(v.shape) > 2 for v in variables)
    fans = "(np.prod(variable.shape[:-2]) * sum(variable.shape[-2:]))"
    fans = fans if convolution else "sum(variable.shape)"
    recurrent = any(v.name == "recurrent_kernel" for v in variables)
    further = ORTHOGONAL if recurrent else ""
    if recipe.forget_bias == "chrono":
        further += CHRONO.format(longest=recipe.longest_dependency - 1)
    elif recipe.forget_bias is not None:
        further += FORGET_BIAS.format(value=number_literal(recipe.forget_bias))
    code = WEIGHTS.format(fans=fans, further=further)
    if recipe.initial_range is not None:
        limit = number_literal(recipe.initial_range)
        code = UNIFORM_WEIGHTS.format(limit=limit, biases=_gate_biases(model, recipe))
    for index, layer in script_layers(model, recipe):
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


def stateful_layers(model: keras.Model, recipe: Recipe) -> list[int]:
    """Returns the indices of the stateful layers in the model of a script."""
    return [i for i, layer in script_layers(model, recipe) if getattr(layer, "stateful", False)]


def script_layers(model: keras.Model, recipe: Recipe) -> list[tuple[int, keras.layers.Layer]]:
    """Returns the layers of `model` with their indices in the model of a script.

    A `Sequential` does not list its input; the model of a truncated network does.
    """
    return list(enumerate(_layers(model), start=0 if recipe.truncate is None else 1))


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of `model` without its input, which a `Sequential` does not list."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def constructor_call(part: Any) -> str:
    """Returns the call that makes `part`, without default arguments.

    `part` is a layer, an optimizer or a schedule of learning rates.

    >>> constructor_call(keras.layers.LSTM(20, stateful=True))
    'keras.layers.LSTM(20, stateful=True)'
    >>> constructor_call(keras.optimizers.SGD(0.05, momentum=0.9))
    'keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)'
    >>> constructor_call(keras.layers.Bidirectional(keras.layers.GRU(8)))
    'keras.layers.Bidirectional(keras.layers.GRU(8))'
    """
    module = "optimizers" if isinstance(part, keras.optimizers.Optimizer) else "layers"
    if isinstance(part, SCHEDULE):
        module = "optimizers.schedules"
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
    """Returns the layer or schedule of a configuration, and any other value unchanged."""
    if isinstance(value, Mapping) and "class_name" in value:
        return keras.saving.deserialize_keras_object(dict(value))
    return value


def _argument(value: Any) -> str:
    """Returns the expression for an argument of a layer or an optimizer."""
    value = _value(value)
    if isinstance(value, keras.layers.Layer | SCHEDULE):
        return constructor_call(value)
    if isinstance(value, tuple) and len(set(value)) == 1:
        value = value[0]  # a kernel size of (3,) is 3
    if isinstance(value, float) and value == np.float32(value):
        return number_literal(float(str(np.float32(value))))  # 0.05; Keras keeps 0.0500000007
    return value_literal(value)
