"""Loops that numba compiles for one CPU thread, where it is installed
(``pip install rnnpipe[fast]``)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

F = TypeVar("F", bound=Callable[..., Any])


@functools.cache
def kernels(module: str) -> ModuleType | None:
    """A module of :func:`compiled` loops, or ``None`` without a numba that can be imported."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def compiles(module: str, *tensors: Tensor) -> bool:
    """Whether a module of loops can be had, and is for these tensors: float32 on a CPU, without
    autocast."""
    return (
        all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
        and not torch.is_autocast_enabled("cpu")
        and kernels(module) is not None
    )


def compiled(function: F) -> F:
    """``function`` compiled at its first call, and kept on disk where there is a place for it.

    Sums may be reordered, so that they run on vectors; infinities and NaN keep their meaning.
    """
    from numba import njit

    jit = partial(njit, nogil=True, fastmath={"reassoc", "contract"}, error_model="numpy")
    try:
        kernel = jit(cache=True)(function)
    except RuntimeError:  # neither the package's nor the user's cache directory can be written
        kernel = jit()(function)
    return cast(F, kernel)
