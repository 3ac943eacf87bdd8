"""What recurrent networks are made of: a cell, which knows its weights and the equations of a step.

A cell is given the input's share of its gates, ``x = W x_t + b``, computed for all steps at once
(:meth:`Cell.project`), and the state before the step; ``h``, the visible state, comes first. Every
tensor is ``(directions, n, ...)`` for n rows: the two halves of a bidirectional layer are computed
side by side, each with weights of its own.

A cell is all that a new recurrent encoder needs:
:func:`rnnpipe.parts.encoders.sequence.registration.register` makes encoders of it, with depth,
dropout and both directions. One that knows a faster way through a batch than step by step has a
:meth:`Cell.run` of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from rnnpipe.layers.dropout import Dropout
from rnnpipe.layers.init import orthogonal_blocks_, uniform_blocks_
from rnnpipe.parts.encoders.sequence.steps import Steps

#: The state of one layer: tensors ``(directions, n, ...)``; the first is h, as wide as the layer.
LayerState = tuple[Tensor, ...]
#: Dropout of the recurrent connection: h as the recurrent matrices are given it.
Drop = Callable[[Tensor], Tensor]


def keep(h: Tensor) -> Tensor:
    return h


class Norm(nn.Module):
    """Layer normalisation (Ba et al. 2016) with a gain for each direction; no bias of its own."""

    def __init__(self, size: int, directions: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(directions, 1, size))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:]).to(x.dtype) * self.gain


class Recurrence(nn.Module):
    """What the recurrent matrices of several gates do to the state."""

    def __init__(self, norm: nn.Module, weight: Tensor) -> None:
        super().__init__()
        self.norm = norm
        self.weight = nn.Parameter(weight)
        self._dropped: Tensor | None = None

    @property
    def matrix(self) -> Tensor:
        """The weights, less those that are dropped at the moment."""
        return self.weight if self._dropped is None else self._dropped

    @contextmanager
    def dropped(self, dropout: Dropout) -> Iterator[None]:
        """Single weights dropped, the same ones at all steps and in all documents (DropConnect,
        Wan et al. 2013; of recurrent weights: Merity et al. 2017, Regularizing and Optimizing LSTM
        Language Models)."""
        kept = dropout(self.weight)
        # A parameter that is set as an attribute would be registered once more.
        self._dropped = None if kept is self.weight else kept
        try:
            yield
        finally:
            self._dropped = None


class Dense(Recurrence):
    """``U h`` for several gates, ``(directions, n, width) -> (directions, n, gates * width)``; each
    block of U begins orthogonal."""

    def __init__(self, width: int, gates: int, directions: int, norm: nn.Module) -> None:
        super().__init__(norm, torch.empty(directions, width, gates * width))
        orthogonal_blocks_(self.weight)

    def singular_values(self) -> Tensor:
        """Return the largest of each gate's matrix, ``(directions, gates)``."""
        blocks = torch.split(self.matrix, self.matrix.shape[1], dim=2)
        return torch.stack([torch.linalg.matrix_norm(block, 2) for block in blocks], dim=1)

    def forward(self, h: Tensor) -> Tensor:
        normed: Tensor = self.norm(torch.bmm(h, self.matrix).to(h.dtype))
        return normed


class Diagonal(Recurrence):
    """``u * h`` for several gates: a unit hears only itself (Subakan and Smaragdis 2017, Diagonal
    RNNs; Li et al. 2018, Independently RNN). Shapes as in :class:`Dense`; begins with ``|u| <= 1``,
    where nothing can explode."""

    def __init__(self, width: int, gates: int, directions: int, norm: nn.Module) -> None:
        super().__init__(norm, torch.empty(directions, 1, gates * width).uniform_(-1, 1))
        self.gates = gates

    def singular_values(self) -> Tensor:
        """Return the largest of each gate's diagonal matrix, ``(directions, gates)``."""
        return self.matrix.view(len(self.matrix), self.gates, -1).abs().amax(2)

    def forward(self, h: Tensor) -> Tensor:
        normed: Tensor = self.norm(h.repeat(1, 1, self.gates) * self.matrix)
        return normed


