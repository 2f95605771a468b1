"""A recipe as a Python file that needs Keras and NumPy alone."""

from __future__ import annotations

import inspect
import re
import textwrap

from lstm_bench.export import _network as network
from lstm_bench.export import _training as training
from lstm_bench.export._answers import answers, unseen
from lstm_bench.export._data import data
from lstm_bench.export._embedded import UNPACKED
from lstm_bench.export._framed import STREAM
from lstm_bench.export._literals import docstring
from lstm_bench.provenance import VERSION
from lstm_bench.recipes import Recipe
from lstm_bench.training import prepared_samples


def script(recipe: Recipe, seed: int = 0) -> str:
    """Returns a script that trains `recipe` as `engine.keras_loop` does for `seed`.

    The same data, weights and order give the same losses. It prints ten of them, or the loss of
    every epoch when it is run with `--losses`; then what the network answers. At its end `losses`
    holds the losses (E,), `outputs` the answers to the samples that it trained on, (N, K) or
    (N, T, K), and `new_outputs` those to unseen ones, where there are any and no state is kept.

    Raises `UserError` where the data would be too long for a script.
    """
    every = recipe.samples(seed)
    samples = every.part(unseen=False)
    made = data(recipe, seed)
    others = unseen(recipe, every) if samples.trained < len(every) else ""
    model = prepared_samples(recipe, samples, seed)
    states = network.stateful(model)
    fixed = "" if made.readable else "  # of the weights and the order; the data are embedded"
    blocks = [
        "\n".join(f"import {name}" for name in _imports(made.packed or bool(others))),
        "import keras\nimport numpy as np",
        f"SEED = {seed}{fixed}",
        STREAM,
        UNPACKED if made.packed or others else "",
        "# ---- Data",
        made.code,
        "# ---- Network",
        network.network(model),
        network.weights(model),
        "# ---- Training",
        f"every = {max(1, recipe.epochs // 10)}  # epochs from one printed loss to the next",
        training.resets(states),
        training.training(recipe, states, made.weighted),
        "# ---- Answers",
        answers(recipe, samples, made, states),
        others,
    ]
    code = _spaced("\n\n".join(block.strip("\n") for block in blocks if block))
    return f"{docstring(_about(recipe))}\n\n{code}\n"


def _imports(packed: bool) -> list[str]:
    return ["base64", "sys", "zlib"] if packed else ["sys"]


def _about(recipe: Recipe) -> str:
    """Returns the text of the script's docstring."""
    told = (inspect.getdoc(type(recipe.task)) or "").split("\n", maxsplit=1)[0]
    lines = textwrap.wrap(f"{recipe.task.name}: {recipe.name}.", 92)
    lines += ["", told, "", "Needs Keras 3 and NumPy. `--losses` prints the loss of every epoch."]
    lines += [f"Written by lstm-bench {VERSION} from recipe {recipe.digest}."]
    return "\n".join(lines) + "\n"


def _spaced(code: str) -> str:
    """Returns `code` with two empty lines before and after each function, as is usual.

    >>> _spaced("a = 1\\n\\ndef f():\\n    return 2\\n\\nb = 3").count("\\n\\n\\n")
    2
    """
    code = re.sub(r"\n+(?=def )", "\n\n\n", code)
    return re.sub(r"(^def .*\n(?:\n*    .*\n)+)\n*(?=\S)", r"\1\n\n", code, flags=re.MULTILINE)
