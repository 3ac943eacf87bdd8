"""How much of a gradient arrives from how far back: whether it vanishes or explodes.

A recurrent network reads ``x_T`` and its own state, ``h_T, s_T = f(x_T, s_{T-1})``, where s is all
that it carries from step to step: ``h`` of an RNN or GRU, ``(h, c)`` of an LSTM, those of all
layers. What a loss at place T tells the state k steps before is the product of the loss's gradient
with a Jacobian (Bengio et al. 1994, Learning Long-Term Dependencies with Gradient Descent Is
Difficult; Pascanu et al. 2013, On the Difficulty of Training Recurrent Neural Networks)::

    dL_T / ds_{T-k} = (dL_T / dh_T) J_k(T),    J_k(T) = dh_T / ds_{T-k}

Its size is measured by gradients of norm 1 that set out in random directions v from h_T, which has
H units, at places T of a text::

    g(k) = sqrt(E ||v J_k(T)||^2) = sqrt(E ||J_k(T)||_F^2 / H),    k = 1, 2, ...

the root mean square of the Jacobian's H singular values: 1 where a gradient arrives as large as it
set out. For ``h_t = W x_t + U h_{t-1}`` with U = s Q, Q orthogonal, ``g(k) = s^k``. In general, for
``h_t = tanh(W x_t + U h_{t-1})``, ``||J_k|| <= sigma_1(U)^k``: gradients vanish if the largest
singular value of U is below 1, and can explode only if it is above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import encoders
from rnnpipe.contracts.types import Stepper
from rnnpipe.errors import CorpusError, StructureError, expected
from rnnpipe.instruments.encoders import layer_inputs
from rnnpipe.parts.encoders.sequence.cell import Cell, Dense, Diagonal
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack
from rnnpipe.structures import Sequences, State, map_state, tensors_of

#: How many places are computed at once: bounds the memory.
_AT_ONCE = 16
#: The share of the places that is above, and below, the band of a curve.
_OUTSIDE = 0.1


@dataclass(frozen=True)
class Chain:
    """States that follow on each other, and what they are made of.

    inputs: ``(N, D)``, in the order in which they are read.
    singular_value: the largest one of all recurrent matrices of the gates; ``None``: there are
        none, or they are not known.
    """

    name: str
    stepper: Stepper
    inputs: Tensor
    singular_value: float | None


@dataclass(frozen=True)
class GradientCurve:
    """Of one chain: see the module's text.

    norm: ``(K,)``, g(k) for k = 1 to K.
    low, high: ``(K,)``: a tenth of the places have a smaller norm, and a tenth a larger one.
    """

    name: str
    norm: np.ndarray
    low: np.ndarray
    high: np.ndarray
    singular_value: float | None

    @property
    def per_step(self) -> float:
        """The factor by which a gradient shrinks or grows in a step, over all lags."""
        if not self.norm[0]:
            return 0.0
        return float((self.norm[-1] / self.norm[0]) ** (1 / max(1, len(self.norm) - 1)))

    def lag_of(self, share: float) -> int | None:
        """The first lag k at which ``g(k) <= share * g(1)``; ``None``: it is longer than all."""
        (found,) = np.nonzero(self.norm <= share * self.norm[0])
        return int(found[0]) + 1 if len(found) else None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "largest_singular_value": self.singular_value,
            "norm": self.norm.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "per_step": self.per_step,
            "lag_of_half": self.lag_of(0.5),
            "lag_of_hundredth": self.lag_of(0.01),
        }


def fresh_encoder(name: str, n_in: int, width: int, seed: int, **settings: Any) -> nn.Module:
    """A registered encoder as it is before training, in double precision."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = cast(nn.Module, encoders.get(name)(width=width, **settings)(n_in))
    return module.to(torch.float64).requires_grad_(False).eval()


def chains(name: str, encoder: nn.Module, inputs: Tensor) -> list[Chain]:
    """The chains of an encoder of sequences: one of all its layers if it is causal; one of each
    layer and direction if it is a stack of bidirectional layers.

    inputs: ``(N, D)``. RAISES: StructureError for another encoder.
    """
    if cast(Any, encoder).structure is Sequences:
        if cast(Any, encoder).causal and isinstance(encoder, Stepper):
            return [Chain(name, encoder, inputs, largest_singular_value(encoder))]
        if isinstance(encoder, RecurrentStack):
            return list(_halves(name, encoder, inputs))
    want = "an encoder of Sequences that can run step by step"
    raise StructureError(expected(name, want, type(encoder).__name__, "Choose another encoder."))


