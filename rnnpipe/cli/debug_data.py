"""``spacy rnn debug-data``: what a config's components will learn from, and what is wrong there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def debug_data(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Config for 'spacy train'")],
) -> None:
    """Check the training and development data of a config before training.

    For both corpora: sizes, lengths, unknown words and characters, texts that occur in both. For
    each rnnpipe component: label counts, labels that occur only in dev, baseline accuracies;
    for language models and translators, their symbols. Illegal tag sequences are listed with
    file and line. The exit status is 1 if there is a problem.

    Pass other settings as to 'spacy train'.

    Try: spacy rnn debug-data config.cfg --paths.train train.spacy --paths.dev dev.spacy
    """
    from rnnpipe.cli.data_report import print_report
    from rnnpipe.cli.training_config import read_training_config

    if not print_report(read_training_config(config, context.args)):
        raise typer.Exit(1)
