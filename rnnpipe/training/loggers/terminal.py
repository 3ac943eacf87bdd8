"""A training run in the terminal: a table of evaluations, and a bar between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from spacy.training.loggers import setup_table
from wasabi.printer import Printer

_SPACING = 2


class Table:
    """Rows under a header, one at a time, as spaCy's own logger prints them.

    columns: each one's name and least width.
    """

    def __init__(self, file: IO[str], columns: Mapping[str, int]) -> None:
        self._file = file
        self._printer = Printer(no_print=True)
        names, self._widths, self._aligns = setup_table(
            cols=list(columns), widths=list(columns.values())
        )
        self.row(names)
        self.row(["-" * width for width in self._widths])

    def row(self, cells: list[str]) -> None:
        text = self._printer.row(cells, widths=self._widths, aligns=self._aligns, spacing=_SPACING)
        print(text, file=self._file, flush=True)


class Bar:
    """The steps of a run and a hint beside them, where there is a terminal to draw on.

    steps: of the whole run; ``None``: nobody knows.
    """

    def __init__(self, file: IO[str], steps: int | None) -> None:
        console = Console(file=file)
        self._progress = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            refresh_per_second=4,
        )
        self._task = self._progress.add_task("", total=steps)

    def move(self, step: int, hint: str) -> None:
        self._progress.start()
        self._progress.update(self._task, completed=step, description=hint)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is written."""
        self._progress.stop()
        yield

    def close(self) -> None:
        self._progress.stop()


def number(value: float | None) -> str:
    """In few places: ``0.04``, ``12.3``, ``12345``; ``-`` for none."""
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def duration(seconds: float | None) -> str:
    """``0:02:10``; ``-`` for none."""
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))
