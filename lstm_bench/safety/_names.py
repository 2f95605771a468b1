"""Names of sweeps as names of files: whatever a name holds, it stays one part of a path.

A sweep is called after its file or after a column of data, and either may be a stranger's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 100
"""Bytes of UTF-8: file systems take 255 at the most, and something may be put after the name."""
MARK = "~"
"""Stands before the digest of a name that had to be changed, and in no other file name."""
PLAIN = " ._-()[]{}+,;&'@=#%!^"
"""What may stand in the name of a file besides letters and digits, on every system."""
RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"),
}
"""What Windows takes for a device, with or without an ending."""


def path_component(name: str) -> str:
    """Returns a name for the files of `name`: one part of a path, and different for each name.

    (Where a file system does not tell upper from lower case, names that differ in that alone share
    their files.) Letters and digits of any script, blanks and `PLAIN` stay. A name with anything
    else in it, or one that some system would take for another, gets hyphens there and the
    beginning of its SHA-256 digest.

    >>> path_component("sales-price"), path_component("speed-km/h"), path_component("..")
    ('sales-price', 'speed-km-h~1a4e6927ee2a', 'unnamed~5ec1f7e700f3')
    """
    if _is_safe(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    shown = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    shown = re.sub("-+", "-", "".join(char if _is_plain(char) else "-" for char in shown))
    room = LONGEST - len(MARK) - len(digest)
    shown = shown.encode()[:room].decode(errors="ignore").strip(" .-") or "unnamed"
    if shown.split(".")[0].strip().lower() in RESERVED:
        shown = shown.replace(".", "-")
    return f"{shown}{MARK}{digest}"


def _is_safe(name: str) -> bool:
    return (
        bool(name)
        and all(map(_is_plain, name))
        and name[0] not in " .-"
        and name[-1] not in " ."
        and len(name.encode()) <= LONGEST
        and unicodedata.normalize("NFC", name) == name
        and name.split(".")[0].strip().lower() not in RESERVED
    )


def _is_plain(char: str) -> bool:
    """Returns whether a character may stand in the name of a file."""
    return char in PLAIN or char.isalnum() or unicodedata.category(char)[0] == "M"
