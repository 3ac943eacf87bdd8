"""The registries and factories that spaCy loads from this package in every process.

Entry points of ``spacy_factories`` and ``spacy_cli`` name this module, so that it is imported with
the first pipeline and by every ``spacy`` command, whether or not a config uses rnnpipe. It
therefore imports neither torch nor any module that does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field
from spacy.language import Language
from spacy.util import registry
from thinc.api import Model

from rnnpipe.contracts.registry import REGISTRIES
from rnnpipe.contracts.settings import checked

F = TypeVar("F", bound=Callable[..., Any])
Scorer = Callable[..., Any] | None
#: The least score of a category that is taken as assigned.
Threshold = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, strict=True)]

for _registry in REGISTRIES:
    setattr(registry, _registry.group, _registry)


def _network(decoder: str, pooler: str | None = None) -> dict[str, Any]:
    return {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": {"@rnnpipe_embeddings": "rnnpipe.WordChar.v1"},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 200},
        "pooler": {"@rnnpipe_poolers": pooler} if pooler else None,
        "decoder": {"@rnnpipe_decoders": decoder},
    }


def _component(
    name: str,
    settings: dict[str, Any],
    assigns: list[str],
    scores: dict[str, float | None],
) -> Callable[[F], F]:
    """Register a factory with its default settings."""

    def register(function: F) -> F:
        factory = Language.factory(
            name, default_config=settings, assigns=assigns, default_score_weights=scores
        )
        factory(checked("factories", name)(function))
        return function

    return register


@_component(
    "rnn_tagger",
    settings={
        "attribute": "tag",
        "overwrite": True,
        "scorer": None,
        "model": _network("rnnpipe.Softmax.v1"),
    },
    assigns=["token.tag"],
    # A pipeline's score must rise with whichever attribute is learnt; the others are then missing.
    scores={"tag_acc": 1.0, "pos_acc": 1.0, "morph_acc": 1.0},
)
def rnn_tagger(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    attribute: str,
    overwrite: bool,
    scorer: Scorer,
) -> Any:
    from rnnpipe.components.labelling.rnn_tagger import RnnTagger

    return RnnTagger(
        nlp.vocab, model, name, attribute=attribute, overwrite=overwrite, scorer=scorer
    )


@_component(
    "rnn_ner",
    settings={
        "scheme": "BIOES",
        "entity_probabilities": True,
        "n_best": 0,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
        "model": _network("rnnpipe.CRF.v1"),
    },
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    scores={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def rnn_ner(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    scheme: str,
    entity_probabilities: bool,
    n_best: Count,
    scorer: Scorer,
) -> Any:
    from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer

    return RnnEntityRecognizer(
        nlp.vocab,
        model,
        name,
        scheme=scheme,
        entity_probabilities=entity_probabilities,
        n_best=n_best,
        scorer=scorer,
    )


_CATS_SCORES = {
    "cats_score": 1.0,
    "cats_score_desc": None,
    "cats_micro_p": None,
    "cats_micro_r": None,
    "cats_micro_f": None,
    "cats_macro_p": None,
    "cats_macro_r": None,
    "cats_macro_f": None,
    "cats_macro_auc": None,
    "cats_f_per_type": None,
}


@_component(
    "rnn_textcat",
    settings={
        "threshold": 0.0,
        "scorer": {"@scorers": "spacy.textcat_scorer.v2"},
        "model": _network("rnnpipe.Softmax.v1", "rnnpipe.Attention.v1"),
    },
    assigns=["doc.cats"],
    scores=_CATS_SCORES,
)
def rnn_textcat(
    nlp: Language, name: str, model: Model[Any, Any], threshold: Threshold, scorer: Scorer
) -> Any:
    from rnnpipe.components.labelling.rnn_textcat import RnnTextCategorizer

    return RnnTextCategorizer(nlp.vocab, model, name, threshold=threshold, scorer=scorer)


@_component(
    "rnn_textcat_multilabel",
    settings={
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy.textcat_multilabel_scorer.v2"},
        "model": _network("rnnpipe.Sigmoid.v1", "rnnpipe.Attention.v1"),
    },
    assigns=["doc.cats"],
    scores=_CATS_SCORES,
)
def rnn_textcat_multilabel(
    nlp: Language, name: str, model: Model[Any, Any], threshold: Threshold, scorer: Scorer
) -> Any:
    from rnnpipe.components.labelling.rnn_textcat import RnnMultiLabelTextCategorizer

    return RnnMultiLabelTextCategorizer(nlp.vocab, model, name, threshold=threshold, scorer=scorer)


@_component(
    "rnn_treecat",
    settings={
        "loss": "nodes",
        "scorer": None,
        "model": {
            **_network("rnnpipe.Softmax.v1"),
            "structure": {"@rnnpipe_structures": "rnnpipe.Constituents.v1"},
            "encoder": {"@rnnpipe_encoders": "rnnpipe.ChildSumTreeLSTM.v1", "width": 200},
        },
    },
    assigns=["doc.cats", "doc.spans"],
    scores={"root_acc": 1.0, "node_acc": 0.0},
)
def rnn_treecat(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    loss: Literal["nodes", "root"],
    scorer: Scorer,
) -> Any:
    from rnnpipe.components.labelling.rnn_treecat import RnnTreeCategorizer

    return RnnTreeCategorizer(nlp.vocab, model, name, loss=loss, scorer=scorer)


@_component(
    "rnn_treeparser",
    settings={
        "spans_key": "constituents",
        "scorer": None,
        "model": {
            **_network("rnnpipe.LikelihoodParser.v1"),
            "decoder": {
                "@rnnpipe_decoders": "rnnpipe.LikelihoodParser.v1",
                "composition": {"@rnnpipe_encoders": "rnnpipe.RecursiveNet.v1", "width": 200},
            },
        },
    },
    assigns=["doc.spans"],
    scores={
        "brackets_f": 0.5,
        "brackets_p": 0.0,
        "brackets_r": 0.0,
        "labelled_brackets_f": 0.5,
    },
)
def rnn_treeparser(
    nlp: Language, name: str, model: Model[Any, Any], spans_key: str, scorer: Scorer
) -> Any:
    from rnnpipe.components.labelling.rnn_treeparser import RnnTreeParser

    return RnnTreeParser(nlp.vocab, model, name, spans_key=spans_key, scorer=scorer)


@_component(
    "rnn_lm",
    settings={
        "end_symbol": True,
        "scorer": None,
        "model": {
            "@architectures": "rnnpipe.LanguageModel.v1",
            "symbols": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
            "encoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 256},
            "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        },
    },
    assigns=["doc._.log_probability", "doc._.symbol_count", "token._.log_probability"],
    scores={
        "lm_probability": 1.0,
        "lm_nats": 0.0,
        "lm_bits_per_character": 0.0,
        "lm_perplexity": None,
        "lm_symbols": None,
        "lm_characters": None,
    },
)
def rnn_lm(
    nlp: Language, name: str, model: Model[Any, Any], end_symbol: bool, scorer: Scorer
) -> Any:
    from rnnpipe.components.language.rnn_lm import RnnLanguageModel

    return RnnLanguageModel(nlp.vocab, model, name, end_symbol=end_symbol, scorer=scorer)


@_component(
    "rnn_image",
    settings={
        "conditional": False,
        "scorer": None,
        "model": {
            "@architectures": "rnnpipe.ImageModel.v1",
            "encoder": {"@rnnpipe_encoders": "rnnpipe.PixelCNN.v1", "width": 32},
            "output": {"@rnnpipe_pixel_outputs": "rnnpipe.Softmax.v1"},
        },
    },
    assigns=["doc._.image_log_probability"],
    scores={"image_probability": 1.0, "image_nats": 0.0, "image_bits_per_dim": 0.0},
)
def rnn_image(
    nlp: Language, name: str, model: Model[Any, Any], conditional: bool, scorer: Scorer
) -> Any:
    from rnnpipe.components.images.rnn_image import RnnImageModel

    return RnnImageModel(nlp.vocab, model, name, conditional=conditional, scorer=scorer)


@_component(
    "rnn_seq2seq",
    settings={
        "attribute": "translation",
        "copy_unknown": False,
        "scorer": {"@scorers": "rnnpipe.sequence_scorer.v1"},
        "search": {
            "@rnnpipe_decoders": "rnnpipe.Beam.v1",
            "beam_size": 5,
            "length_penalty": "average",
            "max_length": 200,
        },
        "model": {
            "@architectures": "rnnpipe.Seq2Seq.v1",
            "source": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
            "target": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
            "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 128},
            "decoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 256},
            "attention": {"@rnnpipe_attentions": "rnnpipe.General.v1"},
            "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        },
    },
    assigns=["doc._.translation"],
    scores={
        "sequence_accuracy": 0.5,
        "symbol_accuracy": 0.5,
        "sequence_error_rate": None,
        "symbol_error_rate": None,
        "bleu": None,
        "chrf": None,
    },
)
def rnn_seq2seq(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    search: Any,
    attribute: str,
    copy_unknown: bool,
    scorer: Scorer,
) -> Any:
    from rnnpipe.components.translation.rnn_seq2seq import RnnSeq2Seq

    return RnnSeq2Seq(
        nlp.vocab,
        model,
        name,
        search=search,
        attribute=attribute,
        copy_unknown=copy_unknown,
        scorer=scorer,
    )