def _halves(name: str, stack: RecurrentStack, inputs: Tensor) -> Iterator[Chain]:
    for number, x in enumerate(layer_inputs(stack, inputs)):
        for direction, way in enumerate(("forward", "backward")):
            half = Half(stack.layers[number], direction)
            where = way if len(stack.layers) == 1 else f"layer {number} {way}"
            read = x.flip(0) if direction else x
            value = largest_singular_value(half.cell, direction)
            yield Chain(f"{name}, {where}", half, read, value)


class Half:
    """One direction of a recurrent layer as a :class:`~rnnpipe.contracts.types.Stepper`. The other
    one is computed along, from the same inputs, and left out."""

    def __init__(self, cell: Cell, direction: int) -> None:
        self.cell = cell
        self.direction = direction

    def start(self, batch_size: int) -> State:
        return tuple(s[self.direction] for s in self.cell.initial(batch_size))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        projected = self.cell.project(self._both(x))
        after = self.cell.step(projected, tuple(map(self._both, state)))
        state = tuple(s[self.direction] for s in after)
        return state[0], state

    def reorder(self, state: State, rows: Tensor) -> State:
        return tuple(s.index_select(0, rows) for s in state)

    def _both(self, x: Tensor) -> Tensor:
        return x.expand(self.cell.directions, *x.shape)


def largest_singular_value(module: nn.Module, direction: int | slice = slice(None)) -> float | None:
    """Of all recurrent matrices in a module, each gate's by itself; ``None`` if there are none."""
    found = [m for m in module.modules() if isinstance(m, Dense | Diagonal)]
    values = [float(matrices.singular_values().detach()[direction].max()) for matrices in found]
    return max(values, default=None)


def gradient_curve(chain: Chain, lags: int, places: int, seed: int, where: str) -> GradientCurve:
    """Measure g(1) to g(lags) at evenly spread places. Each place's state is made of the ``lags``
    nodes that come before those of the measurement.

    where: the text's name, for errors. RAISES: CorpusError if the text is too short.
    """
    if len(chain.inputs) < 2 * lags:
        do = "Use a longer text, or fewer lags."
        want = f"at least {2 * lags} symbols or tokens, twice the number of lags"
        raise CorpusError(expected(where, want, len(chain.inputs), do))
    ends = np.unique(np.linspace(2 * lags, len(chain.inputs), places).round().astype(int))
    generator = torch.Generator().manual_seed(seed)
    parts = np.array_split(ends, -(-len(ends) // _AT_ONCE))
    norms = np.concatenate([_norms(chain, part, lags, generator) for part in parts])  # (P, K)
    low, high = np.quantile(norms, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
    norm = np.sqrt(np.square(norms).mean(0))
    return GradientCurve(chain.name, norm, low, high, chain.singular_value)


def _norms(chain: Chain, ends: np.ndarray, lags: int, generator: torch.Generator) -> np.ndarray:
    """``||v J_k(T)||`` for the places after each of ``ends`` nodes, ``(P, K)``."""
    rows = torch.from_numpy(ends[:, None] + np.arange(-2 * lags, 0))
    before, window = torch.split(chain.inputs[rows].transpose(0, 1), lags)  # (K, P, D) each
    state = chain.stepper.start(len(ends))
    with torch.no_grad():
        for x in before:
            _, state = chain.stepper.step(x, state)
    state = map_state(_leaf, state)
    carried = []
    with torch.enable_grad():
        for x in window:
            state = map_state(Tensor.view_as, state, state)  # what this step reads, and no other
            carried.append([s for s in tensors_of(state) if s.requires_grad])
            h, state = chain.stepper.step(x, state)
        v = torch.randn(h.shape, generator=generator, dtype=h.dtype)
        v = v / v.norm(dim=1, keepdim=True)
        flat = [s for tensors in carried for s in tensors]
        gradients = iter(torch.autograd.grad(h, flat, v, materialize_grads=True))
    squares = [sum(next(gradients).flatten(1).square().sum(1) for _ in step) for step in carried]
    return torch.stack(cast("list[Tensor]", squares[::-1]), 1).sqrt().numpy()


def _leaf(state: Tensor) -> Tensor:
    state = state.detach()
    return state.requires_grad_() if state.is_floating_point() else state
