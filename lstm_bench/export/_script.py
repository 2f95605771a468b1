"""A recipe as a Python file that only needs Keras and NumPy."""

from __future__ import annotations

import inspect
import re
import textwrap

from lstm_bench.errors import UserError
from lstm_bench.export._data import data_code, recall_code
from lstm_bench.export._definitions import definitions_code
from lstm_bench.export._embedded import UNPACKED
from lstm_bench.export._framing_code import STREAM
from lstm_bench.export._literals import docstring_literal
from lstm_bench.export._network import (
    compile_code,
    initial_weights_code,
    network_code,
    stateful_layers,
)
from lstm_bench.export._own_network import IMPORTS, own_network_code, random_states_code
from lstm_bench.export._predictions import prediction_code, unseen_code
from lstm_bench.export._training import reset_definition, training_code
from lstm_bench.provenance import VERSION
from lstm_bench.recipes import Recipe
from lstm_bench.training import prepared_model

NETWORK_PLACE = "# (the user's own network)"
"""Stands for the code of a user's own network until the rest of the script is laid out."""


def export_script(recipe: Recipe, seed: int = 0) -> str:
    """Returns a script that trains `recipe` on `seed` exactly as the `keras` engine does.

    The same data, initial weights and sample order give the same losses. The script prints ten of
    them, or the loss of every epoch when it is run with `--losses`, and then the predictions. At
    its end, `losses` holds the losses (E,), `outputs` the outputs for the training samples, (N, K)
    or (N, T, K), and `new_outputs` those for unseen samples, if there are any and the network is
    not stateful.

    Raises `UserError` where the data would be too long for a script, and for a recipe with new
    sequences in every epoch or an end of training that a script cannot have.
    """
    _check(recipe)
    samples = recipe.samples(seed)
    train = samples.part(unseen=False)
    data, recall = data_code(recipe, seed), recall_code(recipe, train)
    unseen = unseen_code(recipe, samples) if train.train_count < len(samples) else ""
    model = prepared_model(recipe, train, seed)
    states = stateful_layers(model, recipe)
    definitions = definitions_code(model) if recipe.own_network is None else ""
    comment = (
        ""
        if data.readable
        else "  # of the initial weights and the sample order; the data are below"
    )
    packed = data.packed or bool(unseen) or "unpacked(" in recall
    blocks = [
        "\n".join(_imports(packed, bool(definitions), recipe.own_network is not None)),
        "import keras\nimport numpy as np",
        f"SEED = {seed}{comment}",
        STREAM,
        UNPACKED if packed else "",
        "# ---- Data",
        data.code,
        recall,
        "# ---- Network",
        definitions,
        *(
            [network_code(model, recipe.truncate), initial_weights_code(model, recipe)]
            if recipe.own_network is None
            else [NETWORK_PLACE, compile_code(model), random_states_code(model)]
        ),
        "# ---- Training",
        f"every = {max(1, recipe.epochs // 10)}  # epochs from one printed loss to the next",
        reset_definition(states),
        training_code(recipe, states, data.weighted or bool(recall)),
        "# ---- Predictions",
        prediction_code(recipe, train, data, states),
        unseen,
    ]
    code = _two_blank_lines("\n\n".join(block.strip("\n") for block in blocks if block))
    if recipe.own_network is not None:  # whose text stays as it is
        code = code.replace(
            NETWORK_PLACE, own_network_code(model, recipe, recipe.own_network, seed)
        )
    return f"{docstring_literal(_docstring(recipe))}\n\n{code}\n"


def _check(recipe: Recipe) -> None:
    """Raises `UserError` for a recipe that no script is written for."""
    task = recipe.task.name
    if recipe.fresh:
        raise UserError(
            f"export: a script contains its data, but {task} has new sequences in every epoch; "
            "export a recipe whose task keeps its sequences"
        )
    if recipe.update is not None:
        raise UserError(
            "export: a script trains with Keras, which updates the weights after a batch, but got "
            "update=step; leave update out (and cells_from with it)"
        )
    if recipe.stop_after_solved is None:
        return
    if recipe.stateful or recipe.evaluation_distance != 1 or recipe.task.problem(0).unseen:
        raise UserError(
            "export: a script ends when its task is solved only for a stateless network that is "
            "evaluated on its training sequences after every epoch; leave stop_after_solved out"
        )


def _imports(packed: bool, annotated: bool, user_network: bool) -> list[str]:
    """Returns the imports of a script from the standard library."""
    modules = ["base64", "sys", "zlib"] if packed else ["sys"]
    lines = [f"import {name}" for name in modules] + (IMPORTS if user_network else [])
    lines += ["from typing import Any"] * annotated
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _docstring(recipe: Recipe) -> str:
    """Returns the text of the script's docstring."""
    task = (inspect.getdoc(type(recipe.task)) or "").split("\n", maxsplit=1)[0]
    lines = textwrap.wrap(f"{recipe.task.name}: {recipe.name}.", 92)
    lines += ["", task, "", "Needs Keras 3 and NumPy. `--losses` prints the loss of every epoch."]
    lines += [f"Written by lstm-bench {VERSION} from recipe {recipe.digest}."]
    return "\n".join(lines) + "\n"


def _two_blank_lines(code: str) -> str:
    """Returns `code` with two blank lines around each function and class, as in PEP 8.

    >>> _two_blank_lines("a = 1\\n\\ndef f():\\n    return 2\\n\\nb = 3").count("\\n\\n\\n")
    2
    """
    code = re.sub(r"\n+(?=def |class |@keras)", "\n\n\n", code)
    code = re.sub(r"(\n@keras.*)\n+(?=class )", r"\1\n", code)
    definition = r"(^(?:def|class) .*\n(?:\n*    .*\n)+)\n*(?=\S)"
    return re.sub(definition, r"\1\n\n", code, flags=re.MULTILINE)
