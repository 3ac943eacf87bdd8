"""The promises of everything that is registered, or of what one distribution registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, TypeAlias

from rnnpipe.testing import grid_encoders  # noqa: F401  (adds to what encoders promise)
from rnnpipe.testing.attentions import ATTENTION
from rnnpipe.testing.decoders import DECODER
from rnnpipe.testing.edges import EDGE
from rnnpipe.testing.embeddings import EMBEDDING
from rnnpipe.testing.encoders import ENCODER
from rnnpipe.testing.filters import FILTER
from rnnpipe.testing.outputs import OUTPUT
from rnnpipe.testing.own_parts import OWN_OPTIONS, own_settings
from rnnpipe.testing.pixel_outputs import PIXEL_OUTPUT
from rnnpipe.testing.poolers import POOLER
from rnnpipe.testing.promises import Kind, Promise
from rnnpipe.testing.small_settings import small_settings
from rnnpipe.testing.structures import STRUCTURE

_KINDS = (
    STRUCTURE,
    EDGE,
    EMBEDDING,
    ENCODER,
    POOLER,
    DECODER,
    FILTER,
    ATTENTION,
    OUTPUT,
    PIXEL_OUTPUT,
)
KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in _KINDS}
#: The settings to check a part with, given its kind and name; ``None``: the smallest.
Settings: TypeAlias = Callable[[str, str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Registered:
    """One promise of one registered part. Call it to check it: it raises BrokenPromise.

    part: the name of the part.
    """

    part: str
    promise: Promise[Any]
    case: Any

    def __call__(self) -> None:
        self.promise.require(self.case)

    def __str__(self) -> str:
        return f"{self.promise.kind}-{self.part}-{self.promise.name}"


def registered(
    distribution: str | None = None,
    kinds: list[str] | None = None,
    settings: Settings | Mapping[str, Mapping[str, Any]] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Registered]:
    """The promises of all registered parts, to be made tests of::

        @pytest.mark.parametrize("promise", registered("acme-rnn"), ids=str)
        def test_promises(promise):
            promise()

    distribution: whose parts; by default everybody's, rnnpipe's own among them.
    kinds: of ``KINDS``, by default all.
    settings: to check parts with, by name (``{"acme.QRNN.v1": {"width": 3}}``), or a function of
        kind and name. Others get the smallest values for what they cannot do without.
    options: by name, what ``check_encoder`` and the others take besides:
        ``{"acme.Lattice.v1": {"draw": lattices}}``.

    A part that cannot be built breaks the promise that it can. Raises LookupError if there are no
    parts at all.
    """
    chosen = settings if callable(settings) else _by_name(settings or {})
    found = [
        promise
        for kind in kinds or list(KINDS)
        for name in _names(KINDS[kind], distribution)
        for promise in _promises(
            KINDS[kind], name, chosen(kind, name), {**OWN_OPTIONS, **(options or {})}.get(name, {})
        )
    ]
    if not found:
        raise LookupError(
            f"{distribution or 'rnnpipe'}: expected a distribution that registers parts of "
            f"networks ({', '.join(kinds or KINDS)}), got none. Is it installed?"
        )
    return found


def _by_name(settings: Mapping[str, Mapping[str, Any]]) -> Settings:
    return lambda kind, name: settings.get(name)


def _names(kind: Kind[Any], distribution: str | None) -> list[str]:
    entries = entry_points(group=kind.registry.group)
    whose = None if distribution is None else _canonical(distribution)
    return sorted({entry.name for entry in entries if whose in (None, _owner(entry))})


def _promises(
    kind: Kind[Any], name: str, settings: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> Iterator[Registered]:
    try:
        builder = build(kind, name, settings)
        if not isinstance(builder, kind.others):
            _require_builder(kind, builder)
            case = replace(kind.case(name, builder), **options)
            yield from (Registered(name, promise, case) for promise in kind.made_by(case))
    except Exception as error:  # noqa: BLE001 - no part keeps the others from being checked
        yield Registered(name, BUILT, _Unbuilt(name, error))


def _require_builder(kind: Kind[Any], builder: Any) -> None:
    if not isinstance(builder, kind.builder):
        raise TypeError(
            f"expected a builder of the kind {kind.name!r}, got {type(builder).__name__}."
        )


@dataclass(frozen=True)
class _Unbuilt:
    name: str
    error: Exception


def _built(case: _Unbuilt) -> None:
    raise case.error


BUILT: Promise[Any] = Promise("part", "It can be built from valid settings.", _built, bool)


def build(kind: Kind[Any], name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """The builder of a registered part."""
    function = kind.registry.get(name)
    chosen = own_settings(kind.name, name) if settings is None else settings
    return function(**(small_settings(function) if chosen is None else chosen))


def _owner(entry: Any) -> str:
    return _canonical(entry.dist.name) if entry.dist is not None else ""


def _canonical(distribution: str) -> str:
    return distribution.replace("_", "-").lower()
