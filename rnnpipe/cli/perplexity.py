"""``spacy rnn perplexity``: how well a language model predicts a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from rnnpipe.cli.pipelines import language_model_reader
from rnnpipe.cli.text import filled_lines, open_text
from rnnpipe.instruments.perplexity import (
    Perplexity,
    perplexity_of_documents,
    perplexity_of_text,
)
from rnnpipe.training.corpora.text_file import TextFile


def perplexity(
    model: str, path: Path, by_line: bool, encoding: str, component: str | None, as_json: bool
) -> None:
    """Print the scores of a file, as one document or, by line, as many.

    Raises SettingsError and CorpusError as the functions of :mod:`~.pipelines` and :mod:`~.text`.
    """
    reader = language_model_reader(model, component)
    if by_line:
        result = perplexity_of_documents(reader, filled_lines(path, encoding))
    else:
        file = open_text(path, encoding)
        with _progress() as progress:
            task = progress.add_task(path.name, total=file.length)
            result = perplexity_of_text(reader, _watched(file, progress, task))
    if as_json:
        print(json.dumps(result.as_json(), indent=2))
    else:
        Console().print(_table(result))


def _progress() -> Progress:
    """On standard error, and gone when the work is done."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _watched(file: TextFile, progress: Progress, task: TaskID) -> Iterator[str]:
    for block in file.read(0, file.length):
        yield block
        progress.advance(task, len(block))


def _table(result: Perplexity) -> Table:
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
