"""How pieces of text and their numbers look: colours that black text can be read on."""

from __future__ import annotations

import math

import numpy as np
from rich.color import Color
from rich.style import Style

#: Red, green and blue, 0 to 255.
Colour = tuple[int, int, int]

#: Where colours are full: of shares, in even shares; of scores, in nats.
MOST_TIMES, FULL_NATS = 10.0, 3.0

WHITE, RED, BLUE = (255, 255, 255), (240, 80, 60), (90, 140, 245)
PALE_BLUE = (205, 221, 252)


def blend(colour: Colour, strength: float) -> Colour:
    """White at 0, the colour at 1 and beyond."""
    share = 0.0 if math.isnan(strength) else min(1.0, max(0.0, strength))
    red, green, blue = (round(w + share * (c - w)) for w, c in zip(WHITE, colour, strict=True))
    return red, green, blue


def loss_colours(nats: np.ndarray, worst: float) -> list[Colour]:
    """White where nothing is lost, red at ``worst`` nats and beyond."""
    return [blend(RED, value / worst) for value in nats.tolist()]


def share_colours(shares: np.ndarray) -> list[Colour]:
    """White at 1/n for n shares, red at ten times that and beyond, pale blue at a tenth of it."""
    strengths = (np.log(times_even(shares)) / math.log(MOST_TIMES)).tolist()
    return [blend(RED, x) if x > 0 else blend(PALE_BLUE, -x) for x in strengths]


def times_even(shares: np.ndarray) -> np.ndarray:
    """How many times 1/n each of n shares is, from a tenth to ten: the same scale for all texts,
    so that noise is pale. The shares are those of the last axis."""
    times: np.ndarray = np.clip(shares * shares.shape[-1], 1 / MOST_TIMES, MOST_TIMES)
    return times


def score_colour(nats: float) -> Colour:
    """White at 0, red at :data:`FULL_NATS` and beyond, blue below 0."""
    return blend(RED if nats > 0 else BLUE, abs(nats) / FULL_NATS)


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


def sparkline(values: np.ndarray, low: float | None = None) -> str:
    """A line of blocks, the lowest for ``low`` (``None``: for the least value), the highest for
    the largest value; a space for one that is not finite."""
    finite = values[np.isfinite(values)]
    least, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    low = least if low is None else low
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((value - low) * scale)] if math.isfinite(value) else " "
        for value in values.tolist()
    )
