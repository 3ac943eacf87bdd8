"""The commands, their options and their help.

Every ``spacy`` command loads this module, so it imports nothing heavy: what a command does is
imported when the command runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rnnpipe.errors import RnnpipeError

HELP = (
    "Recurrent networks for spaCy: taggers, entity recognisers, text classifiers, language models."
)

app = typer.Typer(name="rnn", help=HELP, no_args_is_help=True, add_completion=False)

Pipeline = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="Folder of a trained pipeline, or the name of an installed one"
    ),
]
Component = Annotated[
    str | None, typer.Option(help="Name of the component, if the pipeline has several of the kind")
]
Encoding = Annotated[str, typer.Option(help="Encoding of the file")]
TextPath = Annotated[Path, typer.Argument(metavar="FILE", help="A text file")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table")]

WRITING, CHOOSING, ENDING = "What is written", "How a symbol is chosen", "When a text ends"


@contextmanager
def errors_told() -> Iterator[None]:
    """What is wrong with the input is told without a traceback."""
    try:
        yield
    except RnnpipeError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


@app.command("quickstart")
def quickstart_cli(
    output: Annotated[Path, typer.Argument(help="Folder for data and pipeline")] = Path(
        "quickstart"
    ),
    force: Annotated[
        bool, typer.Option("--force", "-F", help="Replace an earlier run's files")
    ] = False,
) -> None:
    """Train a pipeline on a small sample data set, score it and show what it finds.

    The sample is made up for this purpose: entities and categories of requests to an assistant.
    """
    with errors_told():
        from rnnpipe.cli.quickstart import quickstart

        quickstart(output, force)


@app.command("plugins")
def plugins_cli() -> None:
    """List what other packages add to this one, with their errors; fail if there are any."""
    from rnnpipe.cli.plugins import list_plugins

    if not list_plugins():
        raise typer.Exit(1)


@app.command("generate")
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


@app.command("perplexity")
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
    """
    with errors_told():
        from rnnpipe.cli.perplexity import perplexity

        perplexity(model, file, by_line, encoding, component, json)


@app.command("exposure-bias")
def exposure_bias_cli(
    model: Pipeline,
    file: TextPath,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to draw: .png or .svg")
    ] = None,
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
    limit: Annotated[
        int, typer.Option(min=1, help="Read at most so many characters of the file")
    ] = 1_000_000,
    encoding: Encoding = "utf-8",
    component: Component = None,
    json: Json = False,
) -> None:
    """Compare text that a language model writes from its own symbols with real text.

    After prompts from the file, by distance from the prompt: the model's loss on the real text
    (teacher-forced) and on its own (free-running), and the loss of an impartial judge on both,
    n-grams of the rest of the file. A gap that grows with the distance is exposure bias.

    Take a file that the model was not trained on.
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
        exposure_bias(model, file, output, settings, limit, encoding, component, json)


@app.command("loss")
def loss_cli(
    model: Pipeline,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A text file")] = None,
    text: Annotated[str | None, typer.Option(help="A text, instead of a file")] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER:UNIT", help="Also show what this unit does, both counted from 0"
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write: .html")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Read at most so many characters of the file")
    ] = 2_000,
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

        loss(model, file, text, cell, output, limit, encoding, component)


@app.command("attention")
def attention_cli(
    model: Pipeline,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text to look at")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to draw: .png or .svg")],
    component: Component = None,
) -> None:
    """Draw where a network looks.

    Of a sequence-to-sequence model, which symbols of the text counted for each that it writes; of a
    text classifier with an attention pooler, which tokens counted for its category.
    """
    with errors_told():
        from rnnpipe.cli.instruments import attention

        attention(model, text, output, component)
