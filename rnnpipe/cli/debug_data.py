"""``spacy rnn debug-data``: what a config's components will learn from, and what is wrong there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def debug_data(
    context: typer.Context,
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Config that 'spacy train' would be given")
    ],
) -> None:
    """Look at the data that a config's components will learn from, before they do.

    For both corpora: sizes, lengths, unknown words and characters, texts that both have. For each
    component of ours: how often each label occurs, labels that only dev has, what is right by
    chance; for language models and translators their symbols. Tag sequences that the scheme does
    not allow are listed with file and line. The exit status is 1 if something is wrong.

    Other settings are given as to 'spacy train'.

    Try: spacy rnn debug-data config.cfg --paths.train train.spacy --paths.dev dev.spacy
    """
    from rnnpipe.cli.data_report import print_report
    from rnnpipe.cli.training_config import read_training_config

    if not print_report(read_training_config(config, context.args)):
        raise typer.Exit(1)
