"""`source` and `url` of a sweep and of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_bench.errors import SweepError
from lstm_bench.sweeps import load_sweep

FILE = """
task: memory
source: Ann (1997)
url: https://example.org/1
recipes:
  A: {published: all right, source: Ben (2000), url: http://example.org/2}
  B: {base: A}
"""


def test_a_recipe_does_not_inherit_a_source_and_digests_do_not_depend_on_it(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(FILE)
    sweep = load_sweep(path)
    assert (sweep.source, sweep.url) == ("Ann (1997)", "https://example.org/1")
    a, b = sweep.entries["A"], sweep.entries["B"]
    assert (a.source, a.url) == ("Ben (2000)", "http://example.org/2")
    assert (b.source, b.url) == ("", "")
    assert a.recipe.digest == b.recipe.digest


@pytest.mark.parametrize("address", ["javascript:alert(1)", "ftp://a.b", "'https://a b'"])
def test_other_addresses_than_those_of_pages_are_refused(address: str, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    for text, key in (
        (FILE.replace("https://example.org/1", address), "url"),
        (FILE.replace("http://example.org/2", address), r"recipes\.A\.url"),
    ):
        path.write_text(text)
        with pytest.raises(SweepError, match=rf"{key}: must be an address like https://doi\.org"):
            load_sweep(path)
