"""Sentences that count verdicts: `Of 4 differences, 3 are real and 1 cannot be told yet.`"""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.results import listed
from lstm_bench.safety import printable_line

MAX_IDS = 5
"""A sentence with more ids than this only counts them."""


def verdict_sentence(
    counted: str, verdicts: Sequence[tuple[str, str]], order: Sequence[str]
) -> str:
    """Returns the sentence about the verdicts on what is `counted`: `4 differences`."""
    if len({verdict for _, verdict in verdicts}) > 1:
        return f"Of {counted}, {_counts(verdicts, order)}."
    verdict, ids = verdicts[0][1], id_list([printable_line(name) for name, _ in verdicts])
    open_, one = verdict.startswith("cannot"), len(verdicts) == 1
    yet = " yet" * verdict.endswith("yet")
    if one:
        verb = f"cannot be told{yet}" if open_ else f"is {verdict}"
        return f"The {counted.removeprefix('1 ')} {verb}{ids}."
    if open_ or verdict.startswith("not "):
        verb = f"can be told{yet}" if open_ else f"is {verdict.removeprefix('not ')}"
        return f"None of {counted} {verb}{ids}."
    return f"All {counted} are {verdict}{ids}."


def _counts(verdicts: Sequence[tuple[str, str]], order: Sequence[str]) -> str:
    """Returns the number and the names for each verdict: `2 are real (a, b) and 1 is not real`."""
    parts = []
    for verdict in order:
        names = [printable_line(name) for name, other in verdicts if other == verdict]
        verb = "cannot be told" if verdict.startswith("cannot") else f"is {verdict}"
        if len(names) != 1:
            verb = verb.replace("is ", "are ", 1)
        verb += " yet" * verdict.endswith("yet")
        parts += [f"{len(names)} {verb}{id_list(names)}"] if names else []
    return listed(parts)


def id_list(ids: list[str]) -> str:
    """Returns ids in parentheses, empty if there are more than `MAX_IDS`."""
    return f" ({', '.join(ids)})" if len(ids) <= MAX_IDS else ""
