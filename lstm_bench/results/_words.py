"""Numbers with their nouns, and lists, as sentences write them."""

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun.

    >>> counted(1, "recipe"), counted(2000, "seed")
    ('1 recipe', '2,000 seeds')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """Returns a list in words.

    >>> listed(["pairs"]), listed(["pairs", "windows", "whole"])
    ('pairs', 'pairs, windows and whole')
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
