"""With a language model: ``generate``, ``perplexity``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rnnpipe.cli.options import (
    Component,
    Encoding,
    Json,
    Pipeline,
    TextPath,
    errors_told,
)

WRITING, CHOOSING, ENDING = "What is written", "How a symbol is chosen", "When a text ends"


def generate_cli(
    model: Pipeline,
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt",
            "-p",
            help="What the text goes on from; '-' reads it from standard input, less one line end",
            rich_help_panel=WRITING,
        ),
    ] = "",
    n_samples: Annotated[
        int,
        typer.Option(help="How many texts; with --beam-size, the best", rich_help_panel=WRITING),
    ] = 1,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            "-t",
            help="0: always the most likely symbol; 1: as the model has it; above: more daring",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help="Only the k most likely symbols", rich_help_panel=CHOOSING)
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            help="Only the most likely, until their probabilities add up to p (nucleus sampling)",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    min_p: Annotated[
        float | None,
        typer.Option(
            help="Only those at least p times as likely as the likeliest", rich_help_panel=CHOOSING
        ),
    ] = None,
    typical: Annotated[
        float | None,
        typer.Option(
            help="Only the least unusual, until their probabilities add up to this",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    repetition_penalty: Annotated[
        float | None,
        typer.Option(
            help="Raise the probability of what was written before to this power (1.2)",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    no_repeat: Annotated[
        int | None,
        typer.Option(help="No n symbols in a row come twice", rich_help_panel=CHOOSING),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", "-s", help="For the same text again", rich_help_panel=CHOOSING),
    ] = None,
    beam_size: Annotated[
        int | None,
        typer.Option(
            help="Search for likely texts with so many at once, instead of drawing",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length", "-n", help="At most so many symbols [500]", rich_help_panel=ENDING
        ),
    ] = None,
    min_length: Annotated[
        int | None, typer.Option(help="At least so many symbols", rich_help_panel=ENDING)
    ] = None,
    stop: Annotated[
        list[str] | None,
        typer.Option(help="A phrase that ends the text; may be repeated", rich_help_panel=ENDING),
    ] = None,
    component: Component = None,
) -> None:
    """Write text with a language model, as it is drawn.

    A symbol is what the model was trained on: a character, a byte, a word. One text comes symbol by
    symbol; Ctrl-C stops it and leaves what is written. Several, and those of a beam search, come
    when all are finished.

    Try: spacy rnn generate out/model-best --prompt "ROMEO:" --temperature 0.8 --top-p 0.95
    """
    settings: dict[str, Any] = {
        "n_samples": n_samples,
        "temperature": temperature,
        "seed": seed,
        "max_length": max_length,
        "min_length": min_length,
        "stop": stop or None,
    }
    filters: dict[str, dict[str, Any]] = {
        "RepetitionPenalty": {"penalty": repetition_penalty},
        "NoRepeat": {"n": no_repeat},
        "TopK": {"k": top_k},
        "TopP": {"p": top_p},
        "MinP": {"p": min_p},
        "Typical": {"p": typical},
    }
    with errors_told():
        from rnnpipe.cli.generate import generate

        generate(model, prompt, component, settings, filters, beam_size)


def perplexity_cli(
    model: Pipeline,
    file: TextPath,
    by_line: Annotated[
        bool,
        typer.Option("--by-line", help="Every line that is not blank is a document of its own"),
    ] = False,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Score a text file with a language model.

    The file is one document, however long: it is read in pieces, and the model's state is carried
    from piece to piece. Prints the cross-entropy in nats per symbol, its exponential, bits per
    character (to compare models of different symbols), and what was counted.

    Try: spacy rnn perplexity out/model-best dev.txt
    """
    with errors_told():
        from rnnpipe.cli.perplexity import perplexity

        perplexity(model, file, by_line, encoding, component, json)
