"""What a reader of a report sees."""

from __future__ import annotations

import functools
import io
from html.parser import HTMLParser

from report_cases import EDGES
from rich.console import Console

from lstm_bench.report import _page as page
from lstm_bench.report._console import console_table

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects what the tests ask of a page, and fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@functools.cache
def rendered(name: str) -> dict[str, bytes]:
    return page.render(EDGES[name])


def text_of(name: str) -> tuple[str, str, str]:
    """Returns what a page, its Markdown and the terminal say."""
    made = rendered(name)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(console_table(EDGES[name]))
    page_text = Page(made["index.html"].decode()).text
    return page_text, made["report.md"].decode(), console.export_text()


def page_of(name: str) -> str:
    return rendered(name)["index.html"].decode()
