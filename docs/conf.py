"""How the pages are built: ``sphinx-build -W docs site``."""

import sys
from pathlib import Path

from rnnpipe import __version__

sys.path.append(str(Path(__file__).parent))

project = "rnnpipe"
author = "the rnnpipe authors"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "mathml", "registered", "objects"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["rnnpipe.css"]
html_title = f"rnnpipe {version}"
myst_heading_anchors = 3
# Configs and shell commands are shown as they are.
highlight_language = "none"
autoclass_content = "both"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
