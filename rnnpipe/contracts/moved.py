"""Module paths of earlier versions, which still lead to the modules, and warn.

A path that was documented is kept for one minor version (see docs/stability.md). Whoever imports an
old path is given the module itself, so that its classes are the same under both names.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

#: Old path and new path, without ``rnnpipe.``, since 0.2; the submodules of a package go with it.
MOVED = {
    "adaptations": "parts.adaptations",
    "attentions": "parts.attentions",
    "bootstrap": "components.factories",
    "corpora": "training.corpora",
    "decoders": "parts.decoders",
    "distributions": "contracts.distributions",
    "doc_image": "parts.structures.doc_image",
    "doc_structures": "parts.structures",
    "dropout": "layers.dropout",
    "edges": "parts.edges",
    "embeddings": "parts.embeddings",
    "encoders": "parts.encoders",
    "encoders.bidirectional": "parts.encoders.sequence.bidirectional",
    "encoders.cell": "parts.encoders.sequence.cell",
    "encoders.cells": "parts.encoders.sequence.cells",
    "encoders.lstm_cells": "parts.encoders.sequence.lstm_cells",
    "encoders.recurrent": "parts.encoders.sequence.recurrent",
    "encoders.registration": "parts.encoders.sequence.registration",
    "encoders.scan": "parts.encoders.sequence.scan",
    "encoders.stack": "parts.encoders.sequence.stack",
    "encoders.steps": "parts.encoders.sequence.steps",
    "encoders.tree": "parts.encoders.tree.tree",
    "encoders.tree_cells": "parts.encoders.tree.tree_cells",
    "init": "layers.init",
    "jit": "layers.jit",
    "loggers": "training.loggers",
    "masked_conv": "layers.masked_conv",
    "optimizer_step": "shim.optimizer_step",
    "outputs": "parts.outputs",
    "pixel_outputs": "parts.pixel_outputs",
    "poolers": "parts.poolers",
    "precision": "layers.precision",
    "registry": "contracts.registry",
    "schemes": "contracts.schemes",
    "settings": "contracts.settings",
    "symbols": "parts.symbols",
    "torch_wrapper": "shim.torch_wrapper",
    "types": "contracts.types",
    "weights": "shim.weights",
}


def new_path(old: str) -> str | None:
    """Return where a module of an earlier version is now, or None if it has not moved."""
    head, _, tail = old.partition("rnnpipe.")
    parts = [] if head else tail.split(".")
    for end in range(len(parts), 0, -1):
        package = MOVED.get(".".join(parts[:end]))
        if package is not None:
            return ".".join(["rnnpipe", package, *parts[end:]])
    return None


class MovedModules:
    """Finds modules by their paths of earlier versions (a finder and loader of ``importlib``)."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if new_path(name) is None else ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        old, new = module.__name__, new_path(module.__name__)
        assert new is not None  # find_spec has found it
        sys.modules[old] = importlib.import_module(new)
        warnings.warn(
            f"{old} has moved to {new}; the old path goes with rnnpipe 0.3. See rnnpipe.api.",
            DeprecationWarning,
            stacklevel=2,
        )
