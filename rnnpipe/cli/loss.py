"""``spacy rnn loss``: see :mod:`rnnpipe.instruments.trace`."""

from __future__ import annotations

from typing import Annotated

import typer

from rnnpipe.cli.options import (
    Component,
    Encoding,
    Force,
    Limit,
    Page,
    Pipeline,
    TextGiven,
    TextTyped,
)


def loss(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER:UNIT",
            help="Unit whose activation is also shown; both numbers count from 0",
        ),
    ] = None,
    output: Page = None,
    force: Force = False,
    limit: Limit = 2_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
) -> None:
    """Colour each character (or word) of a text by its loss under a language model.

    With --cell, also by the activation of one unit: its visible state h and, where the encoder has
    one, its cell state c.

    Try: spacy rnn loss out/model-best --text "To be, or not to be" --cell 0:17 --output loss.html
    """
    from rnnpipe.cli.output import PAGE, printer, require_output, write_text
    from rnnpipe.cli.pictures.trace_html import html_page
    from rnnpipe.cli.pictures.trace_terminal import print_trace
    from rnnpipe.cli.pipelines import language_model_reader
    from rnnpipe.cli.text import given_text, whose
    from rnnpipe.instruments.trace import Cell, trace

    require_output(output, force, PAGE)
    unit = None if cell is None else Cell.parse(cell)
    read = given_text("loss", file, text, encoding=encoding, limit=limit)
    result = trace(language_model_reader(model, component), read, unit)
    print_trace(result, printer())
    if output is not None:
        write_text(html_page(result, f"Loss of {whose(model, file)}"), output)
