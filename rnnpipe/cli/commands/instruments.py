"""What a network does: ``exposure-bias`` and all that follow it in the help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.commands.options import (
    Component,
    Encoding,
    Force,
    Json,
    Limit,
    Page,
    Picture,
    Pipeline,
    TextGiven,
    TextPath,
    TextShown,
    TextTyped,
    errors_told,
)


def exposure_bias_cli(
    model: Pipeline,
    file: TextPath,
    output: Picture = None,
    force: Force = False,
    prompts: Annotated[int, typer.Option(min=2, help="Places of the file to continue")] = 100,
    prompt_length: Annotated[
        int, typer.Option(min=1, help="Symbols of real text before each")
    ] = 100,
    length: Annotated[int, typer.Option(min=1, help="Symbols of a continuation")] = 200,
    ranges: Annotated[
        int, typer.Option(min=1, help="Points of the curves, each over a range of distances")
    ] = 20,
    order: Annotated[int, typer.Option(min=1, help="n of the n-grams that judge")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="For the same texts again")] = 0,
    limit: Limit = 1_000_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Compare text that a language model writes from its own symbols with real text.

    After prompts from the file, by distance from the prompt: the model's loss on the real text
    (teacher-forced) and on its own (free-running), and the loss of an impartial judge on both,
    n-grams of the rest of the file. A gap that grows with the distance is exposure bias.

    Take a file that the model was not trained on.

    Try: spacy rnn exposure-bias out/model-best dev.txt --prompts 20 --output gap.png
    """
    with errors_told():
        from rnnpipe.cli.instruments import exposure_bias

        settings = {
            "prompts": prompts,
            "prompt_length": prompt_length,
            "length": length,
            "ranges": ranges,
            "order": order,
            "seed": seed,
        }
        exposure_bias(model, file, output, force, settings, limit, encoding, component, json)


def loss_cli(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER:UNIT", help="Also show what this unit does, both counted from 0"
        ),
    ] = None,
    output: Page = None,
    force: Force = False,
    limit: Limit = 2_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
) -> None:
    """Colour each character (or word) of a text by how much it surprises a language model.

    With --cell, also by the activation of one unit: its visible state h and, where the encoder has
    one, its cell state c.

    Try: spacy rnn loss out/model-best --text "To be, or not to be" --cell 0:17 --output loss.html
    """
    with errors_told():
        from rnnpipe.cli.instruments import loss

        loss(model, file, text, cell, output, force, limit, encoding, component)


def attention_cli(
    model: Pipeline,
    text: TextShown,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture to draw, .png or .svg, or page: .html"),
    ] = None,
    force: Force = False,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show where a network looks.

    Of a sequence-to-sequence model, which symbols of the text counted for each that it writes; of a
    text classifier with an attention pooler, which tokens counted for its category.

    Try: spacy rnn attention out/model-best "play some jazz" --output heat.html
    """
    with errors_told():
        from rnnpipe.cli.instruments import attention

        attention(model, text, output, force, component, json)


def gradients_cli(
    model: Pipeline,
    file: TextGiven = None,
    text: TextTyped = None,
    encoders: Annotated[
        str,
        typer.Option(
            metavar="NAME[:SETTING=VALUE],...",
            help="Untrained encoders of the same width to compare with, by their registered names",
        ),
    ] = "RNN:recurrent_init=uniform,RNN,GRU:update_bias=4,LSTM:forget_bias=4",
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL[:COMPONENT]",
            help="Another trained pipeline to compare with. May be given several times",
        ),
    ] = None,
    output: Picture = None,
    force: Force = False,
    lags: Annotated[int, typer.Option(min=2, help="The longest time lag, in steps")] = 50,
    places: Annotated[int, typer.Option(min=1, help="Places of the text to measure at")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Of directions and untrained weights")] = 0,
    limit: Limit = 100_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Measure how much of a gradient arrives from how far back: whether it vanishes or explodes.

    On your own text: the norm of the gradient by time lag, of trained encoders and of untrained
    ones, with the largest singular value of their recurrent matrices (Pascanu et al. 2013).

    Try: spacy rnn gradients lstm/model-best dev.txt --compare gru/model-best --output gradients.png
    """
    with errors_told():
        from rnnpipe.cli.gradients import gradients

        gradients(
            model,
            file,
            text,
            encoders,
            compare or [],
            output,
            force,
            lags,
            places,
            seed,
            limit,
            encoding,
            component,
            json,
        )


def gates_cli(
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
    """Show how far the gates of recurrent layers are open over a text.

    For each unit, at what share of the characters (tokens) a gate is saturated: below 0.1, or above
    0.9 (Karpathy et al. 2015); and how the values of each gate are spread.

    Try: spacy rnn gates out/model-best dev.txt --output gates.png
    """
    with errors_told():
        from rnnpipe.cli.gates import gates

        gates(model, file, text, output, force, limit, encoding, component, json)


def transitions_cli(
    model: Pipeline,
    output: Picture = None,
    force: Force = False,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show the transition scores of a CRF: which label may, and tends to, follow which.

    With those from the start of a document and to its end; what the tag scheme forbids is marked.

    Try: spacy rnn transitions out/model-best --output transitions.png
    """
    with errors_told():
        from rnnpipe.cli.transitions import transitions

        transitions(model, output, force, component, json)


def lattice_cli(
    model: Pipeline,
    text: TextShown,
    output: Page = None,
    force: Force = False,
    n_best: Annotated[int, typer.Option(min=1, help="How many of the best paths to show")] = 3,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show how a tagger or entity recogniser comes to the labels of a text.

    The probability of every label of every token and of every entity, the best sequence of labels
    and the next best ones: all exact.

    Try: spacy rnn lattice out/model-best "Ada met him in New York" --output lattice.html
    """
    with errors_told():
        from rnnpipe.cli.lattice import lattice

        lattice(model, text, output, force, n_best, component, json)
