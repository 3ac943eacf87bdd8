"""``spacy rnn perplexity``: how well a language model predicts a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from rnnpipe.cli.options import Component, Encoding, Json, Pipeline, TextPath

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from rnnpipe.instruments.perplexity import Perplexity
    from rnnpipe.training.corpora.text_file import TextFile


def perplexity(
    model: Pipeline,
    file: TextPath,
    by_line: Annotated[
        bool,
        typer.Option("--by-line", help="Treat each non-blank line as a document"),
    ] = False,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Score a text file with a language model.

    The file is one document of any length: it is read in pieces, and the model's state is carried
    from piece to piece. Prints the cross-entropy in nats per symbol, its exponential, bits per
    character (to compare models with different symbols) and the counts.

    Try: spacy rnn perplexity out/model-best dev.txt
    """
    from rnnpipe.cli.output import print_json, printer
    from rnnpipe.cli.pipelines import language_model_reader
    from rnnpipe.cli.text import filled_lines, open_text
    from rnnpipe.instruments.perplexity import perplexity_of_documents, perplexity_of_text

    reader = language_model_reader(model, component)
    if by_line:
        result = perplexity_of_documents(reader, filled_lines(file, encoding))
    else:
        read = open_text(file, encoding)
        with _progress() as progress:
            task = progress.add_task(file.name, total=read.length)
            result = perplexity_of_text(reader, _watched(read, progress, task))
    if json:
        print_json(result.as_json())
    else:
        printer().print(_table(result))


def _progress() -> Progress:
    """On standard error, and gone when the work is done."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from rnnpipe.cli.output import printer

    console, name = printer(stderr=True), TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), TaskProgressColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _watched(file: TextFile, progress: Progress, task: TaskID) -> Iterator[str]:
    for block in file.read(0, file.length):
        yield block
        progress.advance(task, len(block))


def _table(result: Perplexity) -> Table:
    from rich.table import Table

    table = Table(show_header=False, box=None)
    rows = [
        ("Cross-entropy", f"{result.cross_entropy:.4f}", "nats per symbol"),
        ("Perplexity", f"{result.perplexity:.4f}", "per symbol"),
        ("Bits per character", f"{result.bits_per_character:.4f}", "bits per character"),
        ("Symbols", f"{result.symbols}", "predicted, end symbols included"),
        ("Characters", f"{result.characters}", ""),
        ("Documents", f"{result.documents}", ""),
        ("Unknown", f"{result.unknown_share:.2%}", f"{result.unknown} symbols"),
    ]
    for row in rows:
        table.add_row(*row)
    return table
