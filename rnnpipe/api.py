"""The one path from which plugins and programs import: ``from rnnpipe.api import encoders, Cell``.

What is listed in ``__all__`` is public and changes as docs/stability.md says. Everything else may
move or change with any version.
"""

from rnnpipe import structures as _structures
from rnnpipe.contracts import types as _types
from rnnpipe.contracts.registry import (
    REGISTRIES,
    adaptations,
    attentions,
    decoders,
    edges,
    embeddings,
    encoders,
    filters,
    outputs,
    pixel_outputs,
    poolers,
    structures,
    symbols,
)
from rnnpipe.contracts.schemes import Scheme
from rnnpipe.contracts.types import *
from rnnpipe.errors import (
    ConfigError,
    CorpusError,
    LabelError,
    PluginError,
    RnnpipeError,
    SettingsError,
    StructureError,
    TrainingError,
    UnknownComponentError,
    WeightsError,
    expected,
)
from rnnpipe.instruments.gates import gate_values
from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.init import fill_gate_, orthogonal_blocks_
from rnnpipe.layers.precision import in_full_precision
from rnnpipe.parts.embeddings.builder import Builder
from rnnpipe.parts.encoders.sequence.bidirectional import Bidirectional
from rnnpipe.parts.encoders.sequence.cell import (
    Cell,
    Drop,
    LayerState,
    Recurrence,
    keep,
    run_steps,
)
from rnnpipe.parts.encoders.sequence.recurrent import Recurrent
from rnnpipe.parts.encoders.sequence.registration import register
from rnnpipe.parts.encoders.sequence.scan import linear_scan
from rnnpipe.parts.encoders.sequence.steps import Steps
from rnnpipe.shim import TorchShim, TorchWrapper
from rnnpipe.structures import *

__all__ = [
    "REGISTRIES",
    "Bidirectional",
    "Builder",
    "Cell",
    "ConfigError",
    "CorpusError",
    "Drop",
    "Dropout",
    "LabelError",
    "LayerState",
    "PluginError",
    "Recurrence",
    "Recurrent",
    "RnnpipeError",
    "Scheme",
    "SettingsError",
    "Steps",
    "StructureError",
    "TorchShim",
    "TorchWrapper",
    "TrainingError",
    "UnknownComponentError",
    "WeightsError",
    "adaptations",
    "attentions",
    "decoders",
    "edges",
    "embeddings",
    "encoders",
    "expected",
    "fill_gate_",
    "filters",
    "gate_values",
    "in_full_precision",
    "keep",
    "linear_scan",
    "orthogonal_blocks_",
    "outputs",
    "pixel_outputs",
    "poolers",
    "register",
    "run_steps",
    "structures",
    "symbols",
]
__all__ += _types.__all__
__all__ += _structures.__all__
