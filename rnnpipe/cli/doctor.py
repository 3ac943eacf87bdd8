"""``spacy rnn doctor``: whether this machine is in order for the package, and what to do if not."""

from __future__ import annotations

import typer

_COLOURS = {"ok": "green", "advice": "yellow", "problem": "red"}


def doctor() -> None:
    """Check the installation: versions, extras, threads, GPU, plugins.

    Each line says what to do, if anything. The exit status is 1 if there is a problem.
    """
    from rich.table import Table
    from rich.text import Text

    from rnnpipe.cli.machine import look
    from rnnpipe.cli.output import printer

    findings = look()
    table = Table("", "What", "Found", "What to do", box=None, header_style="bold")
    for f in findings:
        table.add_row(Text(f.state, _COLOURS[f.state]), f.what, f.found, f.do)
    out = printer()
    out.print(table)
    problems = sum(f.state == "problem" for f in findings)
    if problems:
        out.print(f"\n{problems} problem{'s' if problems > 1 else ''} found", style="red")
        raise typer.Exit(1)
