"""One step of a thinc optimizer over all parameters of a torch module at once.

thinc's ``Optimizer`` walks from tensor to tensor in numpy. The functions here do the same sums with
a handful of fused torch calls, keep their state in the optimizer's own dictionaries, and honour every
setting of it: Adam, RAdam and SGD, both kinds of L2, schedules, averages. One thing differs on
purpose: ``grad_clip`` bounds the norm of *all* gradients together, not of each tensor by itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from thinc.api import Optimizer
from torch import Tensor
from torch.optim.adamw import adamw

from rnnpipe.errors import TrainingError

#: (marker, owner, parameter name). thinc's own keys have two parts, so the two never meet in the
#: optimizer's dictionaries.
Key: TypeAlias = tuple[str, str, str]


def parameter_key(owner: str, name: str) -> Key:
    """Where an optimizer keeps what it knows of one parameter."""
    return ("rnnpipe", owner, name)


@torch.no_grad()
def step(optimizer: Optimizer, parameters: Mapping[Key, Tensor]) -> None:
    """Update the parameters that have a gradient, then drop the gradients.

    With ``g`` the clipped gradient, ``t`` the number of updates of a parameter so far and ``m``,
    ``v`` the moments of Adam (Kingma and Ba 2015; RAdam: Liu et al. 2020)::

        w <- w - rate(t) * m / (sqrt(v) + eps)
        w <- w * (1 - learn_rate * L2)                  (L2_is_weight_decay)
        average <- average + (1 - d) * (w - average)    d = min((1 + t) / (10 + t), 0.9999)

    A parameter whose shape has changed since the last step starts afresh.

    Raises :class:`TrainingError` if a gradient is not finite; weights and state are then unchanged.
    """
    trained = {
        key: p
        for key, p in parameters.items()
        if p.grad is not None and p.requires_grad and p.numel()
    }
    try:
        if trained:
            scale = _gradient_scale(optimizer, trained)
            for group in _groups(optimizer, trained):
                _update(optimizer, group, scale)
    finally:
        for parameter in parameters.values():
            parameter.grad = None


@dataclass(frozen=True)
class _Group:
    """Parameters that have all been updated equally often; ``count`` includes this time."""

    count: int
    keys: Sequence[Key]
    weights: list[Tensor]
    grads: list[Tensor]


def _gradient_scale(optimizer: Optimizer, trained: Mapping[Key, Tensor]) -> float:
    """What all gradients are to be divided by, so that their common norm is within ``grad_clip``."""
    grads = _gradients(trained.values())
    if optimizer.L2 and not optimizer.L2_is_weight_decay:
        torch._foreach_add_(grads, list(trained.values()), alpha=float(optimizer.L2))
    # The one place where a step waits for the device.
    norm = float(torch.nn.utils.get_total_norm(grads, foreach=True))
    if not math.isfinite(norm):
        bad = [k[-1] for k, g in zip(trained, grads, strict=True) if not bool(g.isfinite().all())]
        got = f"NaN or infinity in {', '.join(bad)}" if bad else "a norm beyond the type's range"
        raise TrainingError(
            f"finish_update: expected finite gradients, got {got}. The weights are unchanged. Lower "
            "the learning rate or set grad_clip; if it happens at the first step, look for NaN in "
            "the word vectors or the targets."
        )
    return max(1.0, norm / float(optimizer.grad_clip)) if optimizer.grad_clip else 1.0


def _groups(optimizer: Optimizer, trained: Mapping[Key, Tensor]) -> list[_Group]:
    by_count: dict[int, list[Key]] = defaultdict(list)
    for key, parameter in trained.items():
        _forget_if_resized(optimizer, key, parameter)
        state = _untyped(optimizer.nr_update)
        state[key] += 1
        by_count[state[key]].append(key)
    groups = []
    for count, keys in by_count.items():
        weights = [trained[key] for key in keys]
        groups.append(_Group(count, keys, weights, _gradients(weights)))
    return groups


def _gradients(weights: Iterable[Tensor]) -> list[Tensor]:
    return [weight.grad for weight in weights if weight.grad is not None]


def _forget_if_resized(optimizer: Optimizer, key: Key, parameter: Tensor) -> None:
    states = [_untyped(s) for s in (optimizer.mom1, optimizer.mom2, optimizer.averages or {})]
    if any(key in state and state[key].shape != parameter.shape for state in states):
        for state in states:
            state.pop(key, None)
        _untyped(optimizer.nr_update).pop(key, None)


def _update(optimizer: Optimizer, group: _Group, scale: float) -> None:
    learn_rate, betas = float(optimizer.learn_rate), (float(optimizer.b1), float(optimizer.b2))
    if optimizer.use_radam:
        rate, adaptive = _radam_rate(optimizer, group.count)
        (_adam if adaptive else _momentum)(optimizer, group, scale, rate, betas)
    elif optimizer.b2 > 0.0:
        fix1 = 1.0 - optimizer.b1**group.count
        fix2 = 1.0 - optimizer.b2**group.count
        # thinc's Adam rounds the betas before it takes them from 1, which some hundred steps show.
        rounded = (float(np.float32(betas[0])), float(np.float32(betas[1])))
        _adam(optimizer, group, scale, learn_rate * math.sqrt(fix2) / fix1, rounded)
    else:
        torch._foreach_add_(group.weights, group.grads, alpha=-learn_rate / scale)
    if optimizer.L2 and optimizer.L2_is_weight_decay:
        # Not a product with (1 - learn_rate * L2), which loses digits in float32.
        torch._foreach_add_(group.weights, group.weights, alpha=-learn_rate * float(optimizer.L2))
    if optimizer.averages is not None:
        kept = min((1.0 + group.count) / (10.0 + group.count), 0.9999)
        torch._foreach_lerp_(_state(optimizer.averages, group), group.weights, 1.0 - kept)


def _adam(
    optimizer: Optimizer, group: _Group, scale: float, rate: float, betas: tuple[float, float]
) -> None:
    """``w <- w - rate * m / (sqrt(v) + eps)`` by torch's fused kernel.

    The kernel corrects the moments for the number of steps, which ``rate`` has done already, the
    way thinc does it: so it is told that the step is infinite, where its corrections are 1.
    """
    devices = {weight.device for weight in group.weights}
    forever = {device: torch.full((), math.inf, device=device) for device in devices}
    divisor = torch.full((), scale, device=group.weights[0].device) if scale > 1.0 else None
    adamw(
        group.weights,
        group.grads,
        _state(optimizer.mom1, group),
        _state(optimizer.mom2, group),
        [],
        [forever[weight.device] for weight in group.weights],
        fused=True,
        grad_scale=divisor,
        amsgrad=False,
        beta1=betas[0],
        beta2=betas[1],
        lr=rate,
        weight_decay=0.0,
        eps=float(optimizer.eps),
        maximize=False,
    )


def _momentum(
    optimizer: Optimizer, group: _Group, scale: float, rate: float, betas: tuple[float, float]
) -> None:
    """``w <- w - rate * m``: RAdam while ``v`` is not to be trusted yet."""
    b1, b2 = betas
    first, second = _state(optimizer.mom1, group), _state(optimizer.mom2, group)
    torch._foreach_mul_(first, b1)
    torch._foreach_add_(first, group.grads, alpha=(1.0 - b1) / scale)
    torch._foreach_mul_(second, b2)
    torch._foreach_addcmul_(second, group.grads, group.grads, value=(1.0 - b2) / scale**2)
    torch._foreach_add_(group.weights, first, alpha=-rate)


def _radam_rate(optimizer: Optimizer, count: int) -> tuple[float, bool]:
    """RAdam's step size, and whether the second moment is long enough to divide by.

    Like thinc, which counts a step before it reads the counter, this is one step ahead of the paper.
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


def _state(kind: Mapping[Any, Any], group: _Group) -> list[Tensor]:
    """The group's tensors of one kind of optimizer state; zeros where there is none yet."""
    state = _untyped(kind)
    tensors = []
    for key, weight in zip(group.keys, group.weights, strict=True):
        if key not in state:
            state[key] = torch.zeros_like(weight)
        elif state[key].device != weight.device:
            state[key] = state[key].to(weight.device)
        tensors.append(state[key])
    return tensors


def _untyped(state: Any) -> Any:
    # thinc types its dictionaries for its own keys and arrays; ours hold other ones beside them.
    return state
