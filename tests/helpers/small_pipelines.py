"""Small trained pipelines to look into: of language models, and of what has attention."""

from functools import cache

import spacy
from spacy.training import Example
from spacy.util import fix_random_seed

TEXT = "the rose is red, the sky is blue.\nthe rose is a rose is a rose.\n"
SYMBOLS = {
    "characters": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
    "bytes": {"@rnnpipe_symbols": "rnnpipe.Bytes.v1"},
    "words": {"@rnnpipe_symbols": "rnnpipe.Words.v1", "min_count": 1},
}
CATS = {"a red rose": "rose", "the blue sky": "sky", "one red rose": "rose", "sky so blue": "sky"}

ENTITIES = [
    ("Ada met him in New York", 0, 3, "PER"),
    ("we saw New York", 7, 15, "LOC"),
    ("the sky over New York", 13, 21, "LOC"),
    ("so said Ada", 8, 11, "PER"),
]


def fitted(nlp, examples, steps):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.03
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer, drop=0.0)
    return nlp


def backwards(symbols):
    return {"@rnnpipe_symbols": "rnnpipe.Backward.v1", "symbols": symbols}


@cache
def language_model(
    kind="characters", encoder="LSTM", depth=2, end_symbol=False, backward=False, adaptation=None
):
    """A pipeline with the component ``lm``."""
    nlp = spacy.blank("en")
    model = {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "width": 12,
        "symbols": backwards(SYMBOLS[kind]) if backward else SYMBOLS[kind],
        "encoder": {"@rnnpipe_encoders": f"rnnpipe.{encoder}.v1", "width": 16, "depth": depth},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "max_length": 16,
        "adaptation": {"@rnnpipe_adaptations": f"rnnpipe.{adaptation}.v1"} if adaptation else None,
    }
    nlp.add_pipe("rnn_lm", name="lm", config={"model": model, "end_symbol": end_symbol})
    lines = TEXT.splitlines(keepends=True)
    return fitted(nlp, [Example(nlp.make_doc(x), nlp.make_doc(x)) for x in lines], 20)


@cache
def text_classifier(pooler="Attention"):
    """A pipeline with the component ``cat``."""
    nlp = spacy.blank("en")
    poolers = {name: {"@rnnpipe_poolers": f"rnnpipe.{name}.v1"} for name in ("Attention", "Max")}
    poolers["Concat"] = {
        "@rnnpipe_poolers": "rnnpipe.Concat.v1",
        "parts": {"a": poolers["Attention"], "b": poolers["Max"], "c": poolers["Attention"]},
    }
    model = {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 12},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 8},
        "pooler": poolers[pooler],
        "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
    }
    nlp.add_pipe("rnn_textcat", name="cat", config={"model": model})
    cats = {x: {c: float(c == y) for c in ("rose", "sky")} for x, y in CATS.items()}
    examples = [Example.from_dict(nlp.make_doc(x), {"cats": y}) for x, y in cats.items()]
    return fitted(nlp, examples, 5)


@cache
def entity_recognizer(decoder="CRF", encoder="BiLSTM", **settings):
    """A pipeline with the component ``ner``."""
    nlp = spacy.blank("en")
    model = {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 12},
        "encoder": {"@rnnpipe_encoders": f"rnnpipe.{encoder}.v1", "width": 8, **settings},
        "decoder": {"@rnnpipe_decoders": f"rnnpipe.{decoder}.v1"},
    }
    nlp.add_pipe("rnn_ner", name="ner", config={"model": model, "scheme": "BIO"})
    examples = []
    for text, start, end, label in ENTITIES:
        entities = {"entities": [(start, end, label)]}
        examples.append(Example.from_dict(nlp.make_doc(text), entities))
    return fitted(nlp, examples, 20)


@cache
def translator(attention="General"):
    """A pipeline with the component ``spell``, which writes a word back to front."""
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "rnnpipe.Seq2Seq.v1",
        "source": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "target": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 8},
        "decoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 16},
        "attention": {"@rnnpipe_attentions": f"rnnpipe.{attention}.v1"} if attention else None,
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": 12,
    }
    search = {"@rnnpipe_decoders": "rnnpipe.Beam.v1", "beam_size": 2, "max_length": 9}
    nlp.add_pipe("rnn_seq2seq", name="spell", config={"model": model, "search": search})
    examples = []
    for word in ("abc", "cab", "ba", "acb"):
        reference = nlp.make_doc(word)
        reference._.translation = word[::-1]
        examples.append(Example(nlp.make_doc(word), reference))
    return fitted(nlp, examples, 20)
