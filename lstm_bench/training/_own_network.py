"""Builds networks of the user's own: the function that `network: my_module:build` names.

It is called as `build(recipe, input_shape, output_shape)`. `recipe` has the settings of the recipe
as attributes, such as `recipe.units` and `recipe.output`. Shapes are those of one sample: inputs
(T, F), outputs (K,), or (T, K) with an output at every time step. It returns a Keras model whose
outputs have the activation `recipe.output`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import random
import sys
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import Fault, RecipeError
from lstm_bench.recipes import OwnNetwork, Recipe
from lstm_bench.safety import disk_errors_reported, temporary_folder
from lstm_bench.seeds import integer_seed
from lstm_bench.tasks import error_origin

Shape = tuple[int, ...]

OUTPUT = "output"
"""The name of the last layer, which only has the shape of the outputs."""
TOLERANCE = 1e-3
"""By how much probabilities may miss a sum of 1."""

_building = threading.RLock()
"""Held while a user's function runs: it draws from the random numbers that all threads share."""


def build_own(
    network: OwnNetwork,
    settings: Mapping[str, Any],
    input_shape: Shape,
    output_shape: Shape,
    seed: int = 0,
) -> keras.Model:
    """Returns the user's network for samples (T, F), with the initial weights of `seed`.

    Weights are drawn by the initializers of its layers. Raises `RecipeError` where the function
    raises an exception, or does not return such a network.
    """
    with _building, _drawing_from(integer_seed(seed, "init")), _importable(network) as module:
        try:
            function = getattr(module, network.function)
            made = function(types.SimpleNamespace(**settings), input_shape, output_shape)
        except Exception as error:
            rule = f"{network} must return a network for {_shapes(input_shape, output_shape)}"
            raise _fault(f"{rule}, but raised {error_origin(error, _place(network))}") from error
        if not isinstance(made, keras.Model):
            rule = f"{network} must return a keras.Model, but returned {type(made).__name__}"
            raise _fault(f"{rule}; return keras.Model(inputs, outputs) or a keras.Sequential")
        inputs = keras.Input(input_shape)
        try:
            outputs = made(inputs)
        except Exception as error:
            rule = f"{network} must take inputs of shape (batch, {_listed(input_shape)})"
            reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            raise _fault(f"{rule}, but {reason}; begin with keras.Input(input_shape)") from error
        _check_outputs(network, outputs, output_shape)
        model = keras.Model(inputs, keras.layers.Reshape(output_shape, name=OUTPUT)(outputs))
    model.own_network = True
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.LSTM | keras.layers.GRU):
            layer.use_cudnn = False  # which XLA cannot compile
    return model


def is_own(model: keras.Model) -> bool:
    """Returns whether `build_own` made a model."""
    return getattr(model, "own_network", False)


def checked_own(recipe: Recipe, input_shape: Shape, output_shape: Shape) -> keras.Model:
    """Returns the network of a recipe as `build_own` does, after a check of all its rules.

    Raises `RecipeError` for a network that an engine would not train as it is meant.
    """
    assert recipe.own_network is not None
    _check(_Case(recipe.training, input_shape, output_shape, recipe))
    return build_own(recipe.own_network, recipe.settings, input_shape, output_shape)


@dataclass(frozen=True)
class _Case:
    """A recipe and the shapes that its network must have; equal for equal trainings."""

    training: str
    input_shape: Shape
    output_shape: Shape
    recipe: Recipe = field(compare=False)


@functools.lru_cache(maxsize=256)
def _check(case: _Case) -> None:
    recipe = case.recipe
    assert recipe.own_network is not None
    model, other = (
        build_own(recipe.own_network, recipe.settings, case.input_shape, case.output_shape, seed)
        for seed in (0, 1)
    )
    for message in _broken_rules(recipe, model, other):
        raise _fault(f"{recipe.own_network} {message}")


def own_weights(
    recipe: Recipe, input_shape: Shape, output_shape: Shape, seed: int
) -> list[NDArray[np.float32]]:
    """Returns the initial weights of `seed`, in the order of `model.trainable_variables`."""
    assert recipe.own_network is not None
    model = build_own(recipe.own_network, recipe.settings, input_shape, output_shape, seed)
    return [np.asarray(variable) for variable in model.trainable_variables]


def random_states(model: keras.Model) -> list[Any]:
    """Returns the state of each random generator in the layers of a model, such as dropout."""
    weights = {id(weight) for weight in model.non_trainable_weights}
    return [state for state in model.non_trainable_variables if id(state) not in weights]


def load_weights(model: keras.Model, data: bytes) -> None:
    """Sets the weights of a model of `build_own` to those in the bytes of a `.keras` file."""
    with temporary_folder() as folder, disk_errors_reported():
        path = folder / "model.keras"
        path.write_bytes(data)
        model.load_weights(path)


