"""``spacy rnn lattice``: see :mod:`rnnpipe.instruments.lattice`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rnnpipe.cli.options import Component, Force, Json, Page, Pipeline, TextShown
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from rnnpipe.instruments.lattice import Lattice

#: How many labels of a token are listed, and from which probability on.
_LISTED, _LEAST = 3, 0.005


def lattice(
    model: Pipeline,
    text: TextShown,
    output: Page = None,
    force: Force = False,
    n_best: Annotated[int, typer.Option(min=1, help="Number of best paths to show")] = 3,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show the label probabilities of a tagger or entity recogniser for a text.

    Shows the exact probability of every label of every token and of every entity, the best sequence
    of labels and the next best ones.

    Try: spacy rnn lattice out/model-best "Ada met him in New York" --output lattice.html
    """
    from rnnpipe.cli.output import PAGE, print_json, require_output, write_text
    from rnnpipe.cli.pictures.lattice_html import lattice_page
    from rnnpipe.cli.pipelines import load_pipeline, token_labeller
    from rnnpipe.cli.text import typed
    from rnnpipe.instruments.lattice import lattice as read_lattice

    require_output(output, force, PAGE)
    typed(text, "TEXT")
    nlp = load_pipeline(model)
    pipe = token_labeller(nlp, component)
    found = read_lattice(nlp, pipe, text, n_best)
    if json:
        print_json(found.as_json())
    else:
        _print(found)
    if output is not None:
        write_text(lattice_page(found, f"Labels that '{pipe.name}' predicts for a text"), output)


def _print(found: Lattice) -> None:
    import numpy as np
    from rich.table import Table
    from rich.text import Text

    from rnnpipe.cli.output import printer
    from rnnpipe.cli.pictures.appearance import BLUE, blend, on, visible

    out = printer()
    table = Table("Token", "Best path", "Probability of each label", box=None)
    best = found.readings[0].path
    for token, label, marginals in zip(found.tokens, best, found.marginals, strict=True):
        likely = [i for i in np.argsort(-marginals).tolist() if marginals[i] >= _LEAST][:_LISTED]
        shown = Text("  ").join(
            Text(f"{found.labels[i]} {marginals[i]:.1%}", on(blend(BLUE, marginals[i])))
            for i in likely
        )
        table.add_row(visible(token), found.labels[label], shown)
    out.print(table)
    for entity in found.entities:
        tokens = " ".join(map(visible, found.tokens[entity.start : entity.end]))
        out.print(f"Entity: {tokens}, {entity.label} {entity.probability:.1%}")
    shares = ", ".join(f"{reading.probability:.1%}" for reading in found.readings)
    out.print(f"The most probable paths: {shares}")
    out.print(readings.LATTICE)
