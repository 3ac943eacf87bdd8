"""To begin with: ``quickstart``, ``init-config``, ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import Force, errors_told


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


_PARTS, _RUN = "What the network is made of", "What it runs on"
_NAME = "as in a config, or its middle (BiGRU)"


def init_config_cli(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="ner, tagger, pos, textcat, textcat_multilabel, relations, treecat, treeparser, "
            "lm, word_lm, seq2seq, translate, image_textcat, captions or image_model",
        ),
    ],
    output: Annotated[
        Path | None, typer.Argument(help="File to write; without it the config is printed")
    ] = None,
    embedding: Annotated[
        str | None, typer.Option(help=f"Its name, {_NAME}", rich_help_panel=_PARTS)
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help=f"Its name, {_NAME}", rich_help_panel=_PARTS)
    ] = None,
    pooler: Annotated[
        str | None, typer.Option(help="Of a task with categories", rich_help_panel=_PARTS)
    ] = None,
    decoder: Annotated[
        str | None, typer.Option(help="What labels, or what writes", rich_help_panel=_PARTS)
    ] = None,
    size: Annotated[
        str,
        typer.Option(
            help="small, medium (what was measured) or large: widths are halved or doubled",
            rich_help_panel=_PARTS,
        ),
    ] = "medium",
    lang: Annotated[
        str | None, typer.Option(help="The language's code, such as de", rich_help_panel=_RUN)
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="spacy: files in spaCy's format; text: such as the task's own reader reads",
            rich_help_panel=_RUN,
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(help="Folder or package of word vectors", rich_help_panel=_RUN),
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="For a GPU", rich_help_panel=_RUN)] = False,
    force: Force = False,
) -> None:
    """Make a complete, commented config that trains.

    It is one of those that come with the package, and that were measured, with your choices in it.
    Whether they fit each other is seen at once. Each part that is named comes with what it is and
    what else could be set.

    Try: spacy rnn init-config ner config.cfg --encoder BiGRU --size small --lang de
    """
    named = {"embedding": embedding, "encoder": encoder, "pooler": pooler, "decoder": decoder}
    with errors_told():
        from rnnpipe.cli.init_config import Choices, init_config

        parts = {part: name for part, name in named.items() if name is not None}
        choices = Choices(task, lang, parts, size, gpu, vectors, data)
        init_config(choices, output, force)


def doctor_cli() -> None:
    """Look whether this machine is in order: versions, extras, threads, GPU, plugins.

    Each line says what to do, if anything. The exit status is 1 if something does not work.
    """
    from rnnpipe.cli.doctor import doctor

    if not doctor():
        raise typer.Exit(1)
