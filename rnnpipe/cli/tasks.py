"""The tasks of ``spacy rnn init-config``: which of the shipped configs shows how each is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """template: the config's name in ``configs/``. component: the one of its components that is
    kept, and what it learns, in words.

    text: whether the template's reader is for what spaCy's format does not hold, and so stays
        whatever is asked for.
    judged: what the scores mean.
    changes: settings that are others than in the template, by block below the component's.
    scores: weights that are others.
    """

    template: str
    component: str
    what: str
    judged: str
    text: bool = False
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scores: Mapping[str, str] = field(default_factory=dict)


_NATS = (
    "lm_probability, which is maximised, is exp(-lm_nats), the loss in nats per symbol. spaCy's "
    "table shows all of them times 100."
)
_SEQUENCES = (
    "sequence_accuracy is the share of texts without errors, symbol_accuracy is 1 minus the edit "
    "distance per symbol."
)
_CATS = (
    "cats_score is the macro-averaged F-score for exclusive categories, and the macro-averaged "
    "AUC for others."
)

TASKS = {
    "ner": Task(
        "ner", "ner", "Named entities (doc.ents)", "The score is the F-score of whole entities."
    ),
    "tagger": Task(
        "tagger",
        "tagger",
        "Tags of a treebank (token.tag_)",
        "The score is the share of correct tags.",
        scores={"tag_acc": "1.0", "pos_acc": "null", "morph_acc": "null"},
    ),
    "pos": Task(
        "tagger",
        "pos",
        "Universal parts of speech (token.pos_)",
        "The score is the share of correct tags.",
        scores={"pos_acc": "1.0", "tag_acc": "null", "morph_acc": "null"},
    ),
    "textcat": Task("textcat", "textcat", "One category per document (doc.cats)", _CATS),
    "textcat_multilabel": Task(
        "textcat",
        "textcat",
        "Any number of categories per document (doc.cats)",
        _CATS,
        changes={
            "": {"factory": '"rnn_textcat_multilabel"'},
            ".model.decoder": {"@rnnpipe_decoders": '"rnnpipe.Sigmoid.v1"'},
        },
    ),
    "relations": Task(
        "relations",
        "relation",
        "The relation between two marked spans (doc.spans, doc.cats)",
        "relation_macro_f is the F-score of SemEval-2010 task 8, macro-averaged over relations.",
        text=True,
    ),
    "treecat": Task(
        "listops",
        "treecat",
        "Categories of trees and of their nodes (doc.cats, doc.spans)",
        "The scores are the shares of correct labels: of roots, and of all nodes.",
        text=True,
    ),
    "treeparser": Task(
        "tree_parser",
        "parser",
        "Constituents (doc.spans)",
        "The scores are F-scores of brackets, with and without labels.",
        text=True,
    ),
    "lm": Task("char_lm", "lm", "A language model over characters", _NATS, text=True),
    "word_lm": Task("word_lm", "lm", "A language model over words", _NATS, text=True),
    "seq2seq": Task("g2p", "g2p", "Text to text (doc._.translation)", _SEQUENCES, True),
    "translate": Task(
        "translate",
        "translator",
        "Translation (doc._.translation)",
        "The scores are BLEU and chrF, from 0 to 1; scoring needs pip install "
        "'rnnpipe[translation]'.",
        text=True,
    ),
    "image_textcat": Task("digits", "textcat", "One category per image (doc.cats)", _CATS, True),
    "captions": Task(
        "captions", "captions", "A text for an image (doc._.caption)", _SEQUENCES, True
    ),
    "image_model": Task(
        "images",
        "image",
        "An image model, which scores and draws images (doc._.image)",
        "image_probability, which is maximised, is the geometric mean of the pixels' "
        "probabilities. spaCy's table shows all of them times 100.",
        text=True,
    ),
}
