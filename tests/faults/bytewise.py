"""Any file, damaged byte by byte."""

from __future__ import annotations

import random

SPLINTERS = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1b[31m", b"\x1b]0;x\x07", b"\xc2\x9b", b"\t",
    b"\r", b"\n", b"\n\n", b": ", b"- ", b"&a ", b"*a", b"!!", b"|", b"%", b"${", b"}", b"{", b"[",
    b"]", b"'", b'"', b",", b";", b"#", b"-", b"9" * 400, b"1e400", b".inf", b".nan",
    b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b"A" * 5000, b"null", b"true", b"~",
    b"\\", b"/../", b"<script>",
)  # fmt: skip
"""What is put into files."""


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Returns `content` with one to four of its places changed, or cut off."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 1, 2, 8, 64)), len(data) - place)
        part = bytes(data[place : place + length])
        match chance.randrange(7):
            case 0 if length:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place:place] = chance.choice(SPLINTERS)
            case 2:
                data[place : place + length] = chance.choice(SPLINTERS)
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = part * chance.choice((1, 3, 50))
            case 5 if chance.random() < 0.3:
                del data[place:]
            case _:
                data[place : place + length] = chance.randbytes(length)
    return bytes(data)
