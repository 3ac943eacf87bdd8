"""Compiled loops, and doing without them."""

import sys

import numba
import pytest

from rnnpipe.layers import jit

MODULES = ["rnnpipe.parts.decoders.chain.kernels", "rnnpipe.parts.encoders.sequence.lstm_kernels"]


@pytest.mark.parametrize("module", MODULES)
def test_without_numba_there_are_none(module, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    assert jit._load.__wrapped__(module) is None


@pytest.mark.parametrize("module", MODULES)
def test_with_numba_there_are_some(module):
    assert jit.kernels(module).__name__ == module


def test_without_a_place_to_keep_compiled_code(monkeypatch):
    njit, kept = numba.njit, []

    def nowhere(*functions, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        kept.append(options)
        return njit(*functions, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    double = jit.compiled(lambda x: x + x)
    assert double(2) == 4
    assert kept[0]["nogil"] and "cache" not in kept[0]  # numba compiles helpers of its own after it
