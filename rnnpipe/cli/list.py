"""``spacy rnn list``: what a config can name."""

from __future__ import annotations

from typing import Annotated

import typer


def list_parts(
    registry: Annotated[
        str | None,
        typer.Argument(metavar="[REGISTRY]", help="Registry to list, with one sentence per part"),
    ] = None,
) -> None:
    """List all parts that a config can name, from this package and from plugins.

    Try: spacy rnn list encoders
    """
    from rich.columns import Columns
    from rich.table import Column, Table
    from rich.text import Text

    from rnnpipe.cli.output import printer
    from rnnpipe.cli.parts import FACTORIES, find_registry, parts_of, registries
    from rnnpipe.contracts.distributions import OURS

    out = printer()
    if registry is not None:
        name = Column("Name", no_wrap=True)  # to be copied
        table = Table(name, "From", "Description", box=None, header_style="bold")
        for part in parts_of(find_registry(registry)):
            broken = Text.assemble(("broken:", "red"), f" {part.error}") if part.error else None
            table.add_row(part.name, part.origin, broken or part.summary)
        out.print(table)
        return
    for key in registries():
        parts = parts_of(key)
        if parts:
            out.print("factory" if key == FACTORIES else f"@{key}", style="bold")
            others = (f" ({p.distribution})" if p.distribution != OURS else "" for p in parts)
            names = (f"{part.name}{other}" for part, other in zip(parts, others, strict=True))
            out.print(Columns(names, padding=(0, 2)))
            out.print()
    out.print(
        "'spacy rnn list REGISTRY' describes each part, 'spacy rnn info NAME' one part in full."
    )
