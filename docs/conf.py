"""The settings of the site: `make docs` builds it in `docs/_build/html`."""

import os
import shutil
import sys
import warnings
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
for folder in (DOCS / "_ext", ROOT):
    sys.path.insert(0, str(folder))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from diagrams import draw_all  # noqa: E402
from gallery_setup import figure_scraper, prepare_examples  # noqa: E402
from made_pages import write_pages  # noqa: E402

import lstm_bench  # noqa: E402

# Sphinx reads what the examples, the parsers and the models say: nothing of it is kept by hand.
write_pages(DOCS)
draw_all(DOCS / "why" / "_made")
work = prepare_examples(ROOT, DOCS / "_build" / "work")

project = "lstm-bench"
author = "the lstm-bench authors"
copyright = author  # noqa: A001 - Sphinx calls it so
version = release = lstm_bench.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "roles",
]
exclude_patterns = ["_build", "_templates", "_ext", "**/_made/*.md"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
root_doc = "index"
default_role = "code"

# --- reference -----------------------------------------------------------------------------------
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
python_display_short_literal_types = True
add_module_names = False

# --- gallery -------------------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": [str(work / "gallery"), str(work / "misunderstandings")],
    "gallery_dirs": ["gallery", "misunderstandings"],
    "filename_pattern": r"\.py",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": (figure_scraper,),
    "ignore_repr_types": r"matplotlib",
    "capture_repr": ("_repr_html_", "__repr__"),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1000,
    "write_computation_times": False,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
    "default_thumb_file": str(DOCS / "_static" / "thumb.svg"),
    "nested_sections": False,
    "copyfile_regex": r".*\.rst",
}
warnings.filterwarnings("ignore", category=UserWarning, module="sphinx_gallery")

# --- pages ---------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "lstm-bench"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = []
html_show_sourcelink = False
html_context = {"default_mode": "light"}
html_theme_options = {
    "logo": {"text": "lstm-bench"},
    "navbar_align": "left",
    "navbar_end": ["navbar-icon-links"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
}


def copy_reports(app, exception):
    """Lays the committed reports beside the site, so that its links to them work offline."""
    if exception or app.builder.name != "html":
        return
    for page in sorted(ROOT.glob("reports/*/index.html")):
        place = Path(app.outdir) / "reports" / page.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, place / "index.html")


def trim_examples(app, docname, source):
    """Removes the blank line that a doctest needs before the end of its block."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def setup(app):
    """Connects what belongs to this site alone."""
    app.connect("source-read", trim_examples)
    app.connect("build-finished", copy_reports)
