"""Pages that need nothing else: one file each, without scripts, made of ``templates/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from rnnpipe.cli.pictures.appearance import Colour, css, visible

_TEMPLATES = Environment(
    loader=PackageLoader("rnnpipe.cli.pictures"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"css": css, "visible": visible}


def page(template: str, title: str, summary: str, **shown: object) -> str:
    """Return a template as HTML. All text is escaped, unless it is ``Markup``."""
    return _TEMPLATES.get_template(template).render(title=title, summary=summary, **shown)


@dataclass(frozen=True)
class Line:
    """name: what it begins with. pieces: each with its colour and its value."""

    name: str
    pieces: list[tuple[str, Colour, float]]

    @classmethod
    def of(
        cls,
        pieces: Iterable[str],
        colours: Iterable[Colour],
        values: Iterable[float],
        name: str = "",
    ) -> Line:
        return cls(name, list(zip(pieces, colours, values, strict=True)))


@dataclass(frozen=True)
class Section:
    """A text whose pieces have the colours of a scale. least, most: what the ends of the scale
    mean. scale: its colours. unit: of the values."""

    heading: str
    least: str
    most: str
    scale: tuple[Colour, ...]
    unit: str
    lines: list[Line]
