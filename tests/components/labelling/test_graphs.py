"""Graphs and mentions in pipelines: taggers over graphs, relations between marked nouns."""

from functools import partial

import numpy as np
import pytest
import spacy
import torch
from helpers.component_contract import Component, TextContract
from helpers.paths import CONFIGS
from spacy.cli.train import train as cli_train
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import fix_random_seed
from spacy.vectors import Vectors

from rnnpipe.errors import SettingsError, StructureError

WORDS = ["we", "saw", "the", "film", "and", "the", "play"]
HEADS, DEPS = [1, 1, 3, 1, 6, 6, 3], ["nsubj", "ROOT", "det", "obj", "cc", "det", "conj"]
TAGS = ["P", "V", "D", "N", "C", "D", "N"]
#: The first and the second noun, and their relation: only the marks tell these apart.
RELATIONS = [((0, 1), (3, 4), "sees"), ((3, 4), (0, 1), "seen by"), ((3, 4), (6, 7), "with")]
NEXT = {"@rnnpipe_edges": "rnnpipe.NextTokenEdges.v1"}
EDGES = {
    "words": {"@rnnpipe_edges": "rnnpipe.TwoWayEdges.v1", "edges": NEXT},
    "syntax": {"@rnnpipe_edges": "rnnpipe.DependencyEdges.v1", "labels": ["nsubj", "obj"]},
}
GRAPH = {"@rnnpipe_structures": "rnnpipe.TokenGraph.v1", "edges": EDGES}
DAG = {
    "@rnnpipe_structures": "rnnpipe.TokenDag.v1",
    "edges": {"words": NEXT},
}
ENCODERS = {
    "BiLSTM": (None, {}),
    "BiDagLSTM": (GRAPH, {"type_width": 3}),
    "GraphStateLSTM": (GRAPH, {}),
    "DagLSTM": (DAG, {}),
}


def network(name, structure, **changes):
    return {
        "@architectures": "rnnpipe.Network.v1",
        "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 12},
        "encoder": {"@rnnpipe_encoders": f"rnnpipe.{name}.v1", "width": 12, **ENCODERS[name][1]},
        "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
        "structure": structure,
        **changes,
    }


def tagger(name):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": network(name, ENCODERS[name][0])})
    return nlp


def relations(name="BiLSTM", **changes):
    inner = ENCODERS[name][0]
    structure = {"@rnnpipe_structures": "rnnpipe.WithMentions.v1", "inner": inner}
    mean = {"@rnnpipe_poolers": "rnnpipe.Mean.v1"}
    pooler = {"@rnnpipe_poolers": "rnnpipe.Mentions.v1", "pooler": mean}
    nlp = spacy.blank("en")
    model = network(name, structure, pooler=pooler, **changes)
    nlp.add_pipe("rnn_textcat", config={"model": model})
    return nlp


def parsed(nlp, **annotation):
    return Doc(nlp.vocab, words=WORDS, heads=HEADS, deps=DEPS, **annotation)


def marked(nlp):
    docs = []
    for first, second, _ in RELATIONS:
        doc = parsed(nlp)
        doc.spans["mentions"] = [Span(doc, *first), Span(doc, *second)]
        docs.append(doc)
    return docs


def tagged_examples(nlp):
    return [Example(parsed(nlp), parsed(nlp, tags=TAGS))]


def relation_examples(nlp):
    examples = []
    for doc, (_, _, relation) in zip(marked(nlp), RELATIONS, strict=True):
        gold = doc.copy()
        gold.cats = {relation: 1.0}
        examples.append(Example(doc, gold))
    return examples


def learn(nlp, examples, steps=30):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.03
    for _ in range(steps):
        nlp.update(examples(nlp), sgd=optimizer)
    return nlp


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_tokens_are_tagged_over_graphs(name):
    nlp = learn(tagger(name), tagged_examples)
    assert [token.tag_ for token in nlp(parsed(nlp))] == TAGS


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_relations_between_marked_nouns(name):
    nlp = learn(relations(name), relation_examples)
    answers = [max(doc.cats, key=doc.cats.get) for doc in nlp.pipe(marked(nlp))]
    assert answers == [relation for _, _, relation in RELATIONS]


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def component(request):
    nlp = learn(relations(request.param), relation_examples, steps=3)

    def answer(doc):
        return list(doc.cats), list(doc.cats.values())

    return Component(nlp, partial(relations, request.param), relation_examples, answer)


