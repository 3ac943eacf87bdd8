"""``spacy rnn list`` and ``spacy rnn info``: what a config can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from rnnpipe.cli.parts import (
    FACTORIES,
    Part,
    find_parts,
    find_registry,
    parts_of,
    registries,
)
from rnnpipe.contracts.distributions import OURS


def list_parts(registry: str | None) -> None:
    """Print every name by registry; with one given, what each is, too.

    Raises SettingsError if there is no such registry."""
    console = Console(highlight=False)
    if registry is not None:
        console.print(_described(parts_of(find_registry(registry))))
        return
    for key in registries():
        parts = parts_of(key)
        if parts:
            console.print(f"[bold]{'factory' if key == FACTORIES else '@' + key}[/bold]")
            console.print(Columns(map(_named, parts), padding=(0, 2)))
            console.print()
    console.print("'spacy rnn list REGISTRY' says what each is, 'spacy rnn info NAME' all of one.")


def _named(part: Part) -> str:
    return part.name if part.distribution == OURS else f"{part.name} ({part.distribution})"


def _described(parts: Iterable[Part]) -> Table:
    name = Column("Name", no_wrap=True)  # to be copied
    table = Table(name, "From", "What it is", box=None, header_style="bold")
    for part in parts:
        what = f"[red]broken:[/red] {escape(part.error)}" if part.error else None
        table.add_row(part.name, _origin(part), what or escape(part.summary))
    return table


def show_part(name: str) -> None:
    """Print all there is to know of what has this name, in every registry that has it.

    Raises UnknownComponentError if there is none, PluginError if it cannot be used."""
    console = Console(highlight=False, soft_wrap=True)
    parts = find_parts(name)
    for part in parts:
        if part is not parts[0]:
            console.rule()
        _show(part, console.print)


def _show(part: Part, show: Callable[..., None]) -> None:
    show(f"[bold]{part.name}[/bold], from {_origin(part)}\n")
    if part.error:
        show(f"[red]It cannot be used.[/red] {escape(part.error)}")
        return
    show(part.text, markup=False)
    if part.settings:
        table = Table("Setting", "What it may be", "Default", box=None, header_style="bold")
        for setting in part.settings:
            default = "(must be set)" if setting.default is None else setting.default
            table.add_row(setting.name, escape(setting.kind), escape(default))
        show()
        show(table, soft_wrap=False)
    show("\n[bold]In a config[/bold]\n")
    show(part.example, markup=False)


def _origin(part: Part) -> str:
    return f"{part.distribution} {part.version}"
