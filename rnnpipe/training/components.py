"""Which components of a pipeline learn, and which have learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from spacy.language import Language
from spacy.ty import TrainableComponent
from thinc.api import Model

from rnnpipe.contracts.compat import has_network
from rnnpipe.errors import SettingsError, expected, nearest


def learning(nlp: Language, frozen: Sequence[str], annotating: Sequence[str]) -> dict[str, Any]:
    """Return the components that are to be trained, by name.

    Raises:
        SettingsError: there are none, a name is none of the pipeline's, or a component without
            weights is frozen.

    """
    for where, names in (("frozen", frozen), ("annotating", annotating)):
        for name in names:
            if name not in nlp.component_names:
                do = nearest(name, nlp.component_names)
                raise SettingsError(expected(where, "names of components", name, do))
    trainable = {name: pipe for name, pipe in nlp.pipeline if _is_trainable(pipe)}
    for name in frozen:
        if name in trainable and not is_trained(trainable[name]):
            do = "Train it first, or remove it from frozen."
            got = f"no weights in {name!r}"
            raise SettingsError(expected("frozen", "trained components", got, do))
    learners = {name: pipe for name, pipe in trainable.items() if name not in frozen}
    if not learners:
        do = "Add one, such as nlp.add_pipe('rnn_ner')."
        want, got = "a pipeline with a component to train", f"no such component in {nlp.pipe_names}"
        raise SettingsError(expected("nlp", want, got, do))
    return learners


def _is_trainable(pipe: Any) -> bool:
    if not (isinstance(pipe, TrainableComponent) and pipe.is_trainable):
        return False
    return isinstance(pipe.model, Model)


def learns_labels(pipe: Any) -> bool:
    """Return whether a component needs annotation, as a language model or a tok2vec does not."""
    return getattr(pipe, "label_data", None) is not None


def is_trained(pipe: Any) -> bool:
    """Return whether a component has its weights, from training or initialisation."""
    if learns_labels(pipe) and not pipe.labels:
        return False
    for layer in cast("Model[Any, Any]", pipe.model).walk():
        if any(layer.has_param(name) is None for name in layer.param_names):
            return False
        if not all(map(has_network, layer.shims)):
            return False
    return True


def complete_weights(nlp: Language, given: Mapping[str, float] | None) -> dict[str, float | None]:
    """Return the weights that make only the given scores count; without any, the default ones."""
    if given is None:
        return {}
    defaults = [nlp.get_pipe_meta(name).default_score_weights for name in nlp.component_names]
    others = {
        key: weight and 0.0 for weights in defaults for key, weight in (weights or {}).items()
    }
    return {**others, **given}
