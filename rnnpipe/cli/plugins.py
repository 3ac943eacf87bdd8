"""``spacy rnn plugins``: what other packages add, and why it may not work."""

from __future__ import annotations

import typer


def list_plugins() -> None:
    """List the installed plugins and their errors. The exit status is 1 if there are errors."""
    from wasabi import msg

    from rnnpipe.contracts.registry import installed_plugins

    plugins = installed_plugins()
    if not plugins:
        msg.info("No plugins are installed: all parts come from rnnpipe")
        return
    rows = [
        (p.name, p.registry, f"{p.distribution} {p.version}", "broken" if p.error else "works")
        for p in plugins
    ]
    msg.table(rows, header=("Name", "Registry", "From", "State"), divider=True)
    errors = [p.error for p in plugins if p.error]
    for error in errors:
        msg.fail(error)
    if errors:
        raise typer.Exit(1)
