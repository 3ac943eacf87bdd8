"""What every filter of a sampler or a search promises."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnpipe.contracts.registry import filters
from rnnpipe.contracts.types import Filter, FilterBuilder
from rnnpipe.testing.promises import Kind, require, require_equal, require_shape, smallest, trying


class Numbers:
    """An alphabet without texts: settings are given as numbers."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.end = None

    def encode(self, text: str) -> list[int]:
        raise ValueError(f"expected symbols as numbers up to {self.size - 1}, got {text!r}.")


@dataclass(frozen=True)
class FilterCase:
    """A filter to check. size: of the alphabet."""

    name: str
    builder: FilterBuilder
    size: int = 6

    def build(self) -> Filter:
        return self.builder(Numbers(self.size))

    def drawn(self, shape: tuple[int, ...], seed: int) -> Tensor:
        """Log-probabilities ``(*shape, V)``."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(*shape, self.size, generator=generator).mul(3).log_softmax(-1)


#: In which a symbol is to survive.
ROWS = 50
FILTER = Kind("filter", filters, FilterBuilder, FilterCase)


@FILTER.promise("Every row is filtered by itself, whatever the rank, and no value rises.")
def rows(case: FilterCase) -> None:
    keep = case.build()

    def check(length: int, shape: tuple[int, ...], excluded: int | None, seed: int) -> None:
        log_p = case.drawn(shape, seed)
        if excluded is not None:
            log_p[..., excluded] = -torch.inf
        generator = torch.Generator().manual_seed(seed)
        history = torch.randint(case.size, (*shape, length), generator=generator)
        before = log_p.clone()
        changed = keep(log_p, history)
        require_equal(log_p, before, "what came in")
        require_shape(changed, tuple(log_p.shape), "log-probabilities")
        risen = int((~(changed <= log_p)).sum())
        require(not risen, f"log-probabilities: expected none to rise, got {risen} that do.")
        rows, whole = log_p.view(-1, case.size), changed.view(-1, case.size)
        each = zip(rows, history.view(len(rows), length), whole, strict=True)
        for i, (row, past, want) in enumerate(each):
            require_equal(keep(row, past), want, f"row {i}, alone and among the others")

    from hypothesis import strategies as st

    smallest(
        check,
        25,
        length=st.integers(0, 5),
        shape=st.sampled_from([(), (4,), (2, 3)]),
        excluded=st.sampled_from([None, 0]),
        seed=st.integers(0, 10**6),
    )


@FILTER.promise("A symbol survives.")
def survival(case: FilterCase) -> None:
    keep = case.build()

    def check(length: int, seed: int) -> None:
        history = (torch.arange(length) % case.size).expand(ROWS, length)
        left = (keep(case.drawn((ROWS,), seed), history) > -torch.inf).any(-1)
        n = ROWS - int(left.sum())
        require(n == 0, f"symbols: expected one at least in each of {ROWS} rows, got {n} without.")

    from hypothesis import strategies as st

    always = [{"length": length, "seed": 3} for length in (0, 1, 4)]
    smallest(check, 15, always, length=st.integers(0, 4), seed=st.integers(0, 10**6))


@FILTER.promise("It never waits for a value from the device.")
def meta(case: FilterCase) -> None:
    keep = case.build()
    with trying("3 rows on the device 'meta'"), torch.device("meta"):
        history = torch.empty(3, 4, dtype=torch.int64)
        require_shape(keep(torch.empty(3, case.size), history), (3, case.size), "result")


@FILTER.promise("Copies and pickles filter the same.")
def copies(case: FilterCase) -> None:
    keep, history = case.build(), torch.tensor([[1, 2], [4, 4], [0, 1]])
    again = pickle.loads(pickle.dumps(case.builder))(Numbers(case.size))
    with trying("3 rows"):
        log_p = case.drawn((3,), 1)
        want = keep(log_p, history)
        for other in (copy.deepcopy(keep), pickle.loads(pickle.dumps(keep)), again):
            require_equal(other(log_p, history), want, "the result of a copy")
