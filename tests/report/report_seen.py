"""The text and tags that a reader of a report sees."""

from __future__ import annotations

import functools
import io
from html.parser import HTMLParser

from report_cases import EDGES
from rich.console import Console

from lstm_bench.report import _page as page
from lstm_bench.report._terminal_table import terminal_table

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects the tags and the text of a page, and fails if tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@functools.cache
def rendered(name: str) -> dict[str, bytes]:
    return page.render(EDGES[name])


def text_of(name: str) -> tuple[str, str, str]:
    """Returns the text of the page, of its Markdown and of the terminal."""
    files = rendered(name)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(terminal_table(EDGES[name]))
    page_text = Page(files["index.html"].decode()).text
    return page_text, files["report.md"].decode(), console.export_text()


def page_of(name: str) -> str:
    return rendered(name)["index.html"].decode()
