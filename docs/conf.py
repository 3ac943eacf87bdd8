"""How the pages are built: ``sphinx-build -W docs site``."""

import sys
from pathlib import Path

from rnnpipe import __version__

sys.path.append(str(Path(__file__).parent))

project = "rnnpipe"
author = "the rnnpipe authors"
version = release = __version__
extensions = ["myst_parser", "registered"]
html_theme = "furo"
html_title = f"rnnpipe {version}"
myst_heading_anchors = 3
# Configs and shell commands are shown as they are.
highlight_language = "none"
