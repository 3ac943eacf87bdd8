"""Stepwise prediction of a language model with any encoder, for samplers and beams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import NextSymbol, Output, Stepper
from rnnpipe.models.language.folded_lstm import FoldedLSTM
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell
from rnnpipe.parts.encoders.sequence.recurrent import Recurrent
from rnnpipe.parts.outputs.full import SoftmaxOutput
from rnnpipe.structures import State


def next_symbol(model: LanguageModel, forbidden: Sequence[int] = ()) -> NextSymbol:
    """Return the fastest stepwise version of a model. It may copy the weights: call again when they
    change.

    forbidden: symbols that get probability 0.
    """
    if foldable(model):
        return FoldedLSTM(
            model.embedding.weight,
            cast("list[LSTMCell]", cast(Recurrent, model.encoder).layers),
            cast(SoftmaxOutput, model.output),
            forbidden,
        )
    return SteppedModel(model, forbidden)


def foldable(model: LanguageModel) -> bool:
    """Return whether a model is plain LSTM layers under a softmax, on a CPU."""
    encoder = model.encoder
    return (
        model.embedding.weight.device.type == "cpu"
        and isinstance(model.output, SoftmaxOutput)
        and type(encoder) is Recurrent
        and not (encoder.skip or encoder.residual)
        and all(type(cell) is LSTMCell and not cell.layer_norm for cell in encoder.layers)
    )


def state_after(model: LanguageModel, folded: NextSymbol, symbols: np.ndarray) -> State:
    """Return the state of one row of ``folded``, :func:`next_symbol` of the model, after some
    symbols, which the model itself reads fast."""
    state = model.read(symbols, cast(Stepper, model.encoder).start(1))
    return folded.from_encoder(state) if isinstance(folded, FoldedLSTM) else state


class SteppedModel:
    """A :class:`rnnpipe.contracts.types.NextSymbol` for any causal encoder and output. Its state is
    the encoder's."""

    def __init__(self, model: LanguageModel, forbidden: Sequence[int]) -> None:
        self.model = model
        self._penalty = torch.zeros_like(model.embedding.weight[:, 0])
        self._penalty[list(forbidden)] = -torch.inf

    def begin(self, batch_size: int) -> State:
        return self._stepper.start(batch_size)

    def advance(self, symbols: Tensor, state: State) -> tuple[Tensor, State]:
        with torch.no_grad():
            vectors = nn.functional.embedding(symbols, self.model.embedding.weight)  # (B, D)
            h, state = self._stepper.step(vectors, state)
            output = cast(Output, self.model.output)
            return output.log_probabilities(h) + self._penalty, state

    def reorder(self, state: State, rows: Tensor) -> State:
        return self._stepper.reorder(state, rows)

    @property
    def _stepper(self) -> Stepper:
        return cast(Stepper, self.model.encoder)
