"""Before and after training: ``debug-data``, ``bench``, ``curves``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import Force, Json, Picture, errors_told


def debug_data_cli(
    context: typer.Context,
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="What 'spacy train' would be given")
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
    with errors_told():
        from rnnpipe.cli.debug_data import debug_data

        if not debug_data(config, context.args):
            raise typer.Exit(1)


def bench_cli(
    context: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="CONFIG|MODEL", help="A config, or a trained pipeline")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="For a MODEL of texts: a text file, a document a line, or a .spacy file. "
            "For one of images, trees or graphs give its config.cfg instead of it"
        ),
    ] = None,
    words: Annotated[int, typer.Option(min=1, help="Of a round, about")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="How many are timed")] = 5,
    json: Json = False,
) -> None:
    """Measure how fast your pipeline is on this machine: words a second, and memory.

    Of a config, training and prediction on its own corpora; settings are given as to 'spacy train'.
    Of a trained pipeline, prediction and, with a .spacy file, training; nothing is saved. Each
    round has other documents than the rest; the median is shown, and how far they differ.

    Try: spacy rnn bench out/model-best --data dev.spacy, and with OMP_NUM_THREADS=1 before it
    """
    with errors_told():
        from rnnpipe.cli.bench import bench

        bench(target, data, words, rounds, json, context.args)


def curves_cli(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="The file that training.logger.path named")
    ],
    output: Picture = None,
    force: Force = False,
) -> None:
    """Show how a training run went: losses, scores, learn rate, gradient norm.

    The log is that of rnnpipe.Console.v1, or of spacy.ConsoleLogger.v3 (its output_file), which has
    losses and scores. A run that is going on can be looked at.

    Try: spacy rnn curves out/log.jsonl --output curves.png
    """
    with errors_told():
        from rnnpipe.cli.curves import curves

        curves(log, output, force)