class Cell(nn.Module, ABC):
    """What the cells below share: weights, and what they are told.

    n_in, width: of the input and of each state.
    directions: how many such cells compute side by side.
    layer_norm: normalise ``W x``, ``U h`` and, where there is one, the cell state on its way out
        (Ba et al. 2016, Layer Normalization).
    own: what :meth:`setup` is told.
    """

    #: Blocks of ``input_weight`` and ``bias``, in the order of the equation.
    gates: int
    #: How many of them, the last ones, see the state through another gate.
    gated: ClassVar[int] = 0
    #: How many tensors the state has.
    states: ClassVar[int] = 1
    #: What recurrent matrices look like; ``None``: the gates do not see the state.
    recurrence: ClassVar[type[Dense | Diagonal] | None] = Dense
    #: Which of the kernels of torch computes the same, if any: "rnn", "gru" or "lstm".
    kernel: ClassVar[str | None] = None
    #: The recurrent connection of the gates that see the bare state, and that of the others.
    hidden: Recurrence
    candidate: Recurrence
    _watch: Callable[[str, Tensor], None] | None = None

    def __init__(
        self, n_in: int, width: int, directions: int = 1, layer_norm: bool = False, **own: Any
    ) -> None:
        super().__init__()
        self.n_in = n_in
        self.width = width
        self.directions = directions
        self.layer_norm = layer_norm
        self.setup(**own)

    def setup(self) -> None:
        """Make the weights. Keyword-only parameters that a cell adds to it are settings of the
        cell's own."""
        size = self.gates * self.width
        self.input_weight = nn.Parameter(torch.empty(self.directions, self.n_in, size))
        self.bias = nn.Parameter(torch.zeros(self.directions, 1, size))
        self.input_norm = self.norm(self.gates)
        uniform_blocks_(self.input_weight, self.width)
        if self.recurrence is not None:
            self.hidden = self._recurrent(self.recurrence, self.gates - self.gated)
            if self.gated:
                self.candidate = self._recurrent(self.recurrence, self.gated)

    def norm(self, blocks: int) -> nn.Module:
        return Norm(blocks * self.width, self.directions) if self.layer_norm else nn.Identity()

    def _recurrent(self, kind: type[Dense | Diagonal], gates: int) -> Dense | Diagonal:
        return kind(self.width, gates, self.directions, self.norm(gates))

    def dropped(self, dropout: Dropout) -> AbstractContextManager[object]:
        """Some recurrent weights dropped for a while; see :meth:`Recurrence.dropped`."""
        stack = ExitStack()
        for part in self.children():
            if isinstance(part, Recurrence):
                stack.enter_context(part.dropped(dropout))
        return stack

    def project(self, x: Tensor) -> Tensor:
        """``W x + b`` for any number of steps. ``(D, n, n_in) -> (D, n, gates * width)``."""
        if not self.layer_norm:
            return torch.baddbmm(self.bias, x, self.input_weight).to(self.bias.dtype)
        product = torch.bmm(x, self.input_weight).to(self.bias.dtype)
        normed: Tensor = self.input_norm(product)
        return normed + self.bias

    def initial(self, batch_size: int) -> LayerState:
        """Return the state before the first step: zeros."""
        return (self.bias.new_zeros(self.directions, batch_size, self.width),) * self.states

    def gate(self, name: str, a: Tensor) -> Tensor:
        """``sigma(a)``, the gate of that name. Whoever watches the cell is told."""
        value = a.sigmoid()
        if self._watch is not None:
            self._watch(name, value)
        return value

    def log_gate(self, name: str, a: Tensor) -> Tensor:
        """``log sigma(a)``, finite where the gate itself is as good as 0. As :meth:`gate`, whoever
        watches is told the gate."""
        value = nn.functional.logsigmoid(a)
        if self._watch is not None:
            self._watch(name, value.exp())
        return value

    @contextmanager
    def watched(self, watch: Callable[[str, Tensor], None]) -> Iterator[None]:
        """Return each gate of each :meth:`step`, by name, ``(directions, n, units)``, is told to
        ``watch``. Not by faster ways through a batch, which do without steps."""
        self._watch = watch
        try:
            yield
        finally:
            self._watch = None

    @abstractmethod
    def step(self, x: Tensor, state: LayerState, drop: Drop = keep) -> LayerState:
        """Return the state after a step. x: ``(D, n, gates * width)``, projected."""

    def run(
        self, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """Return all steps of a batch.

        x: ``(directions, N, n_in)``, not projected; which row is which step's, ``steps`` knows.
        initial: ``(directions, B, ...)`` each, by rank.
        mask: ``(directions, B, width)`` dropout of the recurrent connection, the same at all steps.
        RETURNS: h after each row, ``(directions, N, width)``, and the state after each document's
            last node, by document.
        """
        return last_of(run_steps(self, x, initial, steps, mask), steps)


def run_steps(
    cell: Cell, x: Tensor, initial: LayerState, steps: Steps, mask: Tensor | None = None
) -> LayerState:
    """Any cell: the input's share at once, then :meth:`Cell.step` by step. See :meth:`Cell.run`.

    RETURNS: the initial states, then those after each row, ``(directions, B + N, ...)`` each.
    """
    history = [initial]
    state, drop = initial, cast(Drop, keep)
    for x_t in torch.split(cell.project(x), steps.sizes, dim=1):
        n = x_t.shape[1]
        if mask is not None:
            drop = mask[:, :n].mul
        state = cell.step(x_t, tuple(s[:, :n] for s in state), drop)
        history.append(state)
    return tuple(torch.cat(states, dim=1) for states in zip(*history, strict=True))


def last_of(states: LayerState, steps: Steps) -> tuple[Tensor, LayerState]:
    """What :meth:`Cell.run` returns, from what :func:`run_steps` does."""
    h = states[0][:, len(steps.order) :]
    return h, tuple(s.index_select(1, steps.last) for s in states)
