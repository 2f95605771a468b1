"""Text that Markdown shows as it is."""

import re


def escape_markdown(text: object) -> str:
    """Returns `text` so that Markdown shows it as it is: no HTML, no link, no picture.

    >>> print(escape_markdown("<b>a|b*"))
    &lt;b>a\\|b\\*
    """
    plain = str(text).replace("&", "&amp;").replace("<", "&lt;")
    plain = re.sub(r"([\\`*|\[\]~$])", r"\\\1", plain)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\_", plain)
