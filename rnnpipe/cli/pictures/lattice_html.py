"""A lattice as a page: the text with its entities, in displaCy's manner, the lattice, the paths."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import BLUE, WHITE, blend, css, visible
from rnnpipe.cli.pictures.page import page
from rnnpipe.instruments.lattice import Lattice

#: Of the paths, the best one first.
PATH_COLOURS = ("#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
#: In pixels: the height of a row, and of a node; the width of a character and of a node.
_ROW, _NODE, _CHARACTER, _NODE_WIDTH = 34, 20, 8, 44
#: A node that has less probability than that is left blank.
_BLANK = 0.005

_STYLE = """.lattice { overflow-x: auto; border: 1px solid #ddd; padding: 0.5em; }
.lattice text { font: 13px sans-serif; }
.lattice polyline { fill: none; stroke-opacity: 0.7; stroke-linejoin: round; }
.entities { line-height: 2.4; border: 1px solid #ddd; padding: 1em; }
.entity { background: #dbe6fd; padding: 0.35em 0.5em; border-radius: 0.35em; }
.entity b { font-size: 0.75em; margin-left: 0.5em; }
td { padding: 0.1em 1em 0.1em 0; vertical-align: top; }
.path { display: inline-block; width: 3em; height: 0.3em; vertical-align: middle; }"""


def lattice_page(lattice: Lattice, title: str) -> str:
    """Numbers show under the pointer."""
    n_tokens, n_readings = len(lattice.tokens), len(lattice.readings)
    best = lattice.readings[0].probability
    sections = [
        *([_entities(lattice)] if lattice.entities else []),
        _heading("Lattice", readings.LATTICE),
        f'<div class="lattice">{_svg(lattice)}</div>',
        _heading(f"The {n_readings} most probable paths", ""),
        f"<table>{''.join(_paths(lattice))}</table>",
    ]
    summary = f"{n_tokens} tokens; the best path has a probability of {best:.1%}."
    return page(title, summary, sections, _STYLE)


def _heading(text: str, explained: str) -> str:
    return f"<h2>{escape(text)}</h2>\n<p>{escape(explained)}</p>"


def _entities(lattice: Lattice) -> str:
    """The text of the best path, each entity with its label and its probability."""
    parts, done = [], 0
    for entity in lattice.entities:
        parts.append(escape(_text(lattice, done, entity.start)))
        text = _text(lattice, entity.start, entity.end)
        inside, label = text.rstrip(" "), f"{entity.label} {entity.probability:.0%}"
        parts.append(f'<mark class="entity">{escape(inside)}<b>{escape(label)}</b></mark>')
        parts.append(text[len(inside) :])
        done = entity.end
    parts.append(escape(_text(lattice, done, len(lattice.tokens))))
    explained = "With the probability of exactly this entity, whatever the other tokens are."
    return f'{_heading("Entities", explained)}\n<div class="entities">{"".join(parts)}</div>'


def _text(lattice: Lattice, start: int, end: int) -> str:
    pairs = zip(lattice.tokens[start:end], lattice.spaces[start:end], strict=True)
    return "".join(visible(token) + space for token, space in pairs)


def _svg(lattice: Lattice) -> str:
    rows = lattice.considered
    names = [lattice.labels[i] for i in rows]
    left = 16 + _CHARACTER * max(map(len, names))
    widths = [max(_NODE_WIDTH, _CHARACTER * len(visible(t))) + 24 for t in lattice.tokens]
    xs = [left + sum(widths[:i]) + width / 2 for i, width in enumerate(widths)]
    ys = {label: _ROW * (row + 1.5) for row, label in enumerate(rows)}
    size = (left + sum(widths), _ROW * (len(rows) + 1))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}">']
    for x, token in zip(xs, lattice.tokens, strict=True):
        parts.append(_label(x, _ROW * 0.6, visible(token).strip(), "middle"))
    for label, name in zip(rows, names, strict=True):
        parts.append(_label(left - 8, ys[label] + 4, name, "end"))
    nodes = [
        (float(lattice.marginals[t, label]), _node(lattice, t, label, x, y))
        for t, x in enumerate(xs)
        for label, y in ys.items()
    ]
    parts.extend(node for p, node in nodes if p < _BLANK)
    for number in reversed(range(len(lattice.readings))):  # the best one on top
        path = lattice.readings[number].path.tolist()
        points = zip(xs, (ys[label] + _shift(number) for label in path), strict=True)
        style = f'stroke="{_colour(number)}" stroke-width="{2 if number else 5}"'
        dashes = ' stroke-dasharray="6 4"' if number else ""
        parts.append(f'<polyline points="{" ".join(map(_point, points))}" {style}{dashes}/>')
    parts.extend(node for p, node in nodes if p >= _BLANK)
    return "\n".join([*parts, "</svg>"])


def _node(lattice: Lattice, t: int, label: int, x: float, y: float) -> str:
    p = float(lattice.marginals[t, label])
    best = lattice.readings[0].path[t] == label
    outline = f'stroke="{_colour(0)}" stroke-width="2"' if best else 'stroke="#ccc"'
    corner = f'x="{x - _NODE_WIDTH / 2:.0f}" y="{y - _NODE / 2:.0f}"'
    size = f'width="{_NODE_WIDTH}" height="{_NODE}" rx="4"'
    fill = css(blend(BLUE, p) if p >= _BLANK else WHITE)
    hint = escape(f"{visible(lattice.tokens[t])}: {lattice.labels[label]} {p:.4f}")
    number = _label(x, y + 4, f"{100 * p:.0f}", "middle") if p >= _BLANK else ""
    rect = f'<rect {corner} {size} {outline} fill="{fill}"/>'
    return f"<g><title>{hint}</title>{rect}{number}</g>"


def _point(xy: tuple[float, float]) -> str:
    return f"{xy[0]:.0f},{xy[1]:.0f}"


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def _shift(number: int) -> int:
    """How far below the middle of the nodes a path runs, or above it; the best one does not."""
    return 4 * ((number + 1) // 2) * (1 if number % 2 else -1)


def _colour(number: int) -> str:
    return PATH_COLOURS[number % len(PATH_COLOURS)]


def _paths(lattice: Lattice) -> Iterator[str]:
    """Each path where it differs from the best one."""
    best = lattice.readings[0].path
    for number, reading in enumerate(lattice.readings):
        key = f'<span class="path" style="background: {_colour(number)}"></span>'
        pairs = zip(lattice.tokens, reading.path, best, strict=True)
        differs = [
            f"{visible(token)}: {lattice.labels[label]}"
            for token, label, other in pairs
            if label != other
        ]
        text = escape(", ".join(differs) if number else "the best path")
        yield f"<tr><td>{key}</td><td>{reading.probability:.1%}</td><td>{text}</td></tr>"
