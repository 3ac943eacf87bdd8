"""``spacy rnn init-config``: a config that trains, out of a shipped one and some choices."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import Force
from rnnpipe.cli.tasks import TASKS

_part = partial(typer.Option, rich_help_panel="Network")
_run = partial(typer.Option, rich_help_panel="Data and hardware")
_NAME = "Name as in a config, or its middle part (BiGRU)"


def init_config(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Task: " + ", ".join(TASKS))],
    output: Annotated[
        Path | None, typer.Argument(help="Output file; by default, the config is printed")
    ] = None,
    embedding: Annotated[str | None, _part(help=_NAME)] = None,
    encoder: Annotated[str | None, _part(help=_NAME)] = None,
    pooler: Annotated[
        str | None, _part(help="Name of the pooler, for a task with categories")
    ] = None,
    decoder: Annotated[
        str | None, _part(help="Name of the decoder, which labels or generates")
    ] = None,
    size: Annotated[
        str,
        _part(
            help="Size: small (half the widths), medium (as measured) or large (double the widths)"
        ),
    ] = "medium",
    lang: Annotated[str | None, _run(help="Language code, such as de")] = None,
    data: Annotated[
        str | None,
        _run(help="Data format: spacy, or text for the task's own reader"),
    ] = None,
    vectors: Annotated[
        str | None, _run(help="Folder or package of a pipeline with word vectors")
    ] = None,
    gpu: Annotated[bool, _run("--gpu", help="Settings for a GPU")] = False,
    force: Force = False,
) -> None:
    """Write a complete, commented training config.

    The config is one of the measured configs of the package, changed by your options. The command
    checks that the parts fit each other. Comments describe each part and list its other
    settings.

    Try: spacy rnn init-config ner config.cfg --encoder BiGRU --size small --lang de
    """
    from rnnpipe.cli.config_check import check_config
    from rnnpipe.cli.config_choices import Choices, config_for
    from rnnpipe.cli.files import require_new
    from rnnpipe.cli.output import write_text

    if output is not None:
        require_new(output, force)
    named = {"embedding": embedding, "encoder": encoder, "pooler": pooler, "decoder": decoder}
    choices = Choices(
        task=task,
        lang=lang,
        parts={part: name for part, name in named.items() if name is not None},
        size=size,
        gpu=gpu,
        vectors=vectors,
        data=data,
    )
    text = config_for(choices, "config.cfg" if output is None else str(output))
    check_config(text)
    if output is None:
        print(text, end="")
    else:
        write_text(text, output)
