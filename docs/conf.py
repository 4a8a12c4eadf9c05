"""Sphinx's configuration of the documentation: `python -m sphinx docs docs/_build`.

Before Sphinx reads the pages, `building` writes those that come from the program itself. See `CONTRIBUTING.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from building.python_api import ROOMS, modules  # noqa: E402

from asr.version import __version__  # noqa: E402

project = "ctc-asr"
author = "The developers of ctc-asr"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "building.extension"]
exclude_patterns = ["_build", "building"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

default_role = "code"  # docstrings write code in single backticks
add_module_names = False
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

# What is named in the signatures of public modules must be there; types of other modules and packages have no page.
_PUBLIC = "|".join(name.replace(".", r"\.") for room in ROOMS for name in modules(room) if name != "asr")
nitpicky = True
nitpick_ignore_regex = [
    (r"py:obj", r".*"),  # dotted names in the text of docstrings
    (r"py:class", rf"(?!({_PUBLIC})\.[A-Za-z]\w*$).*"),
    (r"py:class", r"asr\.training\.task\.(B|Made|Self_)"),  # type variables
]
suppress_warnings = ["ref.python"]  # a type in a signature that has the name of several attributes

html_theme = "furo"
html_title = "ctc-asr"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
