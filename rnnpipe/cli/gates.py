"""``spacy rnn gates``: see :mod:`rnnpipe.instruments.gates`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnpipe.cli.options import (
    Component,
    Encoding,
    Force,
    Json,
    Limit,
    Picture,
    Pipeline,
    TextGiven,
    TextTyped,
)
from rnnpipe.cli.pictures import readings

if TYPE_CHECKING:
    from rnnpipe.instruments.gates import GateUse


def gates(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    output: Picture = None,
    force: Force = False,
    limit: Limit = 10_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Show how open the gates of recurrent layers are over a text.

    For each unit, the share of characters (tokens) at which a gate is saturated, that is below 0.1
    or above 0.9 (Karpathy et al. 2015); and the distribution of the values of each gate.

    Try: spacy rnn gates out/model-best dev.txt --output gates.png
    """
    from rnnpipe.cli.output import PICTURE, print_json, require_output, say_written
    from rnnpipe.cli.pictures.gate_picture import draw_gates
    from rnnpipe.cli.pipelines import load_pipeline, pipe_with_encoder
    from rnnpipe.cli.text import given_text, whose
    from rnnpipe.instruments.encoders import encoder_on_text
    from rnnpipe.instruments.gates import gate_uses

    require_output(output, force, PICTURE)
    read = given_text("gates", file, text, encoding=encoding, limit=limit)
    nlp = load_pipeline(model)
    pipe = pipe_with_encoder(nlp, component)
    encoder, inputs = encoder_on_text(nlp, pipe, read)
    uses = gate_uses(encoder, inputs, f"components.{pipe.name}.model.encoder")
    if json:
        print_json({"gates": [use.as_json() for use in uses]})
    else:
        _print(uses, len(inputs))
    if output is not None:
        draw_gates(uses, output, f"Gates of {whose(model, file)}")
        say_written(output)


def _print(uses: Sequence[GateUse], nodes: int) -> None:
    from rich.table import Table

    from rnnpipe.cli.output import printer
    from rnnpipe.cli.pictures.appearance import sparkline
    from rnnpipe.instruments.gates import LEFT, RIGHT

    console = printer()
    in_blocks = console.encoding.startswith("utf")
    table = Table("Layer", "Gate", "Units", "Mean", f"< {LEFT}", f"> {RIGHT}", box=None)
    if in_blocks:
        table.add_column("0 to 1", no_wrap=True)
    for use in uses:
        shares = (f"{share.mean():.0%}" for share in (use.left, use.right))
        row = [use.layer, use.gate, str(len(use.left)), f"{use.mean:.2f}", *shares]
        table.add_row(*row, *([sparkline(use.histogram, low=0.0)] if in_blocks else []))
    console.print(f"Gate values of all units, over {nodes} nodes:")
    console.print(table)
    console.print(readings.GATES)
