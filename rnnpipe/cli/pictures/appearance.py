"""How pieces of text and their numbers look: colours that black text can be read on."""

from __future__ import annotations

import math

import numpy as np
from rich.color import Color
from rich.style import Style

#: Red, green and blue, 0 to 255.
Colour = tuple[int, int, int]

WHITE, RED, BLUE = (255, 255, 255), (240, 80, 60), (90, 140, 245)


def blend(colour: Colour, strength: float) -> Colour:
    """White at 0, the colour at 1 and beyond."""
    share = 0.0 if math.isnan(strength) else min(1.0, max(0.0, strength))
    red, green, blue = (round(w + share * (c - w)) for w, c in zip(WHITE, colour, strict=True))
    return red, green, blue


def loss_colours(nats: np.ndarray, worst: float) -> list[Colour]:
    """White where nothing is lost, red at ``worst`` nats and beyond."""
    return [blend(RED, value / worst) for value in nats.tolist()]


def activation_colours(values: np.ndarray) -> list[Colour]:
    """Blue at -1, white at 0, red at 1. Values beyond, as cell states have, are first squashed by
    tanh, as their layer does with them on the way out."""
    squashed = np.tanh(values) if is_squashed(values) else values
    return [blend(RED if value > 0 else BLUE, abs(value)) for value in squashed.tolist()]


def is_squashed(values: np.ndarray) -> bool:
    return bool((np.abs(values) > 1.0).any())


def css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def on(colour: Colour) -> Style:
    """Return black on a colour, for the terminal."""
    return Style(color="black", bgcolor=Color.from_rgb(*colour))


def visible(piece: str) -> str:
    """A piece of text with what does not print, or would steer a terminal, spelt out."""
    return "".join(c if c.isprintable() else _SPELT.get(c, repr(c)[1:-1]) for c in piece)


_SPELT = {"\n": "↵\n", "\t": "⇥\t"}

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: np.ndarray) -> str:
    """A line of blocks, the lowest for the least value; a space for one that is not finite."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((value - low) * scale)] if math.isfinite(value) else " "
        for value in values.tolist()
    )
