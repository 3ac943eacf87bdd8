"""The place of a document in a text read in chunks, and the states passed between chunks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import cast

import torch
from torch import Tensor, nn

from rnnpipe.contracts.types import Place
from rnnpipe.errors import CorpusError, expected
from rnnpipe.structures import State, map_state


class StreamMemory(nn.Module):
    """The state after the last chunk of every stream, as buffers: row i belongs to stream i.

    They move with the module and are not saved. A chunk that begins its text ignores them, so that
    resumed training starts from zero states.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ends: dict[int, int] = {}
        self._layout: State = None

    def recall(self, places: Sequence[Place], start: State) -> State:
        """Return the initial states of chunks. start: the states for those that begin a text, with
        as many rows.

        Raises:
            CorpusError: the previous chunk is not the last one seen of its stream.
        """
        for place in places:
            self._check(place)
        if not any(place.begin for place in places):
            return start
        fresh = torch.tensor([place.begin == 0 for place in places])
        rows = torch.tensor([place.stream for place in places])

        def begin(zero: Tensor, name: str) -> Tensor:
            kept = cast(Tensor, getattr(self, name))
            kept = kept.index_select(0, rows.clamp(max=len(kept) - 1).to(kept.device))
            mask = fresh.to(zero.device).reshape(-1, *[1] * (zero.dim() - 1))
            return torch.where(mask, zero, kept)

        return map_state(begin, start, self._layout)

    def keep(self, places: Sequence[Place], after: State) -> None:
        """Store the states after these chunks, without their gradients."""
        n_streams = 1 + max(place.stream for place in places)
        rows = torch.tensor([place.stream for place in places])
        numbers = count()

        def store(tensor: Tensor) -> str:
            name = f"state_{next(numbers)}"
            old = getattr(self, name, None)
            new = tensor.new_zeros(
                max(n_streams, 0 if old is None else len(old)), *tensor.shape[1:]
            )
            if old is not None:
                new[: len(old)] = old
            new.index_copy_(0, rows.to(new.device), tensor.detach())
            self.register_buffer(name, new, persistent=False)
            return name

        self._layout = map_state(store, after)
        self._ends.update({place.stream: place.end for place in places})

    def _check(self, place: Place) -> None:
        end = self._ends.get(place.stream)
        if place.begin not in (0, end):
            want = f"the chunk that begins at {end}" if end is not None else "its first chunk"
            do = (
                "Chunks must come in order: set max_epochs = -1 in [training], since spaCy "
                "shuffles the examples otherwise, and use rnnpipe.StreamBatcher.v1."
            )
            got = f"the one at {place.begin}"
            raise CorpusError(expected(f"stream {place.stream} of the text", want, got, do))
