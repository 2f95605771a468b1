"""Roles for what lies in the repository: reports, their numbers and sentences, and files.

All are held to the disk: a name, number or sentence that is not there is a warning, which ends the
build. So numbers of the site are always those of the committed reports.
"""

import csv
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective, SphinxRole

ROOT = Path(__file__).parents[2]


class Report(SphinxRole):
    """`{report}`the whole report <published>``: a link to a committed report."""

    def run(self):
        """Returns the link, as seen from the page that has it."""
        text, _, name = self.text.rpartition(" <")
        name = name.removesuffix(">")
        text = text or name
        path = f"reports/{name}/index.html"
        if not (ROOT / path).is_file():
            warning = self.inliner.reporter.warning(f"there is no {path}", line=self.lineno)
            return [nodes.literal(text, text)], [warning]
        up = "../" * self.env.docname.count("/")
        return [nodes.reference(text, text, refuri=up + path, internal=False)], []


class Repo(SphinxRole):
    """`{repo}`sweeps/published.yaml``: the name of a file or folder of the repository."""

    def run(self):
        """Returns the name as code."""
        if not (ROOT / self.text).exists():
            warning = self.inliner.reporter.warning(f"there is no {self.text}", line=self.lineno)
            return [nodes.literal(self.text, self.text)], [warning]
        return [nodes.literal(self.text, self.text, classes=["file"])], []


class Value(SphinxRole):
    """`{value}`horizon/horizon | family=gru | half | .0f``: a number of a table of a report.

    The parts are the table, the row, the column and a format; `%` or `points` at its end takes a
    share as percent or as percentage points.
    """

    def run(self):
        """Returns the number as text."""
        try:
            text = table_value(self.text)
        except (LookupError, ValueError, OSError) as error:
            warning = self.inliner.reporter.warning(f"{self.text}: {error!r}", line=self.lineno)
            return [nodes.literal(self.text, self.text)], [warning]
        return [nodes.Text(text)], []


def table_value(words):
    """Returns the value that `words` name: see `Value`."""
    name, row, column, *form = (part.strip() for part in words.split("|"))
    key, _, wanted = row.partition("=")
    with (ROOT / "reports" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        values = [line[column] for line in csv.DictReader(file) if line[key] == wanted]
    if len(values) != 1:
        raise LookupError(f"{len(values)} rows")
    if not form:
        return values[0]
    number, unit = float(values[0]), ""
    if form[0].endswith("points"):
        number, unit, form = 100 * number, " points", [form[0].removesuffix("points") + "f"]
    return f"{number:{form[0]}}".replace("%", " %").replace("-", "−") + unit


class FromReport(SphinxDirective):
    """The sentence of a report that begins with a pattern, as a quotation.

    ```{from-report} memory
    :begins: The best recipe is
    ```
    """

    required_arguments = 1
    option_spec = {"begins": directives.unchanged_required}

    def run(self):
        """Returns the quotation."""
        path = ROOT / "reports" / self.arguments[0] / "report.md"
        text = path.read_text(encoding="utf-8").replace("\\[", "[").replace("\\]", "]")
        sentences = [
            part.removeprefix("- ").removeprefix("**").removesuffix("**")  # the marks of Markdown
            for line in text.splitlines()
            for part in re.split(r"(?<=[.?]) (?=[A-Z])", line)
        ]
        begins = self.options["begins"]
        matches = [sentence for sentence in sentences if re.match(begins, sentence)]
        if not matches:
            return [
                self.state.document.reporter.warning(
                    f"{path.name}: no sentence begins {begins!r}", line=self.lineno
                )
            ]
        quotation = nodes.block_quote(classes=["from-report"])
        quotation += nodes.paragraph("", matches[0])
        return [quotation]


def setup(app):
    """Registers the roles and the directive."""
    app.add_role("report", Report())
    app.add_role("repo", Repo())
    app.add_role("value", Value())
    app.add_directive("from-report", FromReport)
    return {"parallel_read_safe": True}
