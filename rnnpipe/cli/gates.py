"""``spacy rnn gates``: see :mod:`rnnpipe.instruments.gates`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rnnpipe.cli.output import PICTURE, require_output, say_written
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.appearance import sparkline
from rnnpipe.cli.pictures.gate_picture import draw_gates
from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
from rnnpipe.cli.text import given_text, whose
from rnnpipe.instruments.encoders import encoder_on_text
from rnnpipe.instruments.gates import LEFT, RIGHT, GateUse, gate_uses


def gates(
    model: str,
    path: Path | None,
    text: str | None,
    output: Path | None,
    force: bool,
    limit: int,
    encoding: str,
    component: str | None,
    as_json: bool,
) -> None:
    """Print and draw how far gates are open over a text.

    Raises SettingsError and CorpusError for what is wrong with pipeline, text or output."""
    require_output(output, force, PICTURE)
    read = given_text("gates", path, text, encoding, limit)
    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    encoder, inputs = encoder_on_text(nlp, pipe, read)
    uses = gate_uses(encoder, inputs, f"components.{pipe.name}.model.encoder")
    if as_json:
        print(json.dumps({"gates": [use.as_json() for use in uses]}, indent=2))
    else:
        _print(uses, len(inputs))
    if output is not None:
        draw_gates(uses, output, f"Gates of {whose(model, path)}")
        say_written(output)


def _print(uses: Sequence[GateUse], nodes: int) -> None:
    console = Console(highlight=False)
    in_blocks = console.encoding.startswith("utf")
    table = Table("Layer", "Gate", "Units", "Mean", f"< {LEFT}", f"> {RIGHT}", box=None)
    if in_blocks:
        table.add_column("0 to 1", no_wrap=True)
    for use in uses:
        shares = (f"{share.mean():.0%}" for share in (use.left, use.right))
        row = [use.layer, use.gate, str(len(use.left)), f"{use.mean:.2f}", *shares]
        table.add_row(*row, *([sparkline(use.histogram, low=0.0)] if in_blocks else []))
    console.print(f"Values of the gates over {nodes} nodes, of all units together:")
    console.print(table)
    console.print(readings.GATES)
