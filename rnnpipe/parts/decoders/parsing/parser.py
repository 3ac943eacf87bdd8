"""What decoders that build trees have in common: how trees are scored, labelled and predicted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnpipe.contracts.types import Composer, EncoderBuilder, Gold, Labels, Prediction
from rnnpipe.errors import StructureError
from rnnpipe.layers.precision import in_full_precision
from rnnpipe.parts.decoders.parsing.plans import BinaryTrees
from rnnpipe.parts.decoders.parsing.search import Found
from rnnpipe.parts.decoders.sequence import nodes_of
from rnnpipe.structures import Encoded, Trees

#: What a decoder has chosen to learn from.
Plan = TypeVar("Plan")


class TreeParser(nn.Module, ABC, Generic[Plan]):
    """Joins the nodes of each document, two neighbours at a time, until one tree is left (Socher et
    al. 2011, Parsing Natural Scenes and Natural Language with Recursive Neural Networks)::

        leaf i:  p_i = compose(x_i)
        join:    p = compose(p_left, p_right),   score(p) = u . h(p)
        class:   softmax(W h(p) + b)             of every node, leaves included

    The best tree is the one with the largest sum of scores that a search finds: greedily with
    ``beam_size`` 1. In training, a search without gradients chooses trees, which leave the device
    once (:meth:`choose`); the loss is then computed by level over all of them (:meth:`loss_of`).

    A gold tree need not be binary. What crosses none of its constituents is right: the binary trees
    that hold them all, of which the one that the search likes best is learnt from.

    composition: an encoder of trees that makes one node of two.
    labels: the classes of nodes; the first is that of nodes that are no constituent.
    """

    labels_nodes = False
    labels_documents = False
    builds_trees = True
    exclusive = True
    label_axes: Mapping[str, tuple[int, ...]]

    def __init__(
        self, n_in: int, labels: Labels, composition: EncoderBuilder, beam_size: int
    ) -> None:
        super().__init__()
        composer = composition(n_in)
        if not isinstance(composer, Composer):
            raise StructureError(
                "decoder.composition: expected a tree encoder that joins two nodes into one, got "
                f"{type(composer).__name__}. Choose another encoder, such as "
                f"'rnnpipe.RecursiveNet.v1'."
            )
        self.beam_size = beam_size
        self.composition = composer
        self.score = nn.Linear(composer.n_out, 1, bias=False)
        self.output = nn.Linear(composer.n_out, len(labels))
        self.label_axes = {"output.weight": (0,), "output.bias": (0,)}

    # -- scores --------------------------------------------------------------------------------

    def compose(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """States of joined nodes, and their scores. ``(n, S)`` twice to ``(n, S)``, ``(n,)``."""
        states = self.composition.join(left, right)
        return states, self.scores_of(states)

    def scores_of(self, states: Tensor) -> Tensor:
        """``(..., S) -> (...)``."""
        return in_full_precision(self.score(self._h(states))).squeeze(-1)

    def logits_of(self, states: Tensor) -> Tensor:
        """``(..., S) -> (..., L)``."""
        return in_full_precision(self.output(self._h(states)))

    def _h(self, states: Tensor) -> Tensor:
        return states.narrow(-1, 0, self.composition.n_out)

    def leaves_of(self, x: Encoded) -> Tensor:
        """Return the states of the leaves, without gradients, for a search. ``(B, T, S)``."""
        with torch.no_grad():
            leaves = self.composition.leaf_states(x.states.flatten(0, 1))
            return leaves.view(*x.states.shape[:2], leaves.shape[1])

    def states_of(self, x: Encoded, trees: BinaryTrees, documents: np.ndarray) -> Tensor:
        """Return the states of all nodes of R trees, by level. ``(R, largest size, S)``.

        documents: ``(R,)`` whose nodes are the leaves of each tree.
        """
        n_tokens = x.states.shape[1]
        structure = Trees.from_parents(trees.split(trees.parents), x.states.device)
        tokens = trees.tokens
        row = np.where(tokens < 0, 0, 1 + documents[trees.rows] * n_tokens + tokens)
        rows = torch.from_numpy(trees.padded(row, 0)).to(x.states.device)
        nodes = F.pad(x.states.flatten(0, 1), (0, 0, 1, 0))  # row 0: no token
        inputs = structure.gather(F.embedding(rows, nodes))
        return structure.scatter(self.composition.node_states(inputs, structure))

    # -- training ------------------------------------------------------------------------------

    @abstractmethod
    def choose(self, x: Encoded, lengths: Tensor, gold: Gold) -> Plan:
        """What to learn from, found without gradients. lengths: ``(B,)``, 0 for documents that are
        not learnt from."""

    @abstractmethod
    def loss_of(self, x: Encoded, plan: Plan) -> Tensor:
        """Return the summed loss, shape ``()``. It waits for nothing from the device."""

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """gold: ``(B, M, 3)`` int64: first token, end and class of each constituent and, whether
        it is one or not, of the whole document; -1 where there is none. A document without any is
        not annotated, and not learnt from. RAISES: StructureError if documents were pooled."""
        x = nodes_of(x, type(self).__name__)
        if x.states.shape[1] == 0 or gold.shape[1] == 0:
            return x.states.sum() * 0.0
        annotated = (gold[..., 0] >= 0).any(1)
        return self.loss_of(x, self.choose(x, x.lengths.masked_fill(~annotated, 0), gold))

    def label_loss(self, states: Tensor, classes: Tensor) -> Tensor:
        """Return the summed cross entropy of nodes ``(R, N, S)`` and classes ``(R, N)``, -1 for
        none."""
        logits, classes = self.logits_of(states).flatten(0, 1), classes.flatten()
        return F.cross_entropy(logits, classes, ignore_index=-1, reduction="sum")

    # -- prediction ----------------------------------------------------------------------------

    @abstractmethod
    def best(self, x: Encoded) -> Found:
        """Return the trees that the decoder finds."""

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """ids: ``(B, N, 3)``, the nodes of the best trees in post-order: first token, end and
        class; -1 at padding. RAISES: StructureError if documents were pooled."""
        x = nodes_of(x, type(self).__name__)
        if x.states.shape[1] == 0:
            return Prediction(x.lengths.new_zeros(len(x.lengths), 0, 3))
        with torch.no_grad():
            trees = BinaryTrees.of(on_host(self.best(x).joins[:, 0]), on_host(x.lengths))
            states = self.states_of(x, trees, np.arange(len(trees.sizes)))
            classes = self.logits_of(states).argmax(2, keepdim=True)
            spans = torch.from_numpy(trees.padded(trees.spans, -1)).to(classes.device)
            return Prediction(torch.cat([spans, classes.masked_fill(spans[..., :1] < 0, -1)], 2))


def gold_rows(gold: Gold) -> tuple[np.ndarray, np.ndarray]:
    """Return the document of each gold constituent ``(n,)``, and the constituents ``(n, 3)``."""
    array = on_host(gold)
    documents, numbers = np.nonzero(array[..., 0] >= 0)
    return documents, array[documents, numbers]


def on_host(x: Tensor) -> np.ndarray:
    array: np.ndarray = x.cpu().numpy()
    return array
