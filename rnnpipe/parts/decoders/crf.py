"""``rnnpipe.CRF.v1``: a linear-chain conditional random field over the encoder's states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import Gold, Labels, PositiveInt, Prediction
from rnnpipe.errors import SettingsError, expected
from rnnpipe.layers.precision import in_full_precision
from rnnpipe.parts.decoders.chain.partition import log_partition, surprisal
from rnnpipe.parts.decoders.chain.potentials import Chain
from rnnpipe.parts.decoders.sequence import ChainDecoder, nodes_of
from rnnpipe.structures import Encoded


@decoders("rnnpipe.CRF.v1")
@dataclass(frozen=True)
class CRF:
    """A CRF (Lafferty et al. 2001) on top of a recurrent network (Lample et al. 2016).

    transitions: "learned", one score for each pair of labels; "states", that score plus one
        computed from the state of the node that the step leads to.
    rank: with "states", compute the pair scores as a product of ``(L, rank)`` and ``(rank, L)``,
        which needs ``rank / L`` of the parameters. By default the rank is not limited.
    constrained: whether to enforce the labels' tag scheme in the loss and in decoding. Without a
        scheme the setting has no effect.

    Raises:
        SettingsError: the rank has no effect.
    """

    transitions: Literal["learned", "states"] = "learned"
    rank: PositiveInt | None = None
    constrained: bool = True

    def __post_init__(self) -> None:
        if self.rank is not None and self.transitions != "states":
            want = 'no rank with transitions = "learned"'
            raise SettingsError(expected("rank", want, self.rank, "Remove the setting."))

    def __call__(self, n_in: int, labels: Labels) -> CRFDecoder:
        make = StateCRFDecoder if self.transitions == "states" else CRFDecoder
        return make(n_in, labels, self)


class CRFDecoder(ChainDecoder):
    """A decoder whose ``p(y | x)`` is proportional to the exponential of emissions, linear in the
    states, and of learned scores of the first label, each pair of neighbours ``[from, to]`` and the
    last label."""

    label_axes: Mapping[str, tuple[int, ...]]

    def __init__(self, n_in: int, labels: Labels, settings: CRF) -> None:
        super().__init__(labels, settings.constrained)
        size = len(labels)
        self.output = nn.Linear(n_in, size)
        self.transitions = nn.Parameter(torch.empty(size, size).uniform_(-0.1, 0.1))
        self.start = nn.Parameter(torch.empty(size).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(size).uniform_(-0.1, 0.1))
        self.label_axes = {
            "output.weight": (0,),
            "output.bias": (0,),
            "transitions": (0, 1),
            "start": (0,),
            "end": (0,),
        }

    def chain(self, x: Encoded) -> Chain:
        return Chain(
            in_full_precision(self.output(x.states)),
            self.forbid(in_full_precision(self.step_scores(x)), self.transitions_allowed),
            self.forbid(in_full_precision(self.start), self.start_allowed),
            self.forbid(in_full_precision(self.end), self.end_allowed),
            x.structure,
        )

    def step_scores(self, x: Encoded) -> Tensor:
        """Return ``(L, L)`` or, where the scores differ from step to step, ``(B, T - 1, L, L)``."""
        return self.transitions

    def loss(self, x: Encoded | Tensor, gold: Gold) -> Tensor:
        """Return ``log Z - log Z(gold)`` summed over the documents, in nats.

        ``Z(gold)`` sums over all sequences that agree with the gold labels: one if they are
        complete. A document whose gold labels are illegal has an infinite loss; call
        ``first_illegal`` before training.
        """
        chain = self.chain(nodes_of(x, "rnnpipe.CRF.v1"))
        possible = _possible(gold, chain)
        if possible is None:
            return surprisal(chain, gold).sum()
        return (log_partition(chain) - log_partition(chain.only(possible))).sum()

    def predict(self, x: Encoded | Tensor) -> Prediction:
        """Return the most probable sequences. No probabilities: see ``marginals``."""
        with torch.no_grad():
            return Prediction(self.best(nodes_of(x, "rnnpipe.CRF.v1")))


class StateCRFDecoder(CRFDecoder):
    """A CRF whose pair scores also depend on the state of the step's second node: ``transitions[i,
    j] + pair_weight[i, j] . state``, or, with a rank, ``transitions[i, j] + (from_weight[i] state)
    . to_weight[j]``."""

    def __init__(self, n_in: int, labels: Labels, settings: CRF) -> None:
        super().__init__(n_in, labels, settings)
        size, bound = len(labels), n_in**-0.5
        self.rank = rank = settings.rank
        if rank is None:
            pairs = torch.empty(size, size, n_in).uniform_(-bound, bound)
            self.pair_weight = nn.Parameter(pairs)
            self.label_axes = {**self.label_axes, "pair_weight": (0, 1)}
        else:
            left = torch.empty(size, rank, n_in).uniform_(-bound, bound)
            right = torch.empty(size, rank).uniform_(-(rank**-0.5), rank**-0.5)
            self.from_weight, self.to_weight = nn.Parameter(left), nn.Parameter(right)
            self.label_axes = {**self.label_axes, "from_weight": (0,), "to_weight": (0,)}

    def step_scores(self, x: Encoded) -> Tensor:
        entered = x.states[:, 1:]  # (B, T - 1, H)
        if self.rank is None:
            scores = torch.einsum("bth,ijh->btij", entered, self.pair_weight)
        else:
            left = torch.einsum("bth,irh->btir", entered, self.from_weight)
            scores = torch.einsum("btir,jr->btij", left, self.to_weight)
        return self.transitions + in_full_precision(scores)


def _possible(gold: Gold, chain: Chain) -> Tensor | None:
    """Return the labels that agree with the gold annotations, ``(B, T, L)`` bool; ``None`` if that
    is one label everywhere."""
    if gold.dim() == 3:
        return gold
    missing = gold < 0
    # Complete annotations need no second sum, but only a CPU says for free whether they are.
    if gold.device.type == "cpu" and not (missing & chain.structure.mask).any():
        return None
    labels = torch.arange(chain.end.shape[0], device=gold.device)
    return (gold.unsqueeze(2) == labels) | missing.unsqueeze(2)
