"""``spacy rnn bench``: how fast a pipeline is, on this machine and on one's own data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnpipe.cli.options import Json
from rnnpipe.errors import CorpusError, expected

if TYPE_CHECKING:
    from rich.table import Table

    from rnnpipe.instruments.speed import Speed

#: A spread of the rounds above which the numbers are not to be relied upon.
_NOISY = 0.2


def bench(
    context: typer.Context,
    target: Annotated[
        Path, typer.Argument(metavar="CONFIG|MODEL", help="Config, or a trained pipeline")
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Data for a trained text pipeline: a text file with one document per line, or a "
            ".spacy file. For images, trees or graphs, pass config.cfg as MODEL instead"
        ),
    ] = None,
    words: Annotated[
        int, typer.Option(min=1, help="Approximate number of words per round")
    ] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, help="Number of timed rounds")] = 5,
    json: Json = False,
) -> None:
    """Measure how fast your pipeline is on this machine: words per second, and memory.

    For a config, training and prediction are timed on its own corpora; pass settings as to 'spacy
    train'. For a trained pipeline, prediction is timed and, with a .spacy file, training;
    nothing is saved. Each round uses different documents. The median and the spread of the
    rounds are shown.

    Try: spacy rnn bench out/model-best --data dev.spacy, also with OMP_NUM_THREADS=1 set
    """
    import torch

    from rnnpipe.cli.output import print_json, printer, say
    from rnnpipe.cli.subject import Size, of_config, of_pipeline
    from rnnpipe.instruments.speed import peak_memory, prediction_speed, training_speed

    size = Size(words, rounds)
    if target.is_file():
        subject = of_config(target, context.args, size)
    else:
        subject = of_pipeline(str(target), data, size)
    if len(subject.docs) <= rounds:
        want, do = f"at least {rounds + 1} documents", "Pass more data, or lower --rounds."
        raise CorpusError(expected("bench", want, len(subject.docs), do))
    speeds = {}
    if subject.batches:
        speeds["training"] = training_speed(subject.batches, subject.update, rounds)
    speeds["prediction"] = prediction_speed(subject.nlp, subject.docs, rounds)
    memory, threads = peak_memory(), torch.get_num_threads()
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "the CPU"
    if json:
        measured = {name: speed.as_json() for name, speed in speeds.items()}
        print_json(measured | {"device": device, "threads": threads, "peak_bytes": memory})
    else:
        printer().print(_table(speeds))
        held = "" if memory is None else f", peak memory {memory / 2**20:.0f} MiB"
        print(f"On {device}, torch with {threads} threads{held}")
    for name, speed in speeds.items():
        if speed.spread > _NOISY:
            say(
                f"The rounds of {name} differ by {speed.spread:.0%}: the machine is busy with "
                f"other work, or the rounds are too short. Raise --words for longer rounds."
            )


def _table(speeds: dict[str, Speed]) -> Table:
    from rich.table import Table

    table = Table(
        "", "Words per second", "Slowest", "Fastest", "Rounds", "Words per round", box=None
    )
    for name, speed in speeds.items():
        rates = (speed.median, min(speed.rates), max(speed.rates))
        numbers = (len(speed.words), sum(speed.words) / len(speed.words))
        table.add_row(name, *(f"{number:.0f}" for number in (*rates, *numbers)))
    return table
