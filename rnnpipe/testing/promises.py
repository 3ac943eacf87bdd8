"""Promises: what every part of a kind keeps to, each a check that shows the smallest case it fails.

A check is a function of a *case*, which knows how to build the part and what to feed it. It raises
AssertionError, or lets through what the part raises; :class:`BrokenPromise` then says which part
broke which promise, on what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from rnnpipe.contracts.registry import Registry

#: States in a batch and alone may differ by this much: sums are taken in another order.
TOLERANCE = 1e-5


class BrokenPromise(AssertionError):
    """A part does not do what every part of its kind promises to do."""


class Case(Protocol):
    """What a check is given.

    name: of the part, as a config has it.
    """

    @property
    def name(self) -> str: ...


C = TypeVar("C", bound=Case)
#: Raises where the part breaks the promise.
Check = Callable[[C], None]


@dataclass(frozen=True)
class Promise(Generic[C]):
    """kind: of parts that promise it. text: what they promise. applies: whether a part of that kind
    does, by what it declares of itself."""

    kind: str
    text: str
    check: Check[C]
    applies: Callable[[C], bool]

    @property
    def name(self) -> str:
        """For the command line: ``pytest -k padding``."""
        return self.check.__name__.strip("_")

    def require(self, case: C) -> None:
        """Raises BrokenPromise. Leaves torch's random numbers as they were."""
        try:
            with torch.random.fork_rng(devices=[]):
                self.check(case)
        except Exception as error:  # noqa: BLE001
            tried, cause = (error.case, error.cause) if isinstance(error, _Failed) else ("", error)
            raise BrokenPromise(self._report(case, tried, cause)) from cause

    def _report(self, case: C, tried: str, cause: BaseException) -> str:
        lines = [f"{case.name} breaks a promise of every {self.kind}: {self.text}"]
        if tried:
            lines.append(f"Smallest case found: {tried}.")
        found = str(cause)
        if not isinstance(cause, AssertionError):
            found = f"{type(cause).__name__}: {found}"
        return "\n".join([*lines, f"Found: {found}"])


@dataclass(frozen=True)
class Kind(Generic[C]):
    """A kind of parts, and what all of them promise.

    name: "encoder".
    registry: where they are registered.
    builder: the protocol of what a registered function returns.
    case: the case of a part with that name and builder.
    others: the protocols of other kinds that share the registry, which promise other things.
    """

    name: str
    registry: Registry
    builder: type
    case: Callable[[str, Any], C]
    others: tuple[type, ...] = ()
    promises: list[Promise[C]] = field(default_factory=list)

    def promise(
        self, text: str, *, where: Callable[[C], bool] = lambda case: True
    ) -> Callable[[Check[C]], Check[C]]:
        """Decorate the check of a promise. where: which parts of the kind make it."""

        def add(check: Check[C]) -> Check[C]:
            self.promises.append(Promise(self.name, text, check, where))
            return check

        return add

    def made_by(self, case: C) -> list[Promise[C]]:
        """The promises that apply to a part."""
        with torch.random.fork_rng(devices=[]):
            return [promise for promise in self.promises if promise.applies(case)]

    def check(self, case: C) -> None:
        """Raises BrokenPromise, with all the promises that the part breaks."""
        broken = []
        for promise in self.made_by(case):
            try:
                promise.require(case)
            except BrokenPromise as error:
                broken.append(error)
        if len(broken) == 1:
            raise broken[0]
        if broken:
            raise BrokenPromise("\n\n".join(map(str, broken))) from broken[0]


class _Failed(Exception):
    """A check failed on a case that is told by what it was made of."""

    def __init__(self, case: str, cause: Exception) -> None:
        super().__init__(case)
        self.case = case
        self.cause = cause


@contextmanager
def trying(case: str) -> Iterator[None]:
    """What is raised inside is reported with the case."""
    try:
        yield
    except _Failed as inner:
        raise _Failed(f"{case}; {inner.case}", inner.cause) from inner.cause
    except Exception as error:
        raise _Failed(case, error) from error


def smallest(
    check: Callable[..., None],
    examples: int = 15,
    always: Iterable[Mapping[str, Any]] = (),
    **drawn: Any,
) -> None:
    """Call ``check`` with values from hypothesis' strategies, the same ones in every run; where it
    fails, fail with the smallest values that make it.

    always: values to call it with besides, whatever is drawn.
    """
    from hypothesis import HealthCheck, given, settings

    def run(**values: Any) -> None:
        with trying(", ".join(f"{name} = {value!r}" for name, value in values.items())):
            check(**values)

    configured = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    configured(given(**drawn)(run))()
    for values in always:
        run(**values)


def require(condition: bool, complaint: str) -> None:
    if not condition:
        raise AssertionError(complaint)


def require_shape(got: Tensor, shape: tuple[int, ...], what: str) -> None:
    require(got.shape == shape, f"{what}: expected the shape {shape}, got {tuple(got.shape)}.")


def require_type(got: Tensor, want: torch.dtype, what: str) -> None:
    require(got.dtype == want, f"{what}: expected {want}, got {got.dtype}.")


def require_close(got: Tensor, want: Tensor, what: str, tolerance: float = TOLERANCE) -> None:
    """All values equal up to the tolerance; NaN is equal to nothing."""
    require_shape(got, tuple(want.shape), what)
    difference = float((got - want).abs().max().detach()) if want.numel() else 0.0
    require(
        difference <= tolerance,
        f"{what}: expected values equal to {tolerance:g}, got a difference of {difference:.3g}.",
    )


def require_equal(got: Tensor, want: Tensor, what: str) -> None:
    """All values equal to the last bit."""
    require_shape(got, tuple(want.shape), what)
    n = int((got != want).sum())
    require(n == 0, f"{what}: expected the same values to the last bit, got {n} others.")


def require_gradients(gradient: Tensor | None, what: str) -> None:
    """There is a gradient, finite, and somewhere not zero."""
    require(gradient is not None, f"{what}: expected a gradient, got none.")
    assert gradient is not None
    require(bool(gradient.isfinite().all()), f"{what}: expected finite gradients.")
    require(bool((gradient != 0).any()), f"{what}: expected a gradient, got zeros.")
