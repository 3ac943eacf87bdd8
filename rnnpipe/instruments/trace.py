"""Each piece of a text: how surprised a language model is by it, and what one of its cells does.

Karpathy, Johnson and Li (2015), Visualizing and Understanding Recurrent Networks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from spacy.tokens import Doc
from torch import Tensor, nn

from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.types import Stepper
from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.reading import Reader
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.structures import State, tensors_of

#: What the tensors of a layer's state are called: the visible state, then what LSTMs keep inside.
_STATE_NAMES = ("h", "c")


@dataclass(frozen=True)
class Cell:
    """One unit of one layer, both from 0."""

    layer: int
    unit: int

    @classmethod
    def parse(cls, text: str) -> Cell:
        """``LAYER:UNIT``. Raises SettingsError for anything else."""
        layer, _, unit = text.partition(":")
        if not (layer.isdecimal() and unit.isdecimal()):
            do = "Layers and units are counted from 0."
            raise SettingsError(expected("cell", "LAYER:UNIT, such as 0:17", text, do))
        return cls(int(layer), int(unit))

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}"


@dataclass(frozen=True)
class Trace:
    """A text of P pieces: characters, subwords or tokens, whichever the model's symbols make up.

    pieces: their texts; joined, they are the text.
    nats: ``(P,)`` the negative log-probability of each given those before it.
    guess: what one symbol costs where nothing is known but which symbols there are: log V, nats.
    cell, activations: a unit, and its value after each piece, ``(P,)``, under the name of the
        layer's state that it is in: h and, where the encoder has one, the cell state c.
    """

    pieces: list[str]
    nats: np.ndarray
    guess: float
    cell: Cell | None = None
    activations: dict[str, np.ndarray] = field(default_factory=dict)


def trace(reader: Reader, text: str, cell: Cell | None = None) -> Trace:
    """Read a text from its beginning.

    RAISES: SettingsError if there is no such cell.
    """
    doc = reader.doc(text)
    symbols = reader.pipe.symbols.read(doc)
    pieces, owners = _pieces(reader, doc)
    scores = np.concatenate([np.zeros(0), *reader.log_probabilities([symbols])])
    nats = np.bincount(owners, -scores[: len(owners)], minlength=len(pieces))
    found = {} if cell is None else activations(reader, symbols, cell)
    last = np.zeros(len(pieces), dtype=np.int64)
    np.maximum.at(last, owners, np.arange(len(owners)))  # of the symbols of each piece
    guess = math.log(len(reader.pipe.symbols))
    return Trace(pieces, nats, guess, cell, {name: v[last] for name, v in found.items()})


def _pieces(reader: Reader, doc: Doc) -> tuple[list[str], np.ndarray]:
    """The texts of the symbols, where they make up the document in the order in which they are
    read, or else of its tokens; and which of them each symbol belongs to, ``(N,)``."""
    pieces = reader.pipe.symbols.pieces(doc)
    if not reader.backward and "".join(pieces) == doc.text:
        return pieces, np.arange(len(pieces))
    return [token.text_with_ws for token in doc], reader.pipe.symbols.owners(doc)


def activations(reader: Reader, symbols: np.ndarray, cell: Cell) -> dict[str, np.ndarray]:
    """A unit's value after each symbol, ``(N,)``, of every tensor in its layer's state.

    Any causal encoder can be asked: it is stepped through the text. Its state is one layer (a
    tensor, or a tuple of tensors) or a tuple of layers, each tensor ``(1, width)``.
    """
    with network_shim(reader.pipe.model).evaluation() as module:
        model = cast(LanguageModel, module)
        stepper = cast(Stepper, model.encoder)
        states = _layer(stepper.start(1), cell)
        values: dict[str, list[Tensor]] = {name: [] for name in states}
        embedding = model.embedding.weight
        _, state = stepper.step(embedding[:1], stepper.start(1))  # the boundary
        for symbol in torch.from_numpy(symbols).to(embedding.device):
            _, state = stepper.step(nn.functional.embedding(symbol, embedding)[None], state)
            for name, tensor in _layer(state, cell).items():
                values[name].append(tensor.flatten()[cell.unit])
    empty = torch.zeros(0)
    return {
        name: torch.stack(v).float().cpu().numpy() if v else empty.numpy()
        for name, v in values.items()
    }


def _layer(state: State, cell: Cell) -> dict[str, Tensor]:
    """The tensors of a layer's state by name. Raises SettingsError without such a cell."""
    layers = state if isinstance(state, tuple) and _is_nested(state) else (state,)
    if cell.layer >= len(layers):
        _refuse(cell, f"a layer from 0 to {len(layers) - 1}")
    tensors = tensors_of(layers[cell.layer])
    width = min(tensor.numel() for tensor in tensors)
    if cell.unit >= width:
        _refuse(cell, f"a unit from 0 to {width - 1} of layer {cell.layer}")
    names = [*_STATE_NAMES, *(f"state {i}" for i in range(len(_STATE_NAMES), len(tensors)))]
    return dict(zip(names, tensors, strict=False))


def _refuse(cell: Cell, want: str) -> None:
    raise SettingsError(expected("cell", want, str(cell), "Choose a unit of the encoder."))


def _is_nested(state: tuple[State, ...]) -> bool:
    return any(isinstance(part, tuple) for part in state)
