"""Pages in a real browser: on a telephone, sorted, filtered, printed, and for everybody."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser, opened_browser
from report_seen import rendered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
PAGES = ("all sorts", "searched", "families", "baselines", "published trials", "across tasks")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, paths = tmp_path_factory.mktemp("pages"), {}
    for name in PAGES:
        paths[name] = folder / f"{name.replace(' ', '-')}.html"
        paths[name].write_bytes(rendered(name)["index.html"])
    return paths


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script axe-core, from the npm registry."""
    folder = tmp_path_factory.mktemp("axe")
    if shutil.which("npm") is None:
        pytest.skip("there is no npm to get axe-core with")
    words = ["npm", "pack", "axe-core@4.10.2", "--silent"]
    packed = subprocess.run(words, cwd=folder, capture_output=True, timeout=120, check=False)
    if packed.returncode:
        pytest.skip("axe-core cannot be downloaded")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as file:
        member = file.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.mark.parametrize("name", PAGES)
def test_a_telephone_shows_the_page_and_its_verdicts_without_scrolling_sideways(
    name: str, pages: dict[str, Path], browser: Browser
) -> None:
    browser.open(pages[name], 360)
    assert not browser.problems
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    edges = browser.evaluate(
        "[...document.querySelectorAll('.judged td[data-title=Verdict]')]"
        ".map(cell => cell.getBoundingClientRect().right)"
    )
    assert max(edges, default=0) <= 360
    assert edges or name in ("all sorts", "across tasks", "searched")


def test_tables_sort_by_value_in_both_directions_and_back(
    pages: dict[str, Path], browser: Browser
) -> None:
    browser.open(pages["families"], 1200)
    rows = (
        "[...[...document.querySelectorAll('table')].find(table => "
        "table.tHead.textContent.includes('Memory span')).tBodies[0].rows]"
    )
    head = "[...document.querySelectorAll('th button')].find(b => b.textContent.startsWith('Memory"
    first = f"{rows}.map(row => row.cells[0].textContent)"
    original = browser.evaluate(first)
    assert original == ["F", "G", "H"]  # spans of 13, above 32, and one that does not fall
    browser.evaluate(f"{head} span')).click()")
    assert browser.evaluate(first) == ["F", "G", "H"]
    sorted_by = "document.querySelectorAll('th[aria-sort=%s]').length"
    assert browser.evaluate(sorted_by % "ascending") == 1
    browser.evaluate(f"{head} span')).click()")
    assert browser.evaluate(first) == ["G", "F", "H"]  # what has no number stays last
    assert browser.evaluate(sorted_by % "descending") == 1
    browser.evaluate(f"{head} span')).click()")
    assert browser.evaluate(first) == original
    assert not browser.problems


def test_a_filter_keeps_the_rows_with_all_of_its_words(
    pages: dict[str, Path], browser: Browser
) -> None:
    browser.open(pages["families"], 1200)
    browser.evaluate(
        "(() => { const field = [...document.querySelectorAll('.filter input')].at(-1);"
        "field.value = 'H/16'; field.dispatchEvent(new Event('input')); })()"
    )
    shown = browser.evaluate("[...document.querySelectorAll('.filter span')].at(-1).textContent")
    assert shown.strip().startswith("1 of ")
    assert not browser.problems


def test_a_link_to_a_recipe_opens_what_it_is_in(pages: dict[str, Path], browser: Browser) -> None:
    browser.open(pages["families"], 1200)
    closed = "document.getElementById('recipe-5').closest('details').open"
    assert browser.evaluate(closed) is False
    browser.evaluate("location.hash = 'recipe-5'")
    browser.evaluate("new Promise(done => setTimeout(done, 200))")
    assert browser.evaluate(closed) is True


@pytest.mark.parametrize("name", PAGES)
def test_print_cuts_nothing(name: str, pages: dict[str, Path], browser: Browser) -> None:
    """On A4 with its margins, 182 mm or 688 pixels, no table and no figure is wider."""
    browser.open(pages[name], 688)
    browser.send("Emulation.setEmulatedMedia", media="print")
    browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    wide = browser.evaluate(
        "[...document.querySelectorAll('table, svg, p, h1')]"
        ".filter(part => part.getBoundingClientRect().right > 688.5)"
        ".map(part => part.outerHTML.slice(0, 200))"
    )
    browser.send("Emulation.setEmulatedMedia", media="")
    assert wide == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_barrier(
    name: str, scheme: str, pages: dict[str, Path], browser: Browser, axe: str
) -> None:
    """Contrast, headings, names of parts, and what else axe-core checks."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.send("Emulation.setEmulatedMedia", media="", features=features)
    browser.open(pages[name], 1200)
    browser.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    browser.evaluate(axe + ";0")
    found = browser.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(result => result.violations.map("
        "v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 300), v.nodes[0].failureSummary]))"
    )
    assert found == []