def _fault(message: str) -> RecipeError:
    return RecipeError([Fault("network", message)])


def _listed(shape: Shape) -> str:
    return ", ".join(map(str, shape))


def _shapes(inputs: Shape, outputs: Shape) -> str:
    return f"inputs (batch, {_listed(inputs)}) and outputs (batch, {_listed(outputs)})"


def _check_outputs(network: OwnNetwork, outputs: Any, shape: Shape) -> None:
    """Raises `RecipeError` unless `outputs` are one tensor of this shape."""
    if isinstance(outputs, Sequence | Mapping):
        raise _fault(f"{network} must have one output, but has {len(outputs)}; return one tensor")
    got = tuple(outputs.shape)
    if got != (None, *shape):
        got_text = _listed(got).replace("None", "batch")
        if got[:1] != (None,):
            repair = "leave the first axis to the batch"
        elif len(got) == 2 and len(shape) == 2:
            repair = "return an output at every time step, as with return_sequences=True"
        elif len(got) == 3 and len(shape) == 1:
            repair = "return the output of the last time step, as with return_sequences=False"
        else:
            repair = "end with keras.layers.Dense(output_shape[-1], activation=recipe.output)"
        rule = f"{network} must have outputs of shape (batch, {_listed(shape)})"
        raise _fault(f"{rule}, but has ({got_text}); {repair}")


def _broken_rules(recipe: Recipe, model: keras.Model, other: keras.Model) -> Iterator[str]:
    """Yields what is wrong with a network; `other` is that of another seed."""
    layers = list(model._flatten_layers())
    stateful = [layer.name for layer in layers if getattr(layer, "stateful", False)]
    if stateful:
        yield f"must keep no state, but layer {stateful[0]!r} is stateful; use stateful=False"
    if not model.trainable_variables:
        yield "must have weights to train, but has none"
    if model.non_trainable_weights:
        weight = model.non_trainable_weights[0]
        yield (
            "must have no weights but those that gradients train, because no others are kept, but "
            f"has {weight.path!r}; use LayerNormalization in place of BatchNormalization, and "
            "leave trainable=False out"
        )
    other_types = {str(v.dtype) for v in model.trainable_variables} - {"float32"}
    if other_types or str(model.output.dtype) != "float32":
        yield f"must compute in float32, but has {', '.join(sorted(other_types)) or 'another'}"
    regularized = [
        layer.name
        for layer in layers
        for key, value in vars(layer).items()
        if key.endswith("_regularizer") and value is not None
    ]
    if regularized or model.losses:
        named = f"layer {regularized[0]!r} has a regularizer" if regularized else "a layer adds one"
        yield f"must add nothing to the loss of the recipe, but {named}; leave it out"
    try:
        keras.saving.serialize_keras_object(model)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]
        yield (
            f"must be a model that Keras can save, but: {reason}; return keras.Model(inputs, "
            "outputs), or give its classes a get_config"
        )
    pairs = list(zip(model.trainable_variables, other.trainable_variables, strict=False))
    if all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs):
        yield (
            "must draw its initial weights from the seed, but they are the same for seeds 0 and 1; "
            "leave the seed of its initializers out"
        )
    yield from _output_rules(recipe, model)


