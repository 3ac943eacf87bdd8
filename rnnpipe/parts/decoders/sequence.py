"""What decoders that label every node have in common: a distribution over label sequences."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnnpipe.contracts.schemes import TagSet, Violation
from rnnpipe.contracts.types import Decoder, Labels
from rnnpipe.errors import LabelError, StructureError, expected
from rnnpipe.parts.decoders.chain.partition import marginals, surprisal
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.chain.search import n_best, sample, viterbi
from rnnpipe.parts.decoders.chain.segments import Segments, segment_log_probabilities
from rnnpipe.structures import Encoded


@runtime_checkable
class SequenceDecoder(Decoder, Protocol):
    """A decoder that knows the probability of every label sequence of a document, all exactly.

    tags: the tag scheme over the labels, or ``None`` without one.
    """

    tags: TagSet | None

    def marginals(self, x: Encoded) -> Tensor:
        """``p(y_t)``, ``(B, T, L)``, zeros at padding."""
        ...

    def segment_log_probabilities(
        self, x: Encoded, rows: Tensor, starts: Tensor, ends: Tensor, types: Tensor
    ) -> Tensor:
        """``(N,)`` in nats: an entity of type ``tags.types[types[i]]`` with exactly the nodes
        ``starts[i]`` to ``ends[i]`` (exclusive) stands in document ``rows[i]``. All int64,
        ``(N,)``: the columns of :meth:`rnnpipe.contracts.schemes.TagSet.decode_batch`."""
        ...

    def n_best(self, x: Encoded, n: int) -> tuple[Tensor, Tensor]:
        """Return the n most probable sequences ``(B, n, T)`` and their log-probabilities
        ``(B, n)``, best first; ``-inf`` where there are fewer."""
        ...

    def sample(self, x: Encoded, n: int, generator: torch.Generator | None = None) -> Tensor:
        """N independent sequences, ``(B, n, T)``."""
        ...

    def path_log_probability(self, x: Encoded, paths: Tensor) -> Tensor:
        """Return the log-probability of one sequence a document: ``(B, T)`` label ids to
        ``(B,)``."""
        ...

    def first_illegal(
        self, golds: Iterable[NDArray[np.integer] | NDArray[np.bool_]]
    ) -> tuple[int, Violation] | None:
        """Return the first document whose gold labels the decoder could never predict, and
        where."""
        ...


class ChainDecoder(nn.Module, ABC):
    """The methods of :class:`SequenceDecoder` for a decoder whose distribution is a linear chain.

    constrained: whether the labels' scheme forbids sequences; without one, nothing is forbidden.
    """

    labels_nodes = True
    labels_documents = False
    exclusive = True
    within: Tensor
    members: Tensor
    start_allowed: Tensor
    transitions_allowed: Tensor
    end_allowed: Tensor

    def __init__(self, labels: Labels, constrained: bool) -> None:
        super().__init__()
        self.labels = labels
        self.tags = labels.scheme.bind(labels.names) if labels.scheme is not None else None
        self.constrained = constrained and self.tags is not None
        size = len(labels)
        everything = (np.ones(size, bool), np.ones((size, size), bool), np.ones(size, bool))
        tags = self.tags
        start, transitions, end = (
            (tags.start, tags.transitions, tags.end) if tags and constrained else everything
        )
        within = tags.within if tags else np.zeros((size, size), bool)
        tables = {
            "start_allowed": start,
            "transitions_allowed": transitions,
            "end_allowed": end,
            "within": within,
            "members": tags.members if tags else np.zeros((0, 1), np.int64),
        }
        for name, table in tables.items():  # known from the labels, so not stored
            self.register_buffer(name, torch.from_numpy(table.copy()), persistent=False)

    @abstractmethod
    def chain(self, x: Encoded) -> Chain:
        """Return the distribution over the label sequences of a batch, in float32 or float64."""

    def forbid(self, scores: Tensor, allowed: Tensor) -> Tensor:
        """``scores`` with ``-inf`` where the scheme forbids."""
        return scores.masked_fill(~allowed, -torch.inf) if self.constrained else scores

    def best(self, x: Encoded) -> Tensor:
        """Return the most probable sequence of each document, ``(B, T)`` int64, 0 at padding."""
        return viterbi(self.chain(x))

    def marginals(self, x: Encoded) -> Tensor:
        return marginals(self.chain(x))

    def n_best(self, x: Encoded, n: int) -> tuple[Tensor, Tensor]:
        return n_best(self.chain(x), n)

    def sample(self, x: Encoded, n: int, generator: torch.Generator | None = None) -> Tensor:
        return sample(self.chain(x), n, generator)

    def path_log_probability(self, x: Encoded, paths: Tensor) -> Tensor:
        return -surprisal(self.chain(x), paths)

    def segment_log_probabilities(
        self, x: Encoded, rows: Tensor, starts: Tensor, ends: Tensor, types: Tensor
    ) -> Tensor:
        if self.tags is None:
            raise LabelError(
                expected(
                    "segment_log_probabilities",
                    "labels with a tag scheme",
                    "no scheme",
                    "Entities need a scheme: pass Labels(names, scheme).",
                )
            )
        device = self.within.device
        rows, starts, ends, types = (c.to(device) for c in (rows, starts, ends, types))
        segments = Segments(rows, starts, ends, self.members[types])
        return segment_log_probabilities(self.chain(x), segments, self.within)

    def first_illegal(
        self, golds: Iterable[NDArray[np.integer] | NDArray[np.bool_]]
    ) -> tuple[int, Violation] | None:
        if self.tags is None or not self.constrained:
            return None
        found = ((row, self.tags.check(gold)) for row, gold in enumerate(golds))
        return next(((row, violation) for row, violation in found if violation), None)


def nodes_of(x: Encoded | Tensor, decoder: str) -> Encoded:
    """``x`` if it has a state for every node. Raises StructureError if it was pooled."""
    if isinstance(x, Encoded):
        return x
    raise StructureError(
        expected(
            decoder,
            "the states of an encoder, one for each node",
            f"pooled documents {tuple(x.shape)}",
            "Remove the pooler from the network, or use rnnpipe.Softmax.v1.",
        )
    )
