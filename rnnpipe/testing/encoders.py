"""What every encoder promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import EncoderBuilder, Stepper
from rnnpipe.structures import Grids, Sequences, Structure
from rnnpipe.testing.drawing import Draw, draw_of, padded, vectors_of
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
class EncoderCase:
    """An encoder to check.

    n_in: the width of the nodes that it is given.
    draw: documents of the structure that it reads; by default what is known of that structure.
    """

    name: str
    builder: EncoderBuilder
    n_in: int = 4
    draw: Draw | None = None

    def build(self, seed: int = 1) -> Any:
        """The encoder, in evaluation mode."""
        torch.manual_seed(seed)
        encoder: Any = self.builder(self.n_in)
        return encoder.eval()

    @cached_property
    def reads(self) -> type:
        """The structure that it declares to read."""
        structure: type = self.build().structure
        return structure

    def structure(
        self, lengths: Sequence[int], seed: int = 0, device: torch.device | str = "cpu"
    ) -> Structure:
        draw = self.draw or draw_of(self.reads)
        return draw(lengths, seed=seed, device=device)

    def batch(self, lengths: Sequence[int], seed: int = 0) -> tuple[Tensor, Structure]:
        """Nodes ``(B, T, n_in)``, zeros at padding, and how they hang together."""
        documents = vectors_of(lengths, self.n_in, seed)
        return padded(documents, self.n_in), self.structure(lengths, seed)


ENCODER = Kind("encoder", encoders, EncoderBuilder, EncoderCase)


def _reads_sequences(case: EncoderCase) -> bool:
    return case.reads is Sequences


def _goes_on(case: EncoderCase) -> bool:
    return _reads_sequences(case) and case.build().causal


def _seeds() -> Any:
    from hypothesis import strategies as st

    return st.integers(0, 9)


def _for_batches(check: Callable[[list[int], int], None], examples: int) -> None:
    """On documents of drawn lengths, and on two batches at every time."""
    from hypothesis import strategies as st

    lengths = st.lists(st.integers(0, 6), min_size=1, max_size=5)
    always: list[dict[str, Any]] = [{"lengths": n, "seed": 0} for n in ([3, 0, 5], [2, 5, 0])]
    smallest(check, examples, always, lengths=lengths, seed=_seeds())


@ENCODER.promise("States are of the width that it declares, and zero at padding.")
def shapes(case: EncoderCase) -> None:
    encoder = case.build()

    def check(lengths: list[int], seed: int) -> None:
        x, structure = case.batch(lengths, seed)
        encoded = encoder(x, structure)
        require_shape(encoded.states, (*x.shape[:2], encoder.n_out), "states")
        require_type(encoded.states, x.dtype, "states")
        left = encoded.states[~structure.mask]
        require_equal(left, torch.zeros_like(left), "states at padding")
        require_shape(encoded.final, (len(lengths), encoder.n_out), "final")
        halves = 0 < encoded.n_forward <= encoder.n_out
        require(halves, f"n_forward: expected 1 to {encoder.n_out}, got {encoded.n_forward}.")

    _for_batches(check, 8)


@ENCODER.promise("A document's states do not depend on the others in its batch.")
def batch(case: EncoderCase) -> None:
    encoder = case.build()

    def check(lengths: list[int], seed: int) -> None:
        x, structure = case.batch(lengths, seed)
        together = encoder(x, structure)
        for i, n in enumerate(lengths):
            alone = encoder(x[i : i + 1, :n], case.structure([n], seed))
            what = f"states of document {i}, alone and in the batch"
            require_close(alone.states[0], together.states[i, :n], what)
            require_close(alone.final[0], together.final[i], f"final s{what[1:]}")

    _for_batches(check, 15)


@ENCODER.promise("Neither states nor gradients come from padding.")
def padding(case: EncoderCase) -> None:
    encoder = case.build()

    def check(lengths: list[int], seed: int) -> None:
        x, structure = case.batch(lengths, seed)
        outside = ~structure.mask
        noisy = (x + torch.randn_like(x) * outside.unsqueeze(-1)).requires_grad_()
        states = encoder(noisy, structure).states
        require_close(states, encoder(x, structure).states, "states over other padding", 1e-6)
        states.square().sum().backward()
        if noisy.grad is not None:
            require_no_gradient(noisy.grad[outside], "padding")

    _for_batches(check, 8)


@ENCODER.promise("A document that is not a number spoils no other.")
def nan(case: EncoderCase) -> None:
    encoder = case.build()
    with trying("documents of 5, 0 and 3 nodes, NaN in the first"):
        x, structure = case.batch([5, 0, 3])
        want = encoder(x, structure).states
        x[0, 1] = torch.nan
        got = encoder(x, structure).states
        require(bool(got[0].isnan().any()), "states of the first: expected NaN, got none.")
        require_close(got[1:], want[1:], "states of the others", 1e-6)


@ENCODER.promise("Inputs may be laid out in memory in any way.")
def layout(case: EncoderCase) -> None:
    encoder = case.build()
    with trying("documents of 5, 0 and 3 nodes, features outermost"):
        x, structure = case.batch([5, 0, 3])
        got = encoder(x.mT.contiguous().mT, structure).states
        require_close(got, encoder(x, structure).states, "states", 1e-6)


@ENCODER.promise("Documents without nodes or with one are trained on and encoded.")
def empty(case: EncoderCase) -> None:
    for lengths in ([], [0], [0, 0], [1], [1, 1]):
        with trying(f"lengths = {lengths}"):
            encoder = case.build().train()
            x, structure = case.batch(lengths)
            encoded = encoder(x.requires_grad_(), structure)
            shape = (len(lengths), max(lengths, default=0), encoder.n_out)
            require_shape(encoded.states, shape, "states")
            encoded.states.sum().backward()
            require_shape(encoder.eval()(x, structure).states, shape, "states in evaluation")


@ENCODER.promise("Every node and every parameter gets a gradient.")
def gradients(case: EncoderCase) -> None:
    encoder = case.build().train()
    with trying("documents of 4, 0 and 6 nodes"):
        x, structure = case.batch([4, 0, 6])
        encoder(x.requires_grad_(), structure).states.square().sum().backward()
        require_gradients(x.grad, "inputs")
        assert x.grad is not None
        reached = (x.grad != 0).any(-1)[structure.mask]
        require(bool(reached.all()), "inputs: expected a gradient of every node, got zeros.")
        require_reached(encoder)


@ENCODER.promise("Gradients in double precision are those of finite differences.")
def gradient_check(case: EncoderCase) -> None:
    encoder = case.build().double()
    with trying("documents of 2, 0 and 3 nodes"):
        x, structure = case.batch([2, 0, 3])
        inputs = x.double().requires_grad_()
        require_true_gradients(encoder, lambda x: encoder(x, structure).states, inputs)


@ENCODER.promise("It looks ahead if it does not declare to be causal, and else it does not.")
def causality(case: EncoderCase) -> None:
    encoder = case.build()

    def check(length: int, seed: int) -> None:
        x, structure = case.batch([length], seed)

        def sums(inputs: Tensor) -> Tensor:
            totals: Tensor = encoder(inputs, structure).states.sum(-1)[0]
            return totals

        jacobian: Any = torch.autograd.functional.jacobian(sums, x)  # type: ignore[no-untyped-call]
        reads = jacobian[:, 0].abs().sum(-1) > 1e-9  # (out, in)
        ahead = torch.triu(reads, diagonal=1).nonzero().tolist()
        if encoder.causal:
            require(
                not ahead,
                f"state {ahead and ahead[0][0]}: expected no gradient of a later "
                f"node, got one of node {ahead and ahead[0][1]}.",
            )
        elif case.reads is Sequences:
            require(
                bool(ahead),
                "causal: expected True of an encoder that never looks ahead, got False.",
            )
        if case.reads in (Sequences, Grids):
            back = bool(torch.tril(reads, diagonal=-1).any())
            require(back, "states: expected some to depend on a node before, got none.")

    from hypothesis import strategies as st

    always = [{"length": 4, "seed": 0}]
    smallest(check, 5, always, length=st.integers(2, 5), seed=_seeds())


@ENCODER.promise("Step by step it gives what it gives at once.", where=_goes_on)
def stepping(case: EncoderCase) -> None:
    encoder = case.build()
    require(isinstance(encoder, Stepper), "It is causal: expected start, step and reorder.")

    def check(length: int, rows: list[int], at: int) -> None:
        x, structure = case.batch([length] * 3)
        whole = encoder(x, structure).states
        state = encoder.start(3)
        for t in range(length):
            if t == at:  # rows are shuffled and repeated on the way, as a beam does
                chosen = torch.tensor(rows)
                state, x, whole = encoder.reorder(state, chosen), x[chosen], whole[chosen]
            y, state = encoder.step(x[:, t], state)
            require_close(y, whole[:, t], f"step {t}, and state {t} of the whole")

    from hypothesis import strategies as st

    rows = st.lists(st.integers(0, 2), min_size=1, max_size=4)
    always: list[dict[str, Any]] = [{"length": 5, "rows": [2, 0, 1], "at": 3}]
    smallest(check, 8, always, length=st.integers(1, 6), rows=rows, at=st.integers(1, 5))


@ENCODER.promise("It goes on from the state that it gave back.", where=_goes_on)
def carrying(case: EncoderCase) -> None:
    encoder = case.build()

    def check(first: list[int], second: list[int]) -> None:
        lengths = [a + b for a, b in zip(first, second, strict=True)]
        documents = vectors_of(lengths, case.n_in)
        heads = [d[:n] for d, n in zip(documents, first, strict=True)]
        tails = [d[n:] for d, n in zip(documents, first, strict=True)]
        whole = encoder(padded(documents, case.n_in), Sequences.of(lengths)).states
        begun = encoder(padded(heads, case.n_in), Sequences.of(first))
        rest = encoder(padded(tails, case.n_in), Sequences.of(second), begun.state).states
        for i, (n, end) in enumerate(zip(first, lengths, strict=True)):
            require_close(rest[i, : end - n], whole[i, n:end], f"the rest of document {i}")

    from hypothesis import strategies as st

    parts = st.lists(st.integers(0, 4), min_size=2, max_size=2)
    smallest(check, 8, [{"first": [2, 2], "second": [4, 1]}], first=parts, second=parts)


@ENCODER.promise("A training step never waits for a value from the device.")
def meta(case: EncoderCase) -> None:
    encoder = case.build().to("meta").train()
    with trying("3 documents of up to 5 nodes on the device 'meta'"), torch.device("meta"):
        x = torch.randn(3, 5, case.n_in, requires_grad=True)
        if case.reads is Sequences:  # the lengths may be known to the device alone
            structure: Structure = Sequences(torch.empty(3, dtype=torch.int64), 5)
        else:
            structure = case.structure([5, 0, 3], device="meta")
        encoder(x, structure).states.sum().backward()
        require(x.grad is not None, "inputs: expected a gradient, got none.")


@ENCODER.promise("Copies, pickles and loaded weights give the same states.")
def copies(case: EncoderCase) -> None:
    with trying("documents of 3 and 4 nodes"):
        x, structure = case.batch([3, 4])
        require_copies(case.build(), lambda encoder: encoder(x, structure).states, rebuilt(case))


@ENCODER.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: EncoderCase) -> None:
    require_names(case.build())


@ENCODER.promise("The same seed gives the same weights, and the same states in training.")
def seeds(case: EncoderCase) -> None:
    with trying("documents of 3 and 4 nodes, built and run twice under the seed 7"):
        x, structure = case.batch([3, 4])
        built = case.build(7), case.build(7)
        require_same_in_training(*built, lambda encoder: encoder(x, structure).states, "states")
