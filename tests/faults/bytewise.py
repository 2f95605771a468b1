"""Mutates the bytes of any file."""

from __future__ import annotations

import random

FRAGMENTS = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b[31m", b"\x1b]0;x\x07", b"\xc2\x9b", b"\t",
    b"\r", b"\n", b"\n\n", b": ", b"- ", b"&a ", b"*a", b"!!", b"|", b"%", b"${", b"}", b"{", b"[",
    b"]", b"'", b'"', b",", b";", b"#", b"-", b"9" * 400, b"1e400", b".inf", b".nan",
    b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b"A" * 5000, b"null", b"true", b"~",
    b"\\", b"/../", b"<script>",
)  # fmt: skip
"""Bytes to insert into files."""


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Returns `content` with one to four changes, or truncated."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        start = rng.randrange(len(data) + 1)
        length = min(rng.choice((1, 1, 2, 8, 64)), len(data) - start)
        part = bytes(data[start : start + length])
        match rng.randrange(7):
            case 0 if length:
                data[start] ^= 1 << rng.randrange(8)
            case 1:
                data[start:start] = rng.choice(FRAGMENTS)
            case 2:
                data[start : start + length] = rng.choice(FRAGMENTS)
            case 3:
                del data[start : start + length]
            case 4:
                data[start:start] = part * rng.choice((1, 3, 50))
            case 5 if rng.random() < 0.3:
                del data[start:]
            case _:
                data[start : start + length] = rng.randbytes(length)
    return bytes(data)
