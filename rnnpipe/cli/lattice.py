"""``spacy rnn lattice``: see :mod:`rnnpipe.instruments.lattice`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from rnnpipe.cli.output import PAGE, require_output, write_text
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import BLUE, blend, visible
from rnnpipe.cli.pictures.lattice_html import lattice_page
from rnnpipe.cli.pipelines import load_pipeline, token_labeller
from rnnpipe.cli.text import typed
from rnnpipe.instruments.lattice import Lattice
from rnnpipe.instruments.lattice import lattice as read_lattice

#: How many labels of a token are listed, and from which probability on.
_LISTED, _LEAST = 3, 0.005


def lattice(
    model: str,
    text: str,
    output: Path | None,
    force: bool,
    n_best: int,
    component: str | None,
    as_json: bool,
) -> None:
    """Print what a network thinks of each token, and write its lattice as a page.

    Raises SettingsError and CorpusError for what is wrong with pipeline, text or output."""
    require_output(output, force, PAGE)
    typed(text, "TEXT")
    nlp = load_pipeline(model)
    pipe = token_labeller(nlp, component)
    found = read_lattice(nlp, pipe, text, n_best)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)
    if output is not None:
        write_text(lattice_page(found, f"What '{pipe.name}' makes of a text"), output)


def _print(found: Lattice) -> None:
    console = Console(highlight=False)
    table = Table("Token", "Best path", "Probability of each label", box=None)
    best = found.readings[0].path
    for token, label, marginals in zip(found.tokens, best, found.marginals, strict=True):
        likely = [i for i in np.argsort(-marginals).tolist() if marginals[i] >= _LEAST][:_LISTED]
        shown = Text("  ").join(_probability(found.labels[i], marginals[i]) for i in likely)
        table.add_row(Text(visible(token)), Text(found.labels[label]), shown)
    console.print(table)
    for entity in found.entities:
        tokens = " ".join(map(visible, found.tokens[entity.start : entity.end]))
        console.print(Text(f"Entity: {tokens}, {entity.label} {entity.probability:.1%}"))
    shares = ", ".join(f"{reading.probability:.1%}" for reading in found.readings)
    console.print(f"The most probable paths: {shares}")
    console.print(readings.LATTICE)


def _probability(label: str, p: float) -> Text:
    background = Style(color="black", bgcolor=Color.from_rgb(*blend(BLUE, p)))
    return Text(f"{label} {p:.1%}", background)
