"""Addresses of stores without the passwords in them, for everything that is written or printed.

An address may hold a password before its host (`postgresql://ann:secret@host/runs`) or among its
options (`?user=ann&password=secret`). SQLAlchemy's own `URL.render_as_string` hides the first kind
only, and splits at the first `@`, so that half of a password with an `@` in it would be shown as
the host. What is masked here is therefore all that could be part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, unquote_plus

HIDDEN = "***"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
ADDRESS = re.compile(SCHEME.pattern + r"[^\s'\"<>]*")
"""An address in running text: up to the next blank or quotation mark."""
BEFORE_HOST = re.compile(r"[^:/@?#]*:[^@]*@|[^:/@?#]+@")
"""What stands before the host: a user and a password, or a user alone."""
SHORTEST = 4
"""Characters of a secret that are looked for in texts: shorter ones are in many words."""


def mask_address(address: str) -> str:
    """Returns an address with `***` in place of its password and of the values of its options.

    Text before the address stays, as in `--store=...`; text without an address stays as it is.

    >>> mask_address("postgresql://ann:secret@host/runs?sslmode=require")
    'postgresql://ann:***@host/runs?sslmode=***'
    >>> mask_address("postgresql://ann:se/cr@et@host/runs"), mask_address("sqlite:///mlflow.db")
    ('postgresql://ann:***@host/runs', 'sqlite:///mlflow.db')
    """
    shown, end = [], 0
    for start, stop in _secret_places(address):
        shown += [address[end:start], HIDDEN]
        end = stop
    return "".join([*shown, address[end:]])


def mask_passwords(text: str, addresses: Iterable[str] = ()) -> str:
    """Returns a text with the addresses in it `masked`, and without the secrets of `addresses`.

    >>> mask_passwords("there is no host 'ret@host'", ["postgresql://ann:sec@ret@host/runs"])
    "there is no host '***'"
    >>> mask_passwords("http://ann:secret@host/api does not answer")
    'http://ann:***@host/api does not answer'
    """
    text = ADDRESS.sub(lambda found: mask_address(found[0]), text)
    for address in addresses:
        for secret in secrets(address):
            text = text.replace(secret, HIDDEN)
    return text


def secrets(address: str) -> list[str]:
    """Returns the texts that could be, or be part of, a password in `address`, longest first.

    As they stand there, and decoded. A program that splits an address at another `@` or `/` than
    is meant tells parts of it.
    """
    found = set()
    for start, stop in _secret_places(address):
        whole = address[start:stop]
        # A part of a password with `@` in it may be taken for the beginning of the host.
        host = re.split("[/?#]", address[stop:].lstrip("@"))[0] if "@" in whole else ""
        ends = {host, host.rpartition(":")[0], host.partition(":")[0]} - {""}
        for part in {whole, whole.rpartition("@")[0], *re.split("[@:/?&#]", whole)} - {""}:
            found |= {part, unquote(part), unquote_plus(part)}
            found |= {f"{part}@{end}" for end in ends}
    return sorted((each for each in found if len(each) >= SHORTEST), key=lambda s: (-len(s), s))


def _secret_places(address: str) -> list[tuple[int, int]]:
    """Returns where in `address` secrets begin and end: in order, and apart from one another."""
    scheme = SCHEME.search(address)
    if scheme is None:  # no address, or one that is mistyped
        colon, last = address.rfind(":", 0, address.rfind("@") + 1), address.rfind("@")
        return [(colon + 1, last)] if 0 <= colon < last - 1 else []
    begin = scheme.end()
    places = []
    before = BEFORE_HOST.match(address, begin)
    if before is not None:
        colon, last = address.find(":", begin, before.end()), address.rindex("@")
        if colon >= 0:
            places.append((colon + 1, last))
        elif scheme[0].startswith("http"):  # a token in the place of a user
            places.append((begin, last))
    options = address.find("?", begin)
    if options >= 0:
        values = re.compile(r"(?<==)[^&;]+|(?<=[?&;])[^=&;]+(?=[&;]|$)")
        places += [found.span() for found in values.finditer(address, options)]
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        elif start < stop:
            merged.append((start, stop))
    return merged
