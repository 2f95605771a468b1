"""Addresses of web pages that reports link to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_LINK = 2_000


def checked_link(address: str) -> str:
    """Returns the address of a web page, as a sweep file gives it; an empty one stays empty.

    Raises `ValueError` unless it is an http or https address with a host, without a user or a
    password, and without white space, quotation marks or angle brackets.

    >>> checked_link("https://doi.org/10.1162/neco.1997.9.8.1735")
    'https://doi.org/10.1162/neco.1997.9.8.1735'
    """
    if not address:
        return ""
    rule = "must be an address like https://doi.org/10.1162/neco.1997.9.8.1735"
    if len(address) > MAX_LINK or not re.fullmatch(r"https?://[!#-;=?-\[\]_a-z~]+", address, re.I):
        raise ValueError(
            f"{rule}: http or https, of ASCII letters, digits and punctuation without quotation "
            f"marks, at most {MAX_LINK:,} characters"
        )
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{rule} ({error})") from error
    if not host or "@" in parts.netloc:
        raise ValueError(f"{rule}: with a host, and without a user or a password")
    return address
