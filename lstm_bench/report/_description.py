"""A recipe in plain words: `a SimpleRNN of 10 units that reads growing prefixes (confirm-103)`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lstm_bench.report import _wording as wording
from lstm_bench.results import Row, counted
from lstm_bench.safety import printable_line
from lstm_bench.tasks import BUILT_IN

NETWORKS = {
    "lstm": "LSTM",
    "gru": "GRU",
    "simple_rnn": "SimpleRNN",
    "mlp": "multilayer perceptron",
    "conv1d": "convolution",
    "lstm_1997": "LSTM of 1997",
}
READS = {
    "pairs": "reads one step at a time",
    "window": "reads windows of {window} steps",
    "feature_window": "reads {window} steps as features",
    "prefixes": "reads growing prefixes",
    "substrings": "reads random substrings",
    "whole": "reads whole sequences",
    "chunks": "reads pieces of {chunk} steps",
}
"""What a network of each framing reads; the keys in braces are settings."""
AN = ("LSTM",)
"""Nouns that are spoken with a vowel first."""


def task_sentences(rows: Sequence[Row]) -> list[str]:
    """Returns what the built-in tasks of the rows ask for, in one paragraph; empty without any."""
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_task.setdefault(str(row.outcome.settings.get("task")), []).append(row.outcome.settings)
    parts = []
    for name, settings in by_task.items():
        if name in BUILT_IN:
            text = (inspect.getdoc(BUILT_IN[name]) or "").partition("\n")[0]
            parts.append(f"{name}: {_with_values(text, settings)}")
    if not parts:
        return []
    return [f"{'Task' if len(parts) == 1 else 'Tasks'}. {' '.join(parts)}"]


def _with_values(text: str, settings: Sequence[Mapping[str, Any]]) -> str:
    """Returns `text` with the value of each parameter in it, if that is the same everywhere.

    >>> _with_values("the first, `lag` steps back", [{"lag": 5}, {"lag": 5}])
    'the first, 5 steps back'
    >>> _with_values("the first, `lag` steps back", [{"lag": 5}, {"lag": 9}])
    'the first, “lag” steps back'
    """

    def value(match: re.Match[str]) -> str:
        values = {str(one.get(match[1], "")) for one in settings}
        return values.pop() if len(values) == 1 and "" not in values else f"“{match[1]}”"

    return re.sub(r"`(\w+)`", value, text)


def named(row: Row) -> str:
    """Returns what a recipe is, with its id; its id and its short name where that is not known."""
    words, id_ = description(row.outcome.settings), printable_line(row.id)
    return f"{words} ({id_})" if words else f"{id_} ({wording.short_name(row)})"


def description(settings: Mapping[str, Any]) -> str:
    """Returns network and framing in words; empty for a network or a framing of the user's own.

    >>> description({"network": "simple_rnn", "units": 10, "framing": "prefixes"})
    'a SimpleRNN of 10 units that reads growing prefixes'
    >>> description({"network": "lstm", "units": 32, "layers": 2, "framing": "window", "window": 3})
    'an LSTM of 2 layers of 32 units that reads windows of 3 steps'
    """
    noun, reads = (
        names.get(str(settings.get(key)))
        for names, key in ((NETWORKS, "network"), (READS, "framing"))
    )
    units, layers = settings.get("units"), settings.get("layers", 1)
    if noun is None or reads is None or not isinstance(units, int):
        return ""
    size = next((key for key in ("window", "chunk") if f"{{{key}}}" in reads), "")
    if size and not isinstance(settings.get(size), int):
        return ""
    reads = reads.format_map(settings)
    article = "an" if noun.startswith(AN) else "a"
    article = "a bidirectional" if settings.get("bidirectional") else article
    depth = f"{layers} layers of " if isinstance(layers, int) and layers > 1 else ""
    return f"{article} {noun} of {depth}{counted(units, 'unit')} that {reads}"


def sentence_start(words: str) -> str:
    """Returns `named` words as they begin a sentence: an id keeps its letters."""
    return f"A{words[1:]}" if words.startswith(("a ", "an ")) else words
