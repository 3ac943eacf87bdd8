"""Gradients kept apart from those of the parameters, and added to them all at once or not at
all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn

Gradients: TypeAlias = dict[nn.Parameter, Tensor]


@contextmanager
def private_gradients(module: nn.Module) -> Iterator[Gradients]:
    """Collect the gradients computed inside the block in a dictionary, filled at its end. The
    parameters' ``.grad`` are then as before, also after an exception."""
    held = {parameter: parameter.grad for parameter in module.parameters()}
    gradients: Gradients = {}
    try:
        for parameter in held:
            parameter.grad = None
        yield gradients
        gradients.update((p, p.grad) for p in held if p.grad is not None)
    finally:
        for parameter, gradient in held.items():
            parameter.grad = gradient


@torch.no_grad()
def add_gradients(gradients: Gradients) -> None:
    """Add collected gradients to the parameters' ``.grad``. Do not use the dictionary again: its
    tensors become the gradients of parameters that had none."""
    for parameter, gradient in gradients.items():
        if parameter.grad is None:
            parameter.grad = gradient
        else:
            parameter.grad.add_(gradient)