def _output_rules(recipe: Recipe, model: keras.Model) -> Iterator[str]:
    """Yields what is wrong with the outputs of a network for random inputs."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *model.input_shape[1:])).astype(np.float32)
    inner = model.layers[-2]  # the user's own; the last layer has the shape of the outputs
    if getattr(inner(x, training=False), "_keras_mask", None) is not None:
        yield (
            "must have outputs without a mask, because the steps that count are chosen by the "
            "task, but its outputs are masked; leave out Masking and mask_zero"
        )
        return
    outputs, again = (np.asarray(model(x, training=False)) for _ in range(2))
    if not np.array_equal(outputs, again, equal_nan=True):
        yield "must give the same outputs for the same inputs where training=False, but does not"
    if not np.isfinite(outputs).all():
        yield "must have finite outputs for inputs of mean 0 and variance 1, but has not"
        return
    low, high = float(outputs.min()), float(outputs.max())
    between = low >= -TOLERANCE and high <= 1 + TOLERANCE
    sums = outputs.sum(axis=-1)
    if recipe.output == "softmax" and not (between and np.allclose(sums, 1, atol=TOLERANCE)):
        got = f"an output sums to {float(sums.flat[np.abs(sums - 1).argmax()]):.3g}"
        yield f"must have outputs of a softmax, but {got}; end with activation=recipe.output"
    if recipe.output == "sigmoid" and not between:
        got = f"its outputs lie between {low:.3g} and {high:.3g}"
        yield f"must have outputs of a sigmoid, but {got}; end with activation=recipe.output"
    yield from _batch_rules(x, outputs, model)
    if recipe.framing.every_step and recipe.task.autoregressive:
        yield from _direction_rules(x, outputs, model, recipe.framing.name)


def _direction_rules(
    x: NDArray[np.float32], outputs: Any, model: keras.Model, framing: str
) -> Iterator[str]:
    """Yields whether outputs (B, T, K) depend on inputs of later steps."""
    first = x.shape[1] // 2
    changed = np.concatenate([x[:, :first], 1 - x[:, first:]], axis=1)
    before = outputs[:, :first]
    after = np.asarray(model(changed, training=False))[:, :first]
    if not np.allclose(before, after, atol=1e-4 * max(1.0, float(np.abs(outputs).max()))):
        yield (
            f"must read no later steps, because with framing={framing} the target of a step is "
            "the input of the next, but its outputs change with later inputs; use padding='causal' "
            "in convolutions, use_causal_mask=True in attention and no Bidirectional, or use "
            "framing=window or prefixes"
        )


def _batch_rules(x: NDArray[np.float32], outputs: Any, model: keras.Model) -> Iterator[str]:
    """Yields whether outputs depend on the other samples of a batch."""
    alone = np.asarray(model(x[:1], training=False))
    if not np.allclose(alone, outputs[:1], atol=1e-4 * max(1.0, float(np.abs(outputs).max()))):
        yield "must treat each sample by itself, but its outputs depend on the rest of the batch"


# ---- Import from content


@contextlib.contextmanager
def _drawing_from(seed: int) -> Iterator[None]:
    """Lets initializers draw from `seed`; afterwards those of Python and NumPy go on as before."""
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@functools.lru_cache(maxsize=64)
def _modules_of(files: tuple[tuple[str, bytes], ...]) -> dict[str, types.ModuleType]:
    """Returns the place for the modules of these files, once they are imported."""
    return {}


@contextlib.contextmanager
def _importable(network: OwnNetwork) -> Iterator[types.ModuleType]:
    """Yields the module of a network, imported from its files whatever is on the disk now.

    Meanwhile all its files can be imported by their names. Another state of the same files has
    modules of its own.
    """
    finder = _Finder(network)
    loaded = _modules_of(tuple(sorted(network.files.items())))
    before = {name: sys.modules.pop(name) for name in finder.sources if name in sys.modules}
    sys.modules.update(loaded)
    sys.meta_path.insert(0, finder)
    try:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                module = importlib.import_module(network.module)
        except (Exception, SystemExit) as error:
            rule = f"{network.module} must be importable"
            raise _fault(f"{rule}, but raised {error_origin(error, _place(network))}") from error
        if not callable(getattr(module, network.function, None)):
            raise _fault(
                f"{network.module} must have a function {network.function!r}, but has none"
            )
        yield module
    finally:
        sys.meta_path.remove(finder)
        for name in finder.sources:
            if name in sys.modules:
                loaded[name] = sys.modules.pop(name)
        sys.modules.update(before)


def _place(network: OwnNetwork) -> str:
    """Returns what tracebacks call the file of a network's module."""
    return _Finder(network).place(network.module)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads modules whose content is in memory."""

    def __init__(self, network: OwnNetwork) -> None:
        self.digest = network.digest
        self.paths: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        for path, content in network.files.items():
            parts = list(PurePosixPath(path).with_suffix("").parts)
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            self.paths[".".join(parts)] = path
            self.sources[".".join(parts)] = importlib.util.decode_source(content)
            for count in range(1, len(parts)):  # folders without an __init__.py
                self.sources.setdefault(".".join(parts[:count]), "")

    def place(self, name: str) -> str:
        """Returns the name of a module's file in tracebacks: with the digest, as on no disk."""
        return f"{self.digest[:8]}/{self.paths.get(name, name)}"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.sources:
            return None
        origin = self.place(name)
        return importlib.machinery.ModuleSpec(
            name, self, origin=origin, is_package=self.is_package(name)
        )

    def is_package(self, name: str) -> bool:
        return not self.paths.get(name, "__init__.py").endswith(name.rpartition(".")[2] + ".py")

    def get_source(self, name: str) -> str:
        return self.sources[name]

    def get_code(self, name: str) -> types.CodeType:
        place, source = self.place(name), self.sources[name]
        lines = source.splitlines(keepends=True)
        linecache.cache[place] = (len(source), None, lines, place)  # for tracebacks and inspect
        code: types.CodeType = compile(source, place, "exec")
        return code

    def exec_module(self, module: types.ModuleType) -> None:
        module.__file__ = self.place(module.__name__)
        exec(self.get_code(module.__name__), vars(module))
