"""The documentation as a site: `make docs`.

Sphinx with MyST and the PyData theme, because all three are released several times a year, build offline, and turn every
broken reference into a warning, which here is an error. Names of the API are read from the code by autodoc.
"""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "smoothswap-bench"
author = "the smoothswap-bench authors"
version = release = version_of("smoothswap-bench")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nitpicky = False  # types of numpy and torch lie in inventories that only a network has
default_role = "literal"  # docstrings put code into single backticks
highlight_language = "bash"  # a fence without a language holds commands
myst_heading_anchors = 3
myst_enable_extensions: list[str] = []

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = project
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_align": "left",
    "show_nav_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
