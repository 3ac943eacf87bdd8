"""Recurrent networks for spaCy: any encoder, pooler and decoder, by config."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from rnnpipe.contracts.moved import MovedModules

if TYPE_CHECKING:
    from rnnpipe.training.train import train as train

__version__ = "0.2.0"

# First, so that no module is found twice: a package that moved still has modules of the old names.
sys.meta_path.insert(0, MovedModules())

if not TYPE_CHECKING:  # type checkers see the import above, and no other name

    def __getattr__(name: str) -> Any:
        """Import what needs spaCy when it is asked for: ``import rnnpipe`` stays light."""
        if name == "train":
            return importlib.import_module("rnnpipe.training.train").train
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*globals(), "train"]
