"""Text without characters that control a terminal or a page."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
"""Replaces a character that must not be printed."""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters other than tab and line feed, and those that change the text direction."""


def printable_text(text: str) -> str:
    """Returns `text` with unprintable characters replaced; tabs and line feeds stay.

    >>> printable_text("a\\x1b[2Jb\\nc")
    'a\ufffd[2Jb\\nc'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else REPLACEMENT for c in text)


def printable_line(value: object) -> str:
    """Returns `value` as one line of printable text, with blanks for tabs and line feeds.

    >>> printable_line("a\\nb\\x00")
    'a b\ufffd'
    """
    return printable_text(str(value)).replace("\n", " ").replace("\t", " ")


def replace_controls(text: str) -> str:
    """Returns `text` with `CONTROL` characters replaced.

    Other unprintable characters, such as no-break spaces, stay: HTML and Markdown show them.

    >>> replace_controls("a\\x1b\\u00a0b\\n")
    'a\ufffd\\xa0b\\n'
    """
    return CONTROL.sub(REPLACEMENT, text)
