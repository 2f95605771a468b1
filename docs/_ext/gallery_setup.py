"""Where the examples run, and how their figures come into the pages."""

from __future__ import annotations

import shutil
from pathlib import Path

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

TABLES = ("comparison", "comparisons", "confirmation", "horizon", "published", "seeds", "rates")
"""The tables of the committed reports that examples read."""


def prepare_examples(root: Path, work: Path) -> Path:
    """Copies the examples to a folder of the build, and returns it.

    Examples write a store and reports where they run, so they do not run in the repository. Beside
    them lie the tables of the committed reports, under the paths that they have in a clone.
    """
    shutil.rmtree(work, ignore_errors=True)
    for part in ("gallery", "misunderstandings"):
        shutil.copytree(root / "examples" / part, work / part)
        for table in root.glob("reports/*/*.csv"):
            if table.stem in TABLES:
                place = work / part / table.relative_to(root)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(table, place)
        shutil.copytree(root / "sweeps" / "data", work / part / "sweeps" / "data")
    return work


def figure_scraper(block, block_vars, gallery_conf):
    """Returns the picture of a block whose last value is a figure: ours are made without pyplot."""
    value = block_vars["example_globals"].get("___")
    seen = block_vars.setdefault("figures seen", set())
    if not isinstance(value, Figure) or id(value) in seen:
        return ""
    seen.add(id(value))
    path = Path(next(block_vars["image_path_iterator"])).with_suffix(".svg")
    draw = getattr(value, "_repr_svg_", None)
    if draw is not None:
        path.write_text(draw(), encoding="utf-8")
    else:
        value.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    # The gallery makes its thumbnail from a bitmap of the same name.
    value.savefig(path.with_suffix(".png"), dpi=150)
    return figure_rst([str(path)], gallery_conf["src_dir"])
