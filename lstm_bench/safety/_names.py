"""File names for sweeps: any sweep name becomes one valid component of a path.

A sweep is named after its file or after a column of data, and either may be untrusted.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_BYTES = 100
"""Bytes of UTF-8: file systems allow 255, and a suffix may be added to the name."""
MARK = "~"
"""Precedes the digest in a name that had to be changed, and is in no other file name."""
PLAIN = " ._-()[]{}+,;&'@=#%!^"
"""Characters other than letters and digits that every system allows in file names."""
RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"),
}
"""Names of devices on Windows, with or without a suffix."""


def path_component(name: str) -> str:
    """Returns a file name for `name`: one component of a path, and different for each name.

    (On a file system that ignores case, names that differ only in case share their files.) Letters
    and digits of any script, blanks and `PLAIN` characters stay. In a name with other characters,
    or one that some system would take for another, they are replaced by hyphens and the beginning
    of the name's SHA-256 digest is appended.

    >>> path_component("sales-price"), path_component("speed-km/h"), path_component("..")
    ('sales-price', 'speed-km-h~1a4e6927ee2a', 'unnamed~5ec1f7e700f3')
    """
    if _is_safe(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    stem = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    stem = re.sub("-+", "-", "".join(char if _is_plain(char) else "-" for char in stem))
    max_bytes = MAX_BYTES - len(MARK) - len(digest)
    stem = stem.encode()[:max_bytes].decode(errors="ignore").strip(" .-") or "unnamed"
    if stem.split(".")[0].strip().lower() in RESERVED:
        stem = stem.replace(".", "-")
    return f"{stem}{MARK}{digest}"


def report_folder_name(sweep: str, overrides: str = "") -> str:
    """Returns the name of a report's folder: that of the sweep, and of what was overridden in it.

    No sweep has the name of another one with overrides, because only these have `MARK` and "=".

    >>> report_folder_name("published"), report_folder_name("published", "first_seed=30 seeds=5")
    ('published', 'published~first_seed=30,seeds=5')
    """
    folder = path_component(sweep)
    return f"{folder}{MARK}{path_component(overrides.replace(' ', ','))}" if overrides else folder


def split_report_name(name: str) -> tuple[str, str]:
    """Returns the sweep and the overrides that a report's name stands for.

    >>> split_report_name("published~first_seed=30,seeds=5"), split_report_name("published")
    (('published', 'first_seed=30 seeds=5'), ('published', ''))
    """
    sweep, _, overrides = name.partition(MARK)
    return (sweep, overrides.replace(",", " ")) if "=" in overrides else (name, "")


def _is_safe(name: str) -> bool:
    """Returns whether every system accepts `name` as a file name, and as this one only."""
    return (
        bool(name)
        and all(map(_is_plain, name))
        and name[0] not in " .-"
        and name[-1] not in " ."
        and len(name.encode()) <= MAX_BYTES
        and unicodedata.normalize("NFC", name) == name
        and name.split(".")[0].strip().lower() not in RESERVED
    )


def _is_plain(char: str) -> bool:
    """Returns whether every system allows a character in file names."""
    return char in PLAIN or char.isalnum() or unicodedata.category(char)[0] == "M"
