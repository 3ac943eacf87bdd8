"""Loops that numba compiles for one CPU thread, where it is installed
(``pip install rnnpipe[fast]``)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

F = TypeVar("F", bound=Callable[..., Any])


def kernels(module: str) -> ModuleType | None:
    """Return a module of :func:`compiled` loops, or ``None`` where numba cannot be imported."""
    return _load(module) if _ALLOWED[-1] else None


#: Whether compiled loops may be used, as the innermost :func:`without_kernels` says.
_ALLOWED = [True]


@contextmanager
def without_kernels() -> Iterator[None]:
    """Compute everything in torch within the block, as where numba is not installed."""
    _ALLOWED.append(False)
    try:
        yield
    finally:
        _ALLOWED.pop()


@functools.cache
def _load(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def compiles(module: str, *tensors: Tensor) -> bool:
    """Return whether a module of loops can be had, and is for these tensors: float32 on a CPU,
    without autocast."""
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
