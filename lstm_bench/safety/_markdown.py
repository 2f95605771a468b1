"""Escaping of text for Markdown."""

import re


def escape_markdown(text: object) -> str:
    """Returns `text` escaped so that Markdown shows it literally: no HTML, link or image.

    >>> print(escape_markdown("<b>a|b*"))
    &lt;b>a\\|b\\*
    """
    escaped = str(text).replace("&", "&amp;").replace("<", "&lt;")
    escaped = re.sub(r"([\\`*|\[\]~$])", r"\\\1", escaped)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\_", escaped)
