"""Makes `first_steps.ipynb` from `first_steps.py`, and executes it.

Needs `nbformat`, `nbclient` and `ipykernel`, which are in the dependency group `dev`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SOURCE = Path(__file__).with_name("first_steps.py")


def notebook() -> nbformat.NotebookNode:
    """Returns the notebook, not executed: a cell for every `# %%` of the script."""
    cells = []
    for cell in re.split(r"^# %%", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        kind, _, text = cell.partition("\n")
        if "[markdown]" in kind:
            lines = [line.removeprefix("#").removeprefix(" ") for line in text.strip().splitlines()]
            cells.append(nbformat.v4.new_markdown_cell("\n".join(lines)))
        else:
            cells.append(nbformat.v4.new_code_cell(text.strip()))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # equal scripts give equal notebooks
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def executed(folder: str) -> nbformat.NotebookNode:
    """Returns the notebook with the output of every cell, run in `folder`."""
    made = notebook()
    client = NotebookClient(made, timeout=600, resources={"metadata": {"path": folder}})
    os.environ.setdefault("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    client.execute()
    for cell in made.cells:
        cell["metadata"].pop("execution", None)  # when each cell was run
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        nbformat.write(executed(place), SOURCE.with_suffix(".ipynb"))
