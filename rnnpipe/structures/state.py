"""What a recurrent encoder carries from step to step, and what maps over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

#: A tensor, or (nested) tuples of tensors, each with the batch as its first axis.
State = Any


def map_state(function: Callable[..., Any], state: State, *others: State) -> State:
    """Return a state of the same shape with the function's result for every tensor in it."""
    if isinstance(state, tuple):
        return tuple(map_state(function, *parts) for parts in zip(state, *others, strict=True))
    return function(state, *others)


def tensors_of(state: State) -> list[Tensor]:
    """Return all tensors of a state."""
    if isinstance(state, tuple):
        return [tensor for part in state for tensor in tensors_of(part)]
    return [state]
