"""What every attention of a sequence-to-sequence model promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnpipe.contracts.registry import attentions
from rnnpipe.contracts.types import AttentionBuilder
from rnnpipe.testing.modules import (
    rebuilt,
    require_copies,
    require_names,
    require_reached,
    require_same_weights,
)
from rnnpipe.testing.promises import (
    Kind,
    require,
    require_close,
    require_gradients,
    require_shape,
    smallest,
    trying,
)


@dataclass(frozen=True)
class AttentionCase:
    """An attention to check. width: of the decoder's states, and of the source's."""

    name: str
    builder: AttentionBuilder
    width: int = 6

    def build(self, seed: int = 1) -> Any:
        torch.manual_seed(seed)
        return self.builder(self.width, self.width)

    def drawn(self, b: int, t: int, s: int) -> tuple[Tensor, Tensor]:
        """Queries ``(B, T, n)`` and a source's states ``(B, S, n)``."""
        generator = torch.Generator().manual_seed(0)
        queries, states = (torch.randn(b, n, self.width, generator=generator) for n in (t, s))
        return queries, states


ATTENTION = Kind("attention", attentions, AttentionBuilder, AttentionCase)


@ATTENTION.promise("Every pair of states is scored by itself.")
def pairs(case: AttentionCase) -> None:
    attention = case.build()

    def check(b: int, t: int, s: int) -> None:
        queries, states = case.drawn(b, t, s)
        scores = attention.scores(queries, attention.keys(states))
        require_shape(scores, (b, t, s), "scores")
        for i in range(b * t * s):
            row, step, node = i // (t * s), i // s % t, i % s
            keys = attention.keys(states[row : row + 1, node : node + 1])
            alone = attention.scores(queries[row : row + 1, step : step + 1], keys)
            what = f"score of step {step} and node {node} in row {row}, alone and together"
            require_close(alone[0, 0, 0], scores[row, step, node], what)

    from hypothesis import strategies as st

    nothing = [{"b": 2, "t": 3, "s": 0}, {"b": 2, "t": 0, "s": 3}, {"b": 0, "t": 1, "s": 1}]
    always = [{"b": 3, "t": 4, "s": 5}, *nothing]
    smallest(check, 10, always, b=st.integers(1, 3), t=st.integers(0, 3), s=st.integers(0, 4))


@ATTENTION.promise("Gradients reach every parameter, and every state of both.")
def gradients(case: AttentionCase) -> None:
    attention = case.build()
    with trying("2 rows of 3 steps and 4 nodes"):
        queries, states = (x.requires_grad_() for x in case.drawn(2, 3, 4))
        attention.scores(queries, attention.keys(states)).square().sum().backward()
        for what, x in (("queries", queries), ("source", states)):
            require_gradients(x.grad, what)
            assert x.grad is not None
            reached = (x.grad != 0).any(-1)
            require(bool(reached.all()), f"{what}: expected a gradient of every state, got zeros.")
        require_reached(attention)


@ATTENTION.promise("A training step never waits for a value from the device.")
def meta(case: AttentionCase) -> None:
    attention = case.build().to("meta")
    with trying("2 rows of 3 steps and 4 nodes on the device 'meta'"):
        queries, states = (x.to("meta").requires_grad_() for x in case.drawn(2, 3, 4))
        attention.scores(queries, attention.keys(states)).sum().backward()
        for what, x in (("queries", queries), ("source", states)):
            require(x.grad is not None, f"{what}: expected a gradient, got none.")


@ATTENTION.promise("Copies, pickles and loaded weights score alike.")
def copies(case: AttentionCase) -> None:
    queries, states = case.drawn(1, 2, 3)
    with trying("a row of 2 steps and 3 nodes"):
        require_copies(case.build(), lambda a: a.scores(queries, a.keys(states)), rebuilt(case))


@ATTENTION.promise("Its parameters have names that thinc does not use (W, b, E).")
def names(case: AttentionCase) -> None:
    require_names(case.build())


@ATTENTION.promise("The same seed gives the same weights.")
def seeds(case: AttentionCase) -> None:
    require_same_weights(case.build(7), case.build(7))
