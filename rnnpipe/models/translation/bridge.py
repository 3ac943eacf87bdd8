"""The initial state of a decoder from the final state of an encoder."""

from __future__ import annotations

from itertools import count

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import Encoder, Stepper
from rnnpipe.structures import Encoded, State, map_state


class Bridge(nn.Module):
    """The encoder's final state if the decoder's has the same shape (Sutskever et al. 2014);
    otherwise ``tanh(W final + b)`` for each tensor of the decoder's state (after Bahdanau et al.
    2015). Tensors of integers keep the decoder's initial values."""

    def __init__(self, encoder: Encoder, decoder: Stepper) -> None:
        super().__init__()
        begin = decoder.start(1)
        self.direct = isinstance(encoder, Stepper) and _shape(encoder.start(1)) == _shape(begin)
        learnt = [] if self.direct else [x for x in _leaves(begin) if x.is_floating_point()]
        self.projections = nn.ModuleList(nn.Linear(encoder.n_out, x.numel()) for x in learnt)

    def forward(self, encoded: Encoded, start: State) -> State:
        """Return the decoder's initial state. start: its default one, with as many rows as
        ``encoded``."""
        if self.direct:
            return encoded.state
        numbers = count()

        def begin(leaf: Tensor) -> Tensor:
            if not leaf.is_floating_point():
                return leaf
            projected: Tensor = self.projections[next(numbers)](encoded.final)
            return torch.tanh(projected).to(leaf.dtype).view(leaf.shape)

        return map_state(begin, start)


def _leaves(state: State) -> list[Tensor]:
    found: list[Tensor] = []
    map_state(found.append, state)
    return found


def _shape(state: State) -> State:
    return map_state(lambda leaf: (leaf.shape, leaf.dtype), state)
