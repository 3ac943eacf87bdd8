"""A lattice as a page: the text with its entities, by displaCy, the lattice, the paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup, escape
from spacy import displacy

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import BLUE, WHITE, Colour, blend, visible
from rnnpipe.cli.pictures.page import page
from rnnpipe.instruments.lattice import Lattice

#: Of the paths, the best one first.
PATH_COLOURS = ("#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
#: In pixels: the height of a row, and of a node; the width of a character and of a node.
_ROW, _NODE, _CHARACTER, _NODE_WIDTH = 34, 20, 8, 44
#: A node that has less probability than that is left blank.
_BLANK = 0.005
#: displaCy's, with the probability beside the label.
_ENTITY = '<mark class="entity" style="background: {bg}">{text}<b>{label} {probability}</b></mark>'


@dataclass(frozen=True)
class Node:
    """A label at a token. p: its probability. best: whether the best path goes through it."""

    x: float
    y: float
    p: float
    best: bool
    hint: str
    width: int = _NODE_WIDTH
    height: int = _NODE

    @property
    def shown(self) -> bool:
        return self.p >= _BLANK

    @property
    def colour(self) -> Colour:
        return blend(BLUE, self.p) if self.shown else WHITE


def lattice_page(lattice: Lattice, title: str) -> str:
    """Return a page; numbers show under the pointer."""
    best, rows = lattice.readings[0], lattice.considered
    tokens = [visible(token) for token in lattice.tokens]
    left = 16 + _CHARACTER * max(len(lattice.labels[i]) for i in rows)
    widths = [max(_NODE_WIDTH, _CHARACTER * len(token)) + 24 for token in tokens]
    xs = [left + sum(widths[:i]) + width / 2 for i, width in enumerate(widths)]
    ys = {label: _ROW * (row + 1.5) for row, label in enumerate(rows)}
    return page(
        "lattice.html",
        title,
        f"{len(tokens)} tokens; the best path has a probability of {best.probability:.1%}.",
        reading=readings.LATTICE,
        entities=_entities(lattice) if lattice.entities else None,
        width=left + sum(widths),
        height=_ROW * (len(rows) + 1),
        left=left - 8,
        heading=_ROW * 0.6,
        columns=[{"x": x, "token": token.strip()} for x, token in zip(xs, tokens, strict=True)],
        rows=[{"y": y, "label": lattice.labels[i]} for i, y in ys.items()],
        nodes=list(_nodes(lattice, xs, ys)),
        paths=list(_paths(lattice, xs, ys)),
    )


def _entities(lattice: Lattice) -> Markup:
    """Return the text, each entity of the best path with its label and its probability."""
    tokens = [visible(token) for token in lattice.tokens]
    pieces = [token + space for token, space in zip(tokens, lattice.spaces, strict=True)]
    starts = [0, *accumulate(map(len, pieces))]
    entities = [
        {
            "start": starts[entity.start],
            "end": starts[entity.end - 1] + len(tokens[entity.end - 1]),
            "label": str(escape(entity.label)),  # displaCy escapes the text alone
            "params": {"probability": f"{entity.probability:.0%}"},
        }
        for entity in lattice.entities
    ]
    data = {"text": "".join(pieces), "ents": entities}
    template = {"template": _ENTITY}
    return Markup(displacy.render(data, style="ent", manual=True, jupyter=False, options=template))


def _nodes(lattice: Lattice, xs: Sequence[float], ys: Mapping[int, float]) -> Iterator[Node]:
    for t, x in enumerate(xs):
        for label, y in ys.items():
            p = float(lattice.marginals[t, label])
            hint = f"{visible(lattice.tokens[t])}: {lattice.labels[label]} {p:.4f}"
            yield Node(x, y, p, bool(lattice.readings[0].path[t] == label), hint)


def _paths(
    lattice: Lattice, xs: Sequence[float], ys: Mapping[int, float]
) -> Iterator[dict[str, object]]:
    """Where each path runs, and where it differs from the best one."""
    best = lattice.readings[0].path
    for number, reading in enumerate(lattice.readings):
        points = zip(
            xs, (ys[label] + _shift(number) for label in reading.path.tolist()), strict=True
        )
        pairs = zip(lattice.tokens, reading.path, best, strict=True)
        differs = [
            f"{visible(token)}: {lattice.labels[label]}"
            for token, label, other in pairs
            if label != other
        ]
        yield {
            "colour": PATH_COLOURS[number % len(PATH_COLOURS)],
            "points": " ".join(f"{x:.0f},{y:.0f}" for x, y in points),
            "probability": reading.probability,
            "differs": ", ".join(differs) if number else "the best path",
        }


def _shift(number: int) -> int:
    """How far below the middle of the nodes a path runs, or above it; the best one does not."""
    return 4 * ((number + 1) // 2) * (1 if number % 2 else -1)
