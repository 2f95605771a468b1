"""Removes passwords from the addresses of stores, for everything that is written or printed.

An address may hold a password before its host (`postgresql://ann:secret@host/runs`) or among its
options (`?user=ann&password=secret`). SQLAlchemy's `URL.render_as_string` hides only the first
kind, and splits at the first `@`, so it would show half of a password that contains an `@` as the
host. So everything that could be part of a password is masked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, unquote_plus

HIDDEN = "***"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,60}://")  # limited, so that a search is linear
ADDRESS = re.compile(SCHEME.pattern + r"[^\s'\"<>]*")
"""An address in running text: up to the next blank or quotation mark."""
BEFORE_HOST = re.compile(r"[^:/@?#]*:[^@]*@|[^:/@?#]+@")
"""The part before the host: a user and a password, or only a user."""
MIN_SECRET_LENGTH = 4
"""Shorter parts of secrets are not replaced in texts, because they occur in many words."""


def mask_address(address: str) -> str:
    """Returns an address with `***` in place of its password and of the values of its options.

    Text before the address stays, as in `--store=...`; text without an address is unchanged.

    >>> mask_address("postgresql://ann:secret@host/runs?sslmode=require")
    'postgresql://ann:***@host/runs?sslmode=***'
    >>> mask_address("postgresql://ann:se/cr@et@host/runs"), mask_address("sqlite:///mlflow.db")
    ('postgresql://ann:***@host/runs', 'sqlite:///mlflow.db')
    """
    parts, end = [], 0
    for start, stop in _secret_spans(address):
        parts += [address[end:start], HIDDEN]
        end = stop
    return "".join([*parts, address[end:]])


def mask_passwords(text: str, addresses: Iterable[str] = ()) -> str:
    """Returns a text with all addresses in it masked, and without the secrets of `addresses`.

    >>> mask_passwords("there is no host 'ret@host'", ["postgresql://ann:sec@ret@host/runs"])
    "there is no host '***'"
    >>> mask_passwords("http://ann:secret@host/api does not answer")
    'http://ann:***@host/api does not answer'
    """
    text = ADDRESS.sub(lambda match: mask_address(match[0]), text)
    for address in addresses:
        for secret in secret_texts(address):
            text = text.replace(secret, HIDDEN)
    return text


def secret_texts(address: str) -> list[str]:
    """Returns the texts that may be, or be part of, a password in `address`, longest first.

    Both as written and decoded. A program that splits an address at the wrong `@` or `/` prints
    parts of the password.
    """
    texts = set()
    for start, stop in _secret_spans(address):
        secret = address[start:stop]
        # If a password contains `@`, its end may be read as the beginning of the host.
        host = re.split("[/?#]", address[stop:].lstrip("@"))[0] if "@" in secret else ""
        hosts = {host, host.rpartition(":")[0], host.partition(":")[0]} - {""}
        for part in {secret, secret.rpartition("@")[0], *re.split("[@:/?&#]", secret)} - {""}:
            texts |= {part, unquote(part), unquote_plus(part)}
            texts |= {f"{part}@{host}" for host in hosts}
    long_enough = (text for text in texts if len(text) >= MIN_SECRET_LENGTH)
    return sorted(long_enough, key=lambda text: (-len(text), text))


def _secret_spans(address: str) -> list[tuple[int, int]]:
    """Returns the start and end of each secret in `address`, in order and without overlaps."""
    scheme = SCHEME.search(address)
    if scheme is None:  # not an address, or a mistyped one
        colon, last = address.rfind(":", 0, address.rfind("@") + 1), address.rfind("@")
        return [(colon + 1, last)] if 0 <= colon < last - 1 else []
    begin = scheme.end()
    spans = []
    before = BEFORE_HOST.match(address, begin)
    if before is not None:
        colon, last = address.find(":", begin, before.end()), address.rindex("@")
        if colon >= 0:
            spans.append((colon + 1, last))
        elif scheme[0].startswith("http"):  # a token in place of a user
            spans.append((begin, last))
    options = address.find("?", begin)
    if options >= 0:
        values = re.compile(r"(?<==)[^&;]+|(?<=[?&;])[^=&;]+(?=[&;]|$)")
        spans += [match.span() for match in values.finditer(address, options)]
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        elif start < stop:
            merged.append((start, stop))
    return merged
