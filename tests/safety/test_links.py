"""Addresses that reports link to: http and https, and nothing that could be something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.safety import checked_link


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://a.b",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "ftp://example.org",
        "//example.org",
        "https://",
        "https:///path",
        "https://ann:secret@example.org",
        "https://example.org/a b",
        'https://example.org/"onclick=',
        "https://example.org/<b>",
        "https://example.org/\n",
        "https://example.org:port/",
        "https://[1/",
        "https://example.org/" + "a" * 2_000,
        "https://exämple.org",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must be an address like https"):
        checked_link(address)


def test_addresses_of_pages_are_kept_as_they_are() -> None:
    for address in ("", "http://example.org", "https://doi.org/10.1/a(b)_c;d?e=%20&f=g#h"):
        assert checked_link(address) == address


@given(st.text(max_size=40))
def test_an_address_never_ends_an_attribute(text: str) -> None:
    try:
        address = checked_link("https://a.b/" + text)
    except ValueError:
        return
    assert not set(address) & set("\"'<>`\\ \t\n") and address.isascii()
