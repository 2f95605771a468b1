"""The part of a script that builds a network of the user's own, from the text of its files."""

from __future__ import annotations

from importlib.util import decode_source

import keras
import numpy as np

from lstm_bench.export._literals import docstring_literal, value_literal
from lstm_bench.recipes import OwnNetwork, Recipe
from lstm_bench.seeds import integer_seed
from lstm_bench.training import random_states

IMPORTS = ["import importlib", "import tempfile", "import types", "from pathlib import Path"]
"""What such a script imports besides."""

BUILD = """\
with tempfile.TemporaryDirectory() as folder:
    for name, text in FILES.items():
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, name).write_text(text, encoding="utf-8")
    sys.path.insert(0, folder)
    module = importlib.import_module("{module}")
    keras.utils.set_random_seed({seed})  # of the initial weights of SEED
    network = module.{function}(recipe, {inputs}, {outputs})
    inputs = keras.Input({inputs})
    model = keras.Model(inputs, network(inputs))
    sys.path.remove(folder)
"""

STATES = """\
weights = {{id(weight) for weight in model.non_trainable_weights}}
states = [v for v in model.non_trainable_variables if id(v) not in weights]
for state, value in zip(states, {values}, strict=True):  # of dropout
    state.assign(value)
"""


def own_network_code(model: keras.Model, recipe: Recipe, network: OwnNetwork, seed: int) -> str:
    """Returns the code that builds `model`, the network of `recipe`, with the weights of `seed`."""
    pairs = recipe.settings.items()
    settings = "\n".join(f"    {key}={value_literal(value)}," for key, value in pairs)
    files = "\n".join(
        f"    {value_literal(path)}: {docstring_literal(decode_source(content))},"
        for path, content in network.files.items()
    )
    build = BUILD.format(
        module=network.module,
        function=network.function,
        seed=integer_seed(seed, "init"),
        inputs=model.input_shape[1:],
        outputs=model.output_shape[1:],
    )
    recipe_code = f"recipe = types.SimpleNamespace(\n{settings}\n)"
    return f"{recipe_code}\n\nFILES = {{\n{files}\n}}\n\n{build}"


def random_states_code(model: keras.Model) -> str:
    """Returns the code that sets the random generators of `model`, which its weights leave out."""
    values = [np.asarray(state).tolist() for state in random_states(model)]
    return STATES.format(values=values) if values else ""
