"""``spacy rnn ...`` and ``python -m rnnpipe ...``: the commands, in the order of their help.

Each command is a function in the module of its name. Every ``spacy`` command loads them all, so
these modules import nothing heavy: what a command does is imported when it runs.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from rnnpipe.cli import (
    attention,
    bench,
    curves,
    debug_data,
    doctor,
    draw,
    exposure_bias,
    gates,
    generate,
    gradients,
    info,
    init_config,
    lattice,
    list,
    loss,
    new_plugin,
    perplexity,
    plugins,
    quickstart,
    transitions,
)
from rnnpipe.cli.options import errors_told

__all__ = ["HELP", "app"]

HELP = (
    "Recurrent networks for spaCy: taggers, entity recognisers, text classifiers, language models."
)

#: Each panel of the help: its commands by name.
PANELS: dict[str, dict[str, Callable[..., None]]] = {
    "Getting started": {
        "quickstart": quickstart.quickstart,
        "init-config": init_config.init_config,
        "doctor": doctor.doctor,
    },
    "Parts for configs": {
        "list": list.list_parts,
        "info": info.info,
        "plugins": plugins.list_plugins,
        "new-plugin": new_plugin.new_plugin,
    },
    "Training": {
        "debug-data": debug_data.debug_data,
        "bench": bench.bench,
        "curves": curves.curves,
    },
    "Language models": {
        "generate": generate.generate,
        "perplexity": perplexity.perplexity,
    },
    "Image models": {"draw": draw.draw},
    "Inspecting networks": {
        "exposure-bias": exposure_bias.exposure_bias,
        "loss": loss.loss,
        "attention": attention.attention,
        "gradients": gradients.gradients,
        "gates": gates.gates,
        "transitions": transitions.transitions,
        "lattice": lattice.lattice,
    },
}

#: These take settings of the config besides, as ``spacy train`` does.
OVERRIDING = ("debug-data", "bench")

app = typer.Typer(name="rnn", help=HELP, no_args_is_help=True, add_completion=False)
for _panel, _commands in PANELS.items():
    for _name, _command in _commands.items():
        _open = _name in OVERRIDING
        _settings = {"allow_extra_args": _open, "ignore_unknown_options": _open}
        _register = app.command(_name, rich_help_panel=_panel, context_settings=_settings)
        _register(errors_told()(_command))
