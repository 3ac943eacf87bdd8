"""``spacy rnn exposure-bias``, ``loss`` and ``attention``: see :mod:`rnnpipe.instruments`."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rnnpipe.cli.output import PAGE, PICTURE, require_output, say_written, write_text
from rnnpipe.cli.pictures import readings
from rnnpipe.cli.pictures.attention_picture import draw_attention
from rnnpipe.cli.pictures.attention_shown import attention_page, print_attention
from rnnpipe.cli.pictures.exposure_picture import draw_exposure_bias
from rnnpipe.cli.pictures.trace_html import html_page
from rnnpipe.cli.pictures.trace_terminal import print_trace
from rnnpipe.cli.pipelines import find_pipe, language_model_reader, load_pipeline
from rnnpipe.cli.text import beginning, given_text, typed, whose
from rnnpipe.components.labelling.rnn_textcat import RnnTextCategorizer
from rnnpipe.components.translation.rnn_seq2seq import RnnSeq2Seq
from rnnpipe.instruments.attention import pooling_attention, translation_attention
from rnnpipe.instruments.exposure_bias import ExposureBias
from rnnpipe.instruments.exposure_bias import exposure_bias as measure_exposure_bias
from rnnpipe.instruments.trace import Cell, trace


def exposure_bias(
    model: str,
    path: Path,
    output: Path | None,
    force: bool,
    settings: dict[str, int],
    limit: int,
    encoding: str,
    component: str | None,
    as_json: bool,
) -> None:
    """Print the curves and draw them. settings: of :func:`~.exposure_bias.exposure_bias`.

    Raises SettingsError and CorpusError for what is wrong with pipeline, file or settings."""
    require_output(output, force, PICTURE)
    reader = language_model_reader(model, component)
    text = beginning(path, encoding, limit)
    result = measure_exposure_bias(reader, text, where=str(path), **settings)
    if as_json:
        print(json.dumps(result.as_json(), indent=2))
    else:
        console = Console(highlight=False)
        console.print("Nats per symbol by distance from the prompt:")
        console.print("the model's loss on real text, H, and on its own, F; the judge's, Q and W")
        console.print(_table(result))
        console.print(f"The gap grows by {result.growth:+.3f} from the first to the last quarter")
        console.print(readings.EXPOSURE_BIAS)
    if output is not None:
        draw_exposure_bias(result, output)
        say_written(output)


def _table(result: ExposureBias) -> Table:
    table = Table(
        "Distance",
        "H, real",
        "F, own",
        "Q, real",
        "W, own",
        "gap W-Q",
        box=None,
    )
    curves = (result.teacher_forced, result.free_running, result.real, result.written)
    columns = [result.distances, *(curve.mean for curve in curves), result.gap]
    for distance, *values in zip(*columns, strict=True):
        table.add_row(f"{distance:g}", *(f"{value:.3f}" for value in values))
    return table


def loss(
    model: str,
    path: Path | None,
    text: str | None,
    cell: str | None,
    output: Path | None,
    force: bool,
    limit: int,
    encoding: str,
    component: str | None,
) -> None:
    """Print the coloured text and write it as a page.

    Raises SettingsError and CorpusError for what is wrong with pipeline, text, cell or output."""
    require_output(output, force, PAGE)
    unit = None if cell is None else Cell.parse(cell)
    read = given_text("loss", path, text, encoding, limit)
    result = trace(language_model_reader(model, component), read, unit)
    print_trace(result, Console())
    if output is not None:
        write_text(html_page(result, f"Loss of {whose(model, path)}"), output)


def attention(
    model: str, text: str, output: Path | None, force: bool, component: str | None, as_json: bool
) -> None:
    """Print where a network looks, and draw it or write it as a page.

    Raises SettingsError and CorpusError for what is wrong with pipeline, text or output."""
    require_output(output, force, PICTURE + PAGE)
    typed(text, "TEXT")
    nlp = load_pipeline(model)
    what = "one with attention (rnn_seq2seq, rnn_textcat, rnn_textcat_multilabel)"
    pipe: RnnSeq2Seq | RnnTextCategorizer = find_pipe(
        nlp, (RnnSeq2Seq, RnnTextCategorizer), what, component
    )
    if isinstance(pipe, RnnSeq2Seq):
        found = translation_attention(nlp, pipe, text)
    else:
        found = pooling_attention(nlp, pipe, text)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print_attention(found, Console(highlight=False))
    if output is None:
        return
    if output.suffix.lower() in PAGE:
        write_text(attention_page(found), output)
    else:
        draw_attention(found, output)
        say_written(output)
