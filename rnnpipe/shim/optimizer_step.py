"""One step of a thinc optimizer over all parameters of a torch module at once.

thinc's ``Optimizer`` updates tensor by tensor in numpy. The functions here compute the same with a
few fused torch calls, keep their state in the optimizer's own dictionaries, and support all its
settings: Adam, RAdam and SGD, both kinds of L2, schedules, averages. The one difference is
intended: ``grad_clip`` bounds the norm of all gradients together instead of each one's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from thinc.api import Optimizer
from torch import Tensor

from rnnpipe.contracts.compat import private
from rnnpipe.errors import TrainingError

_foreach_add_ = private("torch._foreach_add_")
_foreach_addcmul_ = private("torch._foreach_addcmul_")
_foreach_lerp_ = private("torch._foreach_lerp_")
_foreach_mul_ = private("torch._foreach_mul_")
_foreach_norm = private("torch._foreach_norm")
_fused_adamw_ = private("torch._fused_adamw_")

#: (marker, owner, parameter name). thinc's own keys have two parts, so the two never meet in the
#: optimizer's dictionaries.
Key: TypeAlias = tuple[str, str, str]


def parameter_key(owner: str, name: str) -> Key:
    """Return the key of a parameter's state in the optimizer."""
    return ("rnnpipe", owner, name)


@dataclass(frozen=True)
class StepReport:
    """Numbers computed in a step, for loggers.

    gradient_norm: norm of all gradients together, before clipping.
    scale: divisor that clipped them; 1 if they were not clipped.
    """

    gradient_norm: float
    scale: float
    learn_rate: float


@torch.no_grad()
def step(optimizer: Optimizer, parameters: Mapping[Key, Tensor]) -> StepReport | None:
    """Update the parameters that have a gradient, then drop the gradients.

    With ``g`` the clipped gradient, ``t`` the number of updates of a parameter so far and ``m``,
    ``v`` the moments of Adam (Kingma and Ba 2015; RAdam: Liu et al. 2020)::

        w <- w - rate(t) * m / (sqrt(v) + eps)
        w <- w * (1 - learn_rate * L2)                  (L2_is_weight_decay)
        average <- average + (1 - d) * (w - average)    d = min((1 + t) / (10 + t), 0.9999)

    The state of a parameter whose shape has changed since the last step is reset. Return ``None``
    if no parameter has a gradient.

    Raises:
        TrainingError: a gradient is not finite. Weights and state are then unchanged.
    """
    trained = {
        key: weight
        for key, weight in parameters.items()
        if weight.grad is not None and weight.requires_grad and weight.numel()
    }
    try:
        if not trained:
            return None
        norm = _gradient_norm(optimizer, trained)
        scale = max(1.0, norm / float(optimizer.grad_clip)) if optimizer.grad_clip else 1.0
        for group in _groups(optimizer, trained):
            _update(optimizer, group, scale)
        return StepReport(norm, scale, float(optimizer.learn_rate))
    finally:
        for weight in parameters.values():
            weight.grad = None


@dataclass(frozen=True)
class _Group:
    """Parameters of one device and type with the same number of updates, ``count``, including this
    one."""

    count: int
    keys: list[Key]
    weights: list[Tensor]
    grads: list[Tensor]


def _gradient_norm(optimizer: Optimizer, trained: Mapping[Key, Tensor]) -> float:
    """Compute the norm of all gradients together, including L2 unless it is weight decay."""
    grads = _gradients(trained.values())
    if optimizer.L2 and not optimizer.L2_is_weight_decay:
        _foreach_add_(grads, list(trained.values()), alpha=float(optimizer.L2))
    norms = _foreach_norm(grads)
    joined = torch.stack([norm.to(norms[0].device) for norm in norms])
    total = float(torch.linalg.vector_norm(joined))  # the one place that waits for the device
    if not math.isfinite(total):
        bad = [k[-1] for k, g in zip(trained, grads, strict=True) if not bool(g.isfinite().all())]
        got = f"NaN or infinity in {', '.join(bad)}" if bad else "a norm beyond float32"
        raise TrainingError(
            f"finish_update: expected finite gradients, got {got}. The weights are unchanged. "
            "Lower the learning rate or set grad_clip; if it happens at the first step, check "
            "the word vectors and the targets for NaN."
        )
    return total


def _groups(optimizer: Optimizer, trained: Mapping[Key, Tensor]) -> list[_Group]:
    counts = _ours(optimizer.nr_update)
    kinds = [_ours(kind) for kind in (optimizer.mom1, optimizer.mom2, optimizer.averages or {})]
    alike: dict[Any, list[Key]] = defaultdict(list)
    for key, weight in trained.items():
        known = kinds[0].get(key, kinds[2].get(key))
        if known is not None and known.shape != weight.shape:
            for state in (counts, *kinds):
                state.pop(key, None)
        elif known is not None and known.device != weight.device:
            for state in kinds:
                if key in state:
                    state[key] = state[key].to(weight.device)
        counts[key] += 1
        alike[counts[key], weight.device, weight.dtype].append(key)
    groups = []
    for (count, _, _), keys in alike.items():
        weights = [trained[key] for key in keys]
        groups.append(_Group(count, keys, weights, _gradients(weights)))
    return groups


