"""What is computed in full precision, also where autocast computes the rest in bfloat16."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """No autocast inside: the backward pass is not to run under it."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def backpropagate(loss: Tensor) -> None:
    """Add the gradient of a loss to its leaves', in full precision; nothing where gradients are
    off."""
    if torch.is_grad_enabled():
        with full_precision(loss.device):
            torch.autograd.backward(loss)


def in_full_precision(scores: Tensor) -> Tensor:
    """``scores`` in float32 at least: autocast may have left them in bfloat16."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
