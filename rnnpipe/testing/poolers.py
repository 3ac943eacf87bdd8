"""What every pooler promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import poolers
from rnnpipe.contracts.types import PoolerBuilder
from rnnpipe.structures import Encoded, Structure
from rnnpipe.testing.drawing import Draw, marked_sequences, padded, vectors_of
from rnnpipe.testing.modules import (
    rebuilt,
    require_copies,
    require_names,
    require_no_gradient,
    require_reached,
    require_same_in_training,
    require_true_gradients,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_equal,
    require_gradients,
    require_shape,
    require_type,
    smallest,
    trying,
)


@dataclass(frozen=True)
class PoolerCase:
    """A pooler to check.

    n_in: the width of the states that it is given, of two halves.
    draw: documents of the structure that they are states of; by default sequences with mentions.
    """

    name: str
    builder: PoolerBuilder
    n_in: int = 4
    draw: Draw = marked_sequences

    def build(self, seed: int = 1) -> Any:
        """The pooler, in evaluation mode."""
        torch.manual_seed(seed)
        pooler: Any = self.builder(self.n_in)
        return pooler.eval()

    def encoded(self, lengths: Sequence[int], seed: int = 0, noise: float = 0.0) -> Encoded:
        """States that ask for a gradient, with ``noise`` at padding."""
        structure = self.draw(lengths, seed)
        states = padded(vectors_of(lengths, self.n_in, seed), self.n_in)
        return self.over(structure.blank(states, noise).requires_grad_(), structure)

    def document(self, encoded: Encoded, i: int, n: int) -> Encoded:
        """One document of a batch, alone."""
        return self.over(encoded.states[i : i + 1, :n].detach(), self.draw([n]))

    def over(self, states: Tensor, structure: Structure) -> Encoded:
        return Encoded(states, structure, n_forward=self.n_in // 2)


POOLER = Kind("pooler", poolers, PoolerBuilder, PoolerCase)


#: Batches that are always tried.
ALWAYS: list[dict[str, Any]] = [{"lengths": n} for n in ([], [0, 0], [3, 0, 1], [2, 5, 0])]


def _lengths() -> Any:
    from hypothesis import strategies as st

    return st.lists(st.integers(0, 5), min_size=0, max_size=5)


@POOLER.promise("Vectors are of the width that it declares, and zero for an empty document.")
def shapes(case: PoolerCase) -> None:
    pooler = case.build()

    def check(lengths: list[int]) -> None:
        encoded = case.encoded(lengths)
        vectors = pooler(encoded)
        require_shape(vectors, (len(lengths), pooler.n_out), "vectors")
        require_type(vectors, encoded.states.dtype, "vectors")
        empty = vectors[[n == 0 for n in lengths]] if lengths else vectors
        require_equal(empty, torch.zeros_like(empty), "vectors of empty documents")

    smallest(check, always=ALWAYS, lengths=_lengths())


@POOLER.promise("A document's vector depends neither on the others in its batch nor on padding.")
def batch(case: PoolerCase) -> None:
    pooler = case.build()

    def check(lengths: list[int], noise: float) -> None:
        encoded = case.encoded(lengths, noise=noise)
        together = pooler(encoded)
        for i, n in enumerate(lengths):
            alone = pooler(case.document(encoded, i, n))[0]
            require_close(alone, together[i], f"vector of document {i}, alone and in the batch")

    from hypothesis import strategies as st

    smallest(check, 20, lengths=_lengths(), noise=st.floats(-9, 9))


@POOLER.promise("A document that is not a number spoils no other, nor does padding that is not.")
def nan(case: PoolerCase) -> None:
    pooler = case.build()
    with trying("documents of 3, 0 and 1 nodes, NaN in the first and at padding"), torch.no_grad():
        encoded = case.encoded([3, 0, 1], noise=torch.nan)
        want = pooler(case.encoded([3, 0, 1]))
        require_close(pooler(encoded), want, "vectors", 1e-6)
        encoded.states[0, 1] = torch.nan
        require_close(pooler(encoded)[1:], want[1:], "vectors of the others", 1e-6)


@POOLER.promise("No gradient comes from padding, and some from every document with nodes.")
def gradients(case: PoolerCase) -> None:
    pooler = case.build().train()

    def check(lengths: list[int]) -> None:
        encoded = case.encoded(lengths, noise=3.0)
        pooler(encoded).square().sum().backward()
        gradient = encoded.states.grad
        assert gradient is not None
        require_no_gradient(gradient[~encoded.mask], "padding")
        for i, n in enumerate(lengths):
            if n:
                require_gradients(gradient[i], f"states of document {i}")

    smallest(check, always=ALWAYS, lengths=_lengths())


@POOLER.promise("Every parameter gets a gradient.")
def parameters(case: PoolerCase) -> None:
    pooler = case.build().train()
    with trying("documents of 4, 0 and 6 nodes"):
        pooler(case.encoded([4, 0, 6])).square().sum().backward()
        require_reached(pooler)


@POOLER.promise("Gradients in double precision are those of finite differences.")
def gradient_check(case: PoolerCase) -> None:
    pooler = case.build().double()
    with trying("documents of 2, 0 and 3 nodes"):
        structure = case.draw([2, 0, 3])
        states = structure.blank(torch.randn(3, 3, case.n_in).double()).requires_grad_()
        require_true_gradients(pooler, lambda x: pooler(case.over(x, structure)), states)


@POOLER.promise("A training step never waits for a value from the device.")
def meta(case: PoolerCase) -> None:
    pooler = case.build().to("meta").train()
    with trying("3 documents of up to 5 nodes on the device 'meta'"), torch.device("meta"):
        states = torch.randn(3, 5, case.n_in, requires_grad=True)
        structure = case.draw([5, 0, 3], device="meta")
        pooler(case.over(states, structure)).sum().backward()
        require(states.grad is not None, "states: expected a gradient, got none.")


@POOLER.promise("Copies, pickles and loaded weights give the same vectors.")
def copies(case: PoolerCase) -> None:
    with trying("documents of 3 and 4 nodes"):
        encoded = case.encoded([3, 4])
        require_copies(case.build(), lambda pooler: pooler(encoded), rebuilt(case))


@POOLER.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: PoolerCase) -> None:
    require_names(case.build())


@POOLER.promise("The same seed gives the same weights, and the same vectors in training.")
def seeds(case: PoolerCase) -> None:
    with trying("documents of 3 and 4 nodes, built and run twice under the seed 7"):
        encoded, built = case.encoded([3, 4]), (case.build(7), case.build(7))
        require_same_in_training(*built, lambda pooler: pooler(encoded), "vectors")
