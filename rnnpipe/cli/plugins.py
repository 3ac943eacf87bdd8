"""``spacy rnn plugins``: what other packages add, and why it may not work."""

from __future__ import annotations

from wasabi import msg

from rnnpipe.contracts.registry import installed_plugins


def list_plugins() -> bool:
    """Print every encoder, embedding, pooler and decoder of other packages, with the error of each
    that cannot be used. Returns whether all of them can."""
    plugins = installed_plugins()
    if not plugins:
        msg.info("No plugins are installed: everything a config can name comes from rnnpipe")
        return True
    rows = [
        (p.name, p.registry, f"{p.distribution} {p.version}", "broken" if p.error else "works")
        for p in plugins
    ]
    msg.table(rows, header=("Name", "Registry", "From", "State"), divider=True)
    errors = [p.error for p in plugins if p.error]
    for error in errors:
        msg.fail(error)
    return not errors
