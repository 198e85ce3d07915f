"""The documentation as a site: `make docs`.

Sphinx with MyST and the PyData theme, because all three are released several times a year, build offline, and turn every
broken reference into a warning, which here is an error. Names of the API are read from the code by autodoc.
"""

import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "smoothswap-bench"
copyright = "smoothswap-bench authors, Apache-2.0"
version = release = version_of("smoothswap-bench")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nitpicky = False  # types of numpy and torch lie in inventories that only a network has
default_role = "literal"  # docstrings put code into single backticks
highlight_language = "bash"  # a fence without a language holds commands
myst_heading_anchors = 3
myst_enable_extensions: list[str] = []

autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
python_display_short_literal_types = True
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = project
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_sidebars = {"**": ["all-pages"]}
html_theme_options = {
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def keep_intervals_whole(app: Sphinx, doctree: nodes.document) -> None:
    """Join the words of "(0.93 to 0.94)" in tables, so that a narrow cell breaks before the interval, not in it."""
    for entry in doctree.findall(nodes.entry):
        for text in list(entry.findall(nodes.Text)):
            joined = re.sub(r"\((\S+) to (\S+)\)", "(\\1\u00a0to\u00a0\\2)", text)
            if joined != text:
                text.parent.replace(text, nodes.Text(joined))


def shorten_arrays(
    app: Sphinx, what: str, name: str, obj: object, options: object, given: str, returned: str
) -> Any:
    """Write ndarray[uint8] for ndarray[tuple[Any, ...], dtype[uint8]]."""
    long = r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]"
    return tuple(text and re.sub(long, r"ndarray[\1]", text) for text in (given, returned))


def part_lists(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Put empty lines around lists, which docstrings write as Markdown does: right below a sentence."""
    parted: list[str] = []
    bullet = -1  # indentation of the list that a line may belong to
    for line in lines:
        indent = len(line) - len(line.lstrip())
        item = line.lstrip().startswith("- ")
        begins, ends = item and bullet < 0, not item and 0 <= indent <= bullet and line.strip() != ""
        if (begins or ends) and parted and parted[-1].strip():
            parted.append("")
        bullet = indent if item else -1 if ends or not line.strip() else bullet
        parted.append(line)
    lines[:] = parted


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", part_lists, priority=400)  # before napoleon reads the sections
    app.connect("autodoc-process-signature", shorten_arrays)
    app.connect("doctree-read", keep_intervals_whole)
