"""The commands, in the order of their help: what each takes and says of itself.

Every ``spacy`` command loads this package, so it imports nothing heavy: what a command does is
imported when the command runs.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from rnnpipe.cli.commands.images import draw_cli
from rnnpipe.cli.commands.instruments import (
    attention_cli,
    exposure_bias_cli,
    gates_cli,
    lattice_cli,
    loss_cli,
    transitions_cli,
)
from rnnpipe.cli.commands.language_models import generate_cli, perplexity_cli
from rnnpipe.cli.commands.parts import info_cli, list_cli, new_plugin_cli, plugins_cli
from rnnpipe.cli.commands.starting import doctor_cli, init_config_cli, quickstart_cli
from rnnpipe.cli.commands.training import bench_cli, curves_cli, debug_data_cli
from rnnpipe.cli.gradients import gradients
from rnnpipe.cli.options import errors_told

HELP = (
    "Recurrent networks for spaCy: taggers, entity recognisers, text classifiers, language models."
)

#: Each panel of the help: its commands by name.
PANELS: dict[str, dict[str, Callable[..., None]]] = {
    "To begin with": {
        "quickstart": quickstart_cli,
        "init-config": init_config_cli,
        "doctor": doctor_cli,
    },
    "What a config can name": {
        "list": list_cli,
        "info": info_cli,
        "plugins": plugins_cli,
        "new-plugin": new_plugin_cli,
    },
    "Training": {"debug-data": debug_data_cli, "bench": bench_cli, "curves": curves_cli},
    "With a language model": {"generate": generate_cli, "perplexity": perplexity_cli},
    "With a model of images": {"draw": draw_cli},
    "What a network does": {
        "exposure-bias": exposure_bias_cli,
        "loss": loss_cli,
        "attention": attention_cli,
        "gradients": gradients,
        "gates": gates_cli,
        "transitions": transitions_cli,
        "lattice": lattice_cli,
    },
}

#: These take settings of the config besides, as ``spacy train`` does.
OVERRIDING = ("debug-data", "bench")

app = typer.Typer(name="rnn", help=HELP, no_args_is_help=True, add_completion=False)
for _panel, _commands in PANELS.items():
    for _name, _command in _commands.items():
        _open = _name in OVERRIDING
        _settings = {"allow_extra_args": _open, "ignore_unknown_options": _open}
        app.command(_name, rich_help_panel=_panel, context_settings=_settings)(
            errors_told()(_command)
        )
