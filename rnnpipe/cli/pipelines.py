"""The pipeline that a command is about, and the component in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language

from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer
from rnnpipe.components.labelling.rnn_tagger import RnnTagger
from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.errors import SettingsError, expected
from rnnpipe.instruments.encoders import WithEncoder
from rnnpipe.instruments.reading import Reader


def load_pipeline(model: str) -> Language:
    """Raises SettingsError if there is no such pipeline."""
    try:
        return spacy.load(model)
    except OSError as error:
        if not _is_missing(model):
            raise
        do = "Train one with 'spacy train config.cfg --output FOLDER', or correct the path."
        inside = sorted(path.parent.name for path in Path(model).glob("*/meta.json"))
        if inside:
            do = "Choose a pipeline in it: " + ", ".join(str(Path(model, x)) for x in inside) + "."
        want = "the folder of a trained pipeline, or the name of an installed one"
        raise SettingsError(expected("MODEL", want, model, do)) from error


def _is_missing(model: str) -> bool:
    return not (Path(model) / "meta.json").exists()


def find_pipe(nlp: Language, kinds: tuple[type, ...], what: str, name: str | None) -> Any:
    """The component of these classes: the one with that name, or the only one there is.

    what: it in words. Raises SettingsError if there is none, or more than one to choose from.
    """
    fit = {key: pipe for key, pipe in nlp.pipeline if isinstance(pipe, kinds)}
    if name is not None and name in fit:
        return fit[name]
    if name is None and len(fit) == 1:
        (pipe,) = fit.values()
        return pipe
    where = f"pipeline {nlp.meta['lang']}_{nlp.meta['name']}"
    if not fit:
        listed = ", ".join(f"{key} ({nlp.get_pipe_meta(key).factory})" for key in nlp.pipe_names)
        got = f"no such component (available: {listed or 'none'})"
        raise SettingsError(expected(where, what, got, "Choose another pipeline."))
    do = f"Choose with --component: {', '.join(fit)}."
    raise SettingsError(expected(where, what, list(fit) if name is None else name, do))


def token_labeller(nlp: Language, component: str | None) -> RnnTagger | RnnEntityRecognizer:
    """Raises SettingsError as :func:`find_pipe`."""
    what = "one component that labels tokens (rnn_tagger, rnn_ner)"
    pipe: RnnTagger | RnnEntityRecognizer
    pipe = find_pipe(nlp, (RnnTagger, RnnEntityRecognizer), what, component)
    return pipe


def pipe_with_encoder(nlp: Language, component: str | None) -> WithEncoder:
    """Raises SettingsError as :func:`find_pipe`."""
    what = "one component with an encoder (rnn_lm, rnn_tagger, rnn_ner, rnn_textcat)"
    pipe: WithEncoder = find_pipe(nlp, (RnnLanguageModel, LabellingPipe), what, component)
    return pipe


def language_model_reader(model: str, component: str | None) -> Reader:
    """The language model of a pipeline. Raises SettingsError as the two above."""
    nlp = load_pipeline(model)
    what = "one language model (rnn_lm)"
    return Reader(nlp, find_pipe(nlp, (RnnLanguageModel,), what, component))
