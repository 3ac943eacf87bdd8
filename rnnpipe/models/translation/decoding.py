"""Stepwise prediction of target symbols for many sources at once, for samplers and beams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import BOUNDARY, Generated, Output, SequenceGenerator, Stepper
from rnnpipe.errors import StructureError, expected
from rnnpipe.models.labelling.batching import partition
from rnnpipe.models.translation.attend import Memory
from rnnpipe.models.translation.images import Sight
from rnnpipe.models.translation.model import Seq2Seq
from rnnpipe.structures import State

# Searches hold several hypotheses a source, and all symbols' probabilities for each.
_SEARCH_SHARE = 8


def search(
    model: Seq2Seq,
    sources: Sequence[np.ndarray | Sight],
    generator: SequenceGenerator,
    forbidden: Sequence[int] = (),
) -> list[list[Generated]]:
    """Return the texts that a generator finds for each source, ``(S,)`` symbols or an image.

    forbidden: symbols that get probability 0.
    """
    results: dict[int, list[Generated]] = {}
    lengths = np.array([1 + len(source) for source in sources], dtype=np.int64)
    cap = model.max_padded_symbols // _SEARCH_SHARE
    for rows in partition(np.argsort(-lengths, kind="stable"), lengths, cap):
        steps = Decoding(model, [sources[i] for i in rows], forbidden)
        first = torch.full((len(rows),), BOUNDARY, device=model.device)
        texts = generator.generate(steps, first, steps.begin(len(rows)))
        results.update(zip(rows.tolist(), texts, strict=True))
    return [results[i] for i in range(len(sources))]


@dataclass(frozen=True)
class Progress:
    """The state of R unfinished texts.

    sources: ``(R,)`` int64, the source of each.
    memory: attended states of ``sources``.
    decoder: the decoder's state. fed: ``(R, W)``, the last attentional states.
    attention: ``(R, S)``, of the last step; coverage: its sum over all steps.
    """

    sources: Tensor
    memory: Memory | None
    decoder: State
    fed: Tensor
    attention: Tensor
    coverage: Tensor


class Decoding:
    """A :class:`rnnpipe.contracts.types.NextSymbol` whose row i initially translates source i.

    forbidden: symbols that get probability 0.
    """

    def __init__(
        self, model: Seq2Seq, sources: Sequence[np.ndarray | Sight], forbidden: Sequence[int] = ()
    ) -> None:
        self.model = model
        self.size = len(sources)
        with torch.no_grad():
            self._source = model.encode(sources)
        self._penalty = torch.zeros_like(model.target_embedding.weight[:, 0])
        self._penalty[list(forbidden)] = -torch.inf

    def begin(self, batch_size: int) -> Progress:
        """Return the initial state; raise StructureError unless there is one row per source."""
        if batch_size != self.size:
            want = f"one row for each of {self.size} sources"
            raise StructureError(expected("Decoding.begin", want, batch_size))
        memory = self._source.memory
        width = 0 if memory is None else memory.states.shape[1]
        nothing = self._penalty.new_zeros(batch_size, width)
        return Progress(
            torch.arange(batch_size, device=self.model.device),
            memory,
            self._source.state,
            self._penalty.new_zeros(batch_size, self.model.width),
            nothing,
            nothing,
        )

    def advance(self, symbols: Tensor, state: Progress) -> tuple[Tensor, Progress]:
        model = self.model
        with torch.no_grad():
            x = nn.functional.embedding(symbols, model.target_embedding.weight)  # (R, D)
            if model.input_feeding:
                x = torch.cat([x, state.fed], dim=-1)
            h, decoder = cast(Stepper, model.decoder).step(x, state.decoder)
            fed, attention, coverage = state.fed, state.attention, state.coverage
            if model.attend is not None and state.memory is not None:
                y, weights = model.attend(h.unsqueeze(1), state.memory)
                h = fed = y.squeeze(1)
                attention = weights.squeeze(1)  # (R, S)
                coverage = coverage + attention
            scores = cast(Output, model.output).log_probabilities(h) + self._penalty
        return scores, Progress(state.sources, state.memory, decoder, fed, attention, coverage)

    def reorder(self, state: Progress, rows: Tensor) -> Progress:
        sources, memory = state.sources.index_select(0, rows), state.memory
        # A beam mostly reorders the rows of one source, which look at the same.
        if memory is not None and not torch.equal(sources, state.sources):
            memory = cast(Memory, self._source.memory).rows(sources)
        return Progress(
            sources,
            memory,
            cast(Stepper, self.model.decoder).reorder(state.decoder, rows),
            state.fed.index_select(0, rows),
            state.attention.index_select(0, rows),
            state.coverage.index_select(0, rows),
        )

    def coverage(self, state: Progress) -> Tensor:
        """Compute ``sum_j log min(1, sum_t a(t, j))`` over the source's symbols j, ``(R,)``; 0
        without attention (Wu et al. 2016)."""
        if state.memory is None:
            return state.fed.new_zeros(len(state.sources))
        shares = state.coverage.clamp(min=torch.finfo(torch.float32).tiny, max=1.0)
        return shares.log().masked_fill(~state.memory.mask, 0.0).sum(1)
