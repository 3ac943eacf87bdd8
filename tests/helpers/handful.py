"""A handful of annotated sentences, small networks for them, and how the tests use both."""

import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed

SENTENCES = [
    (
        ["I", "like", "London", "and", "Berlin", "."],
        ["PRON", "VERB", "PROPN", "CONJ", "PROPN", "PUNCT"],
    ),
    (
        ["We", "met", "Ada", "Lovelace", "in", "Paris"],
        ["PRON", "VERB", "PROPN", "PROPN", "ADP", "PROPN"],
    ),
    (["Nothing", "happens", "."], ["PRON", "VERB", "PUNCT"]),
    (["Rain", "again", "!"], ["NOUN", "ADV", "PUNCT"]),
]
ENTITIES = [[(2, 3, "GPE"), (4, 5, "GPE")], [(2, 4, "PERSON"), (5, 6, "GPE")], [], []]
CONSTITUENTS = [
    [(2, 5, "NP"), (1, 5, "VP"), (0, 6, "S")],
    [(2, 4, "NP"), (4, 6, "PP"), (1, 6, "VP"), (0, 6, "S")],
    [(0, 3, "S")],
    [(0, 1, "NP"), (0, 3, "FRAG"), (0, 3, "S")],
]
CATS = [{"travel": 1.0, "dull": 0.0}, {"travel": 1.0, "dull": 0.0}] + [
    {"travel": 0.0, "dull": 1.0}
] * 2
EMBEDDING = {
    "@rnnpipe_embeddings": "rnnpipe.Hashed.v1",
    "width": 16,
}
ENCODER = {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 12}
DECODERS = {
    "rnn_tagger": "rnnpipe.Softmax.v1",
    "rnn_ner": "rnnpipe.CRF.v1",
    "rnn_textcat": "rnnpipe.Softmax.v1",
    "rnn_textcat_multilabel": "rnnpipe.Sigmoid.v1",
    "rnn_treeparser": "rnnpipe.LikelihoodParser.v1",
}
COMPOSITION = {"@rnnpipe_encoders": "rnnpipe.RecursiveNet.v1", "width": 32}
FACTORIES = sorted(DECODERS)


def model_config(factory, **changes):
    decoder = {"@rnnpipe_decoders": DECODERS[factory]}
    if factory == "rnn_treeparser":
        decoder["composition"] = COMPOSITION
    config = {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": EMBEDDING,
        "encoder": ENCODER,
        "decoder": decoder,
        **changes,
    }
    if "textcat" in factory:
        config["pooler"] = {"@rnnpipe_poolers": "rnnpipe.Max.v1"}
    return config


def examples_for(nlp):
    examples = []
    for (words, tags), ents, cats, constituents in zip(
        SENTENCES, ENTITIES, CATS, CONSTITUENTS, strict=True
    ):
        reference = Doc(nlp.vocab, words=words, tags=tags, pos=["X"] * len(words))
        reference.ents = [Span(reference, *entity) for entity in ents]
        reference.spans["constituents"] = [Span(reference, *span) for span in constituents]
        reference.cats = cats
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


def pipeline(factory, **changes):
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": model_config(factory, **changes)})
    return nlp


def train(nlp, steps=30, drop=0.0):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples_for(nlp))
    optimizer.learn_rate = 0.02
    losses = []
    for _ in range(steps):
        step = nlp.update(examples_for(nlp), sgd=optimizer, drop=drop)
        losses.append(sum(step.values()))
    return optimizer, losses


def annotations(factory, doc):
    if factory == "rnn_tagger":
        return [t.tag_ for t in doc]
    if factory == "rnn_ner":
        return [(e.start, e.end, e.label_) for e in doc.ents]
    if factory == "rnn_treeparser":
        return [(s.start, s.end, s.label_) for s in doc.spans["constituents"]]
    return {label: round(value, 4) for label, value in doc.cats.items()}


def truth(factory, i):
    if factory == "rnn_tagger":
        return SENTENCES[i][1]
    return ENTITIES[i] if factory == "rnn_ner" else CONSTITUENTS[i]


def fresh_docs(nlp):
    return [Doc(nlp.vocab, words=words) for words, _ in SENTENCES]


def predicted(factory, nlp):
    return [annotations(factory, doc) for doc in nlp.pipe(fresh_docs(nlp))]
