"""Recurrent networks for spaCy: any encoder, pooler and decoder, by config."""

import sys

from rnnpipe.contracts.moved import MovedModules

__version__ = "0.1.0"

# First, so that no module is found twice: a package that moved still has modules of the old names.
sys.meta_path.insert(0, MovedModules())
