"""``spacy rnn attention``: see :mod:`rnnpipe.instruments.attention`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnpipe.cli.options import Component, Force, Json, Pipeline, TextShown


def attention(
    model: Pipeline,
    text: TextShown,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Output file: a picture (.png or .svg) or a page (.html)"
        ),
    ] = None,
    force: Force = False,
    component: Component = None,
    json: Json = False,
) -> None:
    """Show the attention weights of a network.

    For a sequence-to-sequence model, the weights of the source symbols for each symbol written; for
    a text classifier with an attention pooler, the weights of the tokens.

    Try: spacy rnn attention out/model-best "play some jazz" --output heat.html
    """
    from rnnpipe.cli import output as out
    from rnnpipe.cli.pictures.attention_picture import draw_attention
    from rnnpipe.cli.pictures.attention_shown import attention_page, print_attention
    from rnnpipe.cli.pipelines import find_pipe, load_pipeline
    from rnnpipe.cli.text import typed
    from rnnpipe.components.labelling.rnn_textcat import RnnTextCategorizer
    from rnnpipe.components.translation.rnn_seq2seq import RnnSeq2Seq
    from rnnpipe.instruments.attention import pooling_attention, translation_attention

    out.require_output(output, force, out.PICTURE + out.PAGE)
    typed(text, "TEXT")
    nlp = load_pipeline(model)
    what = "a component with attention (rnn_seq2seq, rnn_textcat, rnn_textcat_multilabel)"
    pipe = find_pipe(nlp, (RnnSeq2Seq, RnnTextCategorizer), what, component)
    if isinstance(pipe, RnnSeq2Seq):
        found = translation_attention(nlp, pipe, text)
    else:
        found = pooling_attention(nlp, pipe, text)
    if json:
        out.print_json(found.as_json())
    else:
        print_attention(found, out.printer())
    if output is None:
        return
    if output.suffix.lower() in out.PAGE:
        out.write_text(attention_page(found), output)
    else:
        draw_attention(found, output)
        out.say_written(output)