class TestContract(TextContract):
    """Of relations between mentions, over graphs and without."""


def test_a_gradient_step_does_not_depend_on_how_the_batch_is_split():
    gradients = []
    for cap in (8192, 5):
        nlp = learn(relations("BiDagLSTM", max_padded_tokens=cap), relation_examples, steps=0)
        pipe = nlp.get_pipe("rnn_textcat")
        pipe.update(relation_examples(nlp))
        parameters = pipe.model.shims[0].module.named_parameters()
        gradients.append({name: p.grad for name, p in parameters})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-5, rtol=0)


def test_a_document_without_a_parse_does_not_take_the_others_along():
    nlp = learn(tagger("GraphStateLSTM"), tagged_examples)
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.extend((docs, str(error))))
    bad = Doc(nlp.vocab, words=["no", "parse"])
    done = list(nlp.pipe([parsed(nlp), bad, parsed(nlp)]))
    assert [[token.tag_ for token in doc] for doc in done] == [TAGS, TAGS]
    assert failed[0] == [bad]
    assert failed[1].startswith("the document 'no parse ': expected a dependency parse, got no")


def test_a_graph_that_may_have_cycles():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", config={"model": network("DagLSTM", GRAPH)})
    with pytest.raises(StructureError) as error:
        learn(nlp, tagged_examples)
    assert str(error.value).startswith(
        "components.rnn_tagger.model.encoder: expected an encoder that reads Graphs, got "
        "DagEncoder, "
        "which reads Dags."
    )
    assert str(error.value).endswith("for instance to 'rnnpipe.TokenDag.v1'.")


def test_edges_that_are_an_encoder():
    lstm = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 3}
    graph = {"@rnnpipe_structures": "rnnpipe.TokenGraph.v1", "edges": {"next": lstm}}
    with pytest.raises(SettingsError) as error:
        spacy.blank("en").add_pipe("rnn_tagger", config={"model": network("BiDagLSTM", graph)})
    assert str(error.value) == (
        "components.rnn_tagger.model.structure.edges.next: expected a block with @rnnpipe_edges, "
        "got '@rnnpipe_encoders'."
    )


def test_mentions_that_nobody_marks():
    mean = {"@rnnpipe_poolers": "rnnpipe.Mean.v1"}
    pooler = {"@rnnpipe_poolers": "rnnpipe.Mentions.v1", "pooler": mean}
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_textcat", config={"model": network("BiLSTM", None, pooler=pooler)})
    with pytest.raises(StructureError, match="pooler: expected 2 marked mentions, got no mentions"):
        learn(nlp, relation_examples)


@pytest.fixture
def vectors(tmp_path):
    nlp = spacy.blank("en")
    rows = np.random.default_rng(0).standard_normal((2, 50), dtype=np.float32)
    keys = [nlp.vocab.strings.add(word) for word in ("we", "film")]
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=rows, keys=keys, attr="LOWER")
    nlp.to_disk(tmp_path / "vectors")
    return str(tmp_path / "vectors")


def few_steps(config, corpus, vectors, out):
    overrides = {
        "paths.train": str(corpus),
        "paths.dev": str(corpus),
        "paths.vectors": vectors,
        "training.max_steps": 4,
        "training.eval_frequency": 2,
    }
    cli_train(CONFIGS / config, out, overrides=overrides)
    nlp = spacy.load(out / "model-best")
    assert isinstance(nlp.meta["performance"]["relation_macro_f"], float)
    doc = marked(nlp)[0]
    cats = nlp(doc).cats
    assert sum(cats.values()) == pytest.approx(1.0, abs=1e-4)


def test_the_config_trains_on_marked_sentences(tmp_path, vectors):
    line = '{0}\t"We saw <e1>film</e1> {0} and the <e2>play</e2>."\n{1}\n'
    labels = ["Other", "Pair-Pair(e1,e2)", "Pair-Pair(e2,e1)"]
    text = "\n".join(line.format(i, labels[i % 3]) for i in range(60))
    (tmp_path / "relations.txt").write_text(text)
    few_steps("relations.cfg", tmp_path / "relations.txt", vectors, tmp_path / "out")


def test_the_config_trains_on_parses(tmp_path, vectors):
    examples = relation_examples(spacy.blank("en"))
    DocBin(docs=[eg.reference for eg in examples]).to_disk(tmp_path / "relations.spacy")
    few_steps("relations_graph.cfg", tmp_path / "relations.spacy", vectors, tmp_path / "out")