def _gradients(weights: Iterable[Tensor]) -> list[Tensor]:
    return cast("list[Tensor]", [weight.grad for weight in weights])


def _update(optimizer: Optimizer, group: _Group, scale: float) -> None:
    learn_rate, betas = float(optimizer.learn_rate), (float(optimizer.b1), float(optimizer.b2))
    decay = learn_rate * float(optimizer.L2) if optimizer.L2_is_weight_decay else 0.0
    if optimizer.use_radam:
        rate, adaptive = _radam_rate(optimizer, group.count)
        (_adam if adaptive else _momentum)(optimizer, group, scale, rate, betas, decay)
    elif optimizer.b2 > 0.0:
        fix1 = 1.0 - optimizer.b1**group.count
        fix2 = 1.0 - optimizer.b2**group.count
        # thinc's Adam rounds the betas before it takes them from 1, which some hundred steps show.
        rounded = (float(np.float32(betas[0])), float(np.float32(betas[1])))
        _adam(optimizer, group, scale, learn_rate * math.sqrt(fix2) / fix1, rounded, decay)
    else:
        _foreach_add_(group.weights, group.grads, alpha=-learn_rate / scale)
        _shrink(group, decay)
    if optimizer.averages is not None:
        kept = min((1.0 + group.count) / (10.0 + group.count), 0.9999)
        _foreach_lerp_(_state(optimizer.averages, group), group.weights, 1.0 - kept)


def _adam(
    optimizer: Optimizer,
    group: _Group,
    scale: float,
    rate: float,
    betas: tuple[float, float],
    decay: float,
) -> None:
    """Compute ``w <- (w - rate * m / (sqrt(v) + eps)) * (1 - decay)`` by torch's fused kernel.

    The kernel's bias correction depends on the number of steps. ``rate`` includes the correction
    already, as in thinc, so the kernel gets an infinite step, where its corrections are 1. It
    decays before it subtracts, hence the factor on the rate.
    """
    decay = _whole_quanta(decay, group.count)
    learn_rate = rate * (1.0 - decay)
    device = group.weights[0].device
    _fused_adamw_(
        group.weights,
        group.grads,
        _state(optimizer.mom1, group),
        _state(optimizer.mom2, group),
        [],
        [torch.full((), math.inf, device=device)] * len(group.weights),
        lr=learn_rate,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=decay / learn_rate if decay else 0.0,
        eps=float(optimizer.eps),
        amsgrad=False,
        maximize=False,
        grad_scale=torch.full((), scale, device=device) if scale > 1.0 else None,
    )


def _whole_quanta(decay: float, count: int) -> float:
    """Return this step's share of a decay; the shares add up to the true decay over the steps.

    The kernel multiplies by ``1 - decay``, and just below 1 float32 has only multiples of 2**-24.
    Rounding each step alike would be up to 1 % off for a usual decay of 1e-5 or less.
    """
    quanta = decay * 2**24
    return (math.floor((count + 1) * quanta) - math.floor(count * quanta)) / 2**24


def _momentum(
    optimizer: Optimizer,
    group: _Group,
    scale: float,
    rate: float,
    betas: tuple[float, float],
    decay: float,
) -> None:
    """Compute ``w <- (w - rate * m) * (1 - decay)``: RAdam while ``v`` is not yet reliable."""
    first, second = _state(optimizer.mom1, group), _state(optimizer.mom2, group)
    _foreach_mul_(first, betas[0])
    _foreach_add_(first, group.grads, alpha=(1.0 - betas[0]) / scale)
    _foreach_mul_(second, betas[1])
    _foreach_addcmul_(second, group.grads, group.grads, value=(1.0 - betas[1]) / scale**2)
    _foreach_add_(group.weights, first, alpha=-rate)
    _shrink(group, decay)


def _shrink(group: _Group, decay: float) -> None:
    if decay:
        _foreach_add_(group.weights, group.weights, alpha=-decay)


def _radam_rate(optimizer: Optimizer, count: int) -> tuple[float, bool]:
    """Return RAdam's step size, and whether to divide by the second moment.

    As in thinc, which increments the step counter before reading it, it is one step ahead of the
    paper.
    """
    t = count + 1
    b2_t = optimizer.b2**t
    longest = 2.0 / (1.0 - optimizer.b2) - 1.0
    length = longest - 2.0 * t * b2_t / (1.0 - b2_t)
    rate = float(optimizer.learn_rate) / (1.0 - optimizer.b1**t)
    if length < 5.0:
        return rate, False
    rectified = (length - 4.0) * (length - 2.0) * longest
    rectified /= (longest - 4.0) * (longest - 2.0) * length
    return rate * math.sqrt((1.0 - b2_t) * rectified), True


def _state(kind: Any, group: _Group) -> list[Tensor]:
    """Return the group's tensors of one kind of optimizer state, initially zeros."""
    state = _ours(kind)
    for key, weight in zip(group.keys, group.weights, strict=True):
        if key not in state:
            state[key] = torch.zeros_like(weight)
    return [state[key] for key in group.keys]


def _ours(state: Any) -> dict[Key, Any]:
    # thinc types its dictionaries for its own keys and arrays; ours hold other ones beside them.
    return cast("dict[Key, Any]", state)
