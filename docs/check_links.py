"""Checks the links of the built site: every page, file and anchor that it links to is there.

    python docs/check_links.py docs/_build/html

Addresses on other hosts are left alone. Exits with 1 and a line for each link that leads nowhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps what links, and what can be linked to."""
        for key, value in attrs:
            if key in ("id", "name") and value:
                self.anchors.add(value)
            elif key in ("href", "src") and value:
                self.links.add(value)


def broken_links(site: Path) -> Iterator[str]:
    """Yields a line for each link of the site that leads nowhere."""
    site = site.resolve()
    paths = [
        path
        for path in sorted(site.rglob("*.html"))
        # Not the reports, which are files of their own, nor a template of the theme.
        if path.relative_to(site).parts[0] not in ("reports", "_static")
    ]
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in paths}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith(("data:", "#!")):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists():
                yield f"{path.relative_to(site)}: {link}: there is no such file"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{path.relative_to(site)}: {link}: there is no such anchor"


if __name__ == "__main__":
    lines = list(broken_links(Path(sys.argv[1])))
    print("\n".join(lines) or "all links of the site lead somewhere")
    sys.exit(bool(lines))
