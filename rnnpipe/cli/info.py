"""``spacy rnn info``: all there is to know of what a config can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from rnnpipe.cli.parts import Part


def info(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name as in a config, or its middle part (LSTM)")
    ],
) -> None:
    """Describe a part: its equation and paper, its settings, its block in a config.

    Try: spacy rnn info rnnpipe.LSTM.v1, spacy rnn info rnn_ner
    """
    from rnnpipe.cli.output import printer
    from rnnpipe.cli.parts import find_parts

    out = printer(soft_wrap=True)
    parts = find_parts(name)
    for part in parts:
        if part is not parts[0]:
            out.rule()
        _show(part, out)


def _show(part: Part, out: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    out.print(Text.assemble((part.name, "bold"), f", from {part.origin}\n"))
    if part.error:
        out.print(Text.assemble(("This part cannot be used.", "red"), f" {part.error}"))
        return
    out.print(part.text)
    if part.settings:
        table = Table("Setting", "Allowed values", "Default", box=None, header_style="bold")
        for setting in part.settings:
            default = "(required)" if setting.default is None else setting.default
            table.add_row(setting.name, setting.kind, default)
        out.print()
        out.print(table, soft_wrap=False)
    out.print("\nIn a config\n", style="bold")
    out.print(part.example)
