"""The whole contract of a spaCy trainable pipe, for the component that labels trees."""

from functools import partial

import pytest
import spacy
import torch
from helpers.component_contract import Component, TextContract
from helpers.paths import CONFIGS
from spacy.cli.train import train as cli_train
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.errors import LabelError, StructureError

#: Words, the spans and their labels, and the category.
TREES = [
    (["not", "bad"], [(0, 1, "-"), (1, 2, "-"), (0, 2, "+")], "good"),
    (["bad", "film", "!"], [(0, 1, "-"), (1, 2, "0"), (0, 2, "-"), (0, 3, "-")], "poor"),
    (["film"], [(0, 1, "0")], "poor"),
    (["not", "a", "bad", "film"], [(0, 4, "+"), (1, 4, "-"), (2, 3, "-")], "good"),
]
NETWORK = {
    "@architectures": "rnnpipe.Network.v1",
    "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1", "width": 16},
    "structure": {"@rnnpipe_structures": "rnnpipe.Constituents.v1"},
    "encoder": {"@rnnpipe_encoders": "rnnpipe.ChildSumTreeLSTM.v1", "width": 12},
    "decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"},
}


def tree_doc(nlp, words, spans, labels=False):
    doc = Doc(nlp.vocab, words=words)
    doc.spans["constituents"] = [Span(doc, s, e, label if labels else "") for s, e, label in spans]
    return doc


def examples_for(nlp):
    examples = []
    for words, spans, category in TREES:
        gold = tree_doc(nlp, words, spans, labels=True)
        gold.cats = {category: 1.0}
        examples.append(Example(tree_doc(nlp, words, spans), gold))
    return examples


def pipeline(loss="nodes", **changes):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_treecat", config={"loss": loss, "model": {**NETWORK, **changes}})
    return nlp


def train(nlp, steps=40, drop=0.0):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples_for(nlp))
    optimizer.learn_rate = 0.03
    losses = [nlp.update(examples_for(nlp), sgd=optimizer, drop=drop) for _ in range(steps)]
    return optimizer, [step["rnn_treecat"] for step in losses]


def docs_for(nlp):
    return [tree_doc(nlp, words, spans) for words, spans, _ in TREES]


def annotations(doc):
    cats = {label: round(value, 4) for label, value in doc.cats.items()}
    return [(s.start, s.end, s.label_) for s in doc.spans["constituents"]], cats


def predicted(nlp):
    return [annotations(doc) for doc in nlp.pipe(docs_for(nlp))]


@pytest.fixture(scope="module", params=["nodes", "root"])
def trained(request):
    nlp = pipeline(request.param)
    _, losses = train(nlp)
    return request.param, nlp, losses


@pytest.fixture
def component(trained):
    def answer(doc):
        spans, _ = annotations(doc)
        return (spans, list(doc.cats)), list(doc.cats.values())

    return Component(trained[1], partial(pipeline, trained[0]), examples_for, answer)


class TestContract(TextContract):
    """Of the component that labels trees."""


def test_overfits_a_handful_of_trees(trained):
    loss, nlp, losses = trained
    assert losses[-1] < 0.1 * losses[0]
    scores = nlp.evaluate(examples_for(nlp))
    if loss == "nodes":
        assert scores["node_acc"] == 1.0
        assert [spans for spans, _ in predicted(nlp)] == [spans for _, spans, _ in TREES]
        # The probabilities of the root's labels are those of the document.
        assert set(predicted(nlp)[0][1]) == {"+", "-", "0"}
    else:
        assert (scores["root_acc"], scores["node_acc"]) == (1.0, None)
        assert all(label == "" for spans, _ in predicted(nlp) for _, _, label in spans)


def test_categories_of_another_component_do_not_count(trained):
    loss, nlp, _ = trained
    again = pipeline(loss).from_bytes(nlp.to_bytes())
    examples = examples_for(again)
    for eg in examples:
        eg.predicted.cats["travel"] = 2.0
        if loss == "nodes":
            eg.reference.cats = {"travel": 1.0, "abroad": 1.0}
    assert again.evaluate(examples)["root_acc"] == 1.0


def test_empty_documents_and_documents_without_constituents():
    nlp = pipeline()
    optimizer, _ = train(nlp, steps=1)
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    flat = tree_doc(nlp, ["a", "b"], [])
    nlp.update([empty, *examples_for(nlp), Example(flat, flat.copy())], sgd=optimizer)
    nlp.update([empty], sgd=optimizer)
    assert len(nlp("")) == 0
    assert nlp(flat).cats == {}


def test_labels_can_be_added_after_training(trained):
    loss, _, _ = trained
    nlp = pipeline(loss)
    optimizer, _ = train(nlp, steps=1)
    before = [spans for spans, _ in predicted(nlp)]
    assert nlp.get_pipe("rnn_treecat").add_label("late") == 1
    assert nlp.get_pipe("rnn_treecat").labels[-1] == "late"
    assert len(before) == len(predicted(nlp))
    nlp.update(examples_for(nlp), sgd=optimizer)


def test_rehearsal(trained):
    loss, trained_nlp, _ = trained
    nlp = pipeline(loss).from_bytes(trained_nlp.to_bytes())
    optimizer = nlp.resume_training()
    assert nlp.rehearse(examples_for(nlp), sgd=optimizer)["rnn_treecat"] >= 0.0


def test_nothing_is_learnt_from_missing_labels(trained):
    loss, _, _ = trained
    nlp = pipeline(loss)
    train(nlp, steps=1)
    blank = [Example(doc, doc.copy()) for doc in docs_for(nlp)]
    assert nlp.get_pipe("rnn_treecat").update(blank)["rnn_treecat"] == 0.0


def test_labels_are_found_by_characters():
    nlp = pipeline()
    train(nlp, steps=1)
    words, spans, _ = TREES[0]
    gold = tree_doc(nlp, words, spans, labels=True)
    predicted = Doc(nlp.vocab, words=["no", "t", "bad"], spaces=[False, True, True])
    predicted.spans["constituents"] = [Span(predicted, *span) for span in [(0, 3), (2, 3), (0, 1)]]
    pipe = nlp.get_pipe("rnn_treecat")
    found = pipe.gold(Example(predicted, gold)).tolist()
    assert found == [pipe.labels.index("+"), pipe.labels.index("-"), -1]


def test_spans_of_the_same_tokens_have_labels_of_their_own():
    nlp = pipeline()
    spans = [(0, 1, "N"), (0, 1, "NP"), (0, 1, "S")]
    gold = tree_doc(nlp, ["Rain"], spans, labels=True)
    example = Example(tree_doc(nlp, ["Rain"], spans), gold)
    nlp.initialize(lambda: [example])
    pipe = nlp.get_pipe("rnn_treecat")
    assert [pipe.labels[i] for i in pipe.gold(example)] == ["N", "NP", "S"]


def test_one_document_without_a_tree_does_not_lose_the_others(trained):
    _, nlp, _ = trained
    errors = []
    again = pipeline(trained[0]).from_bytes(nlp.to_bytes())
    again.set_error_handler(lambda name, pipe, docs, error: errors.append((docs, error)))
    bad = Doc(again.vocab, words=["no", "tree"])
    docs = docs_for(again)
    found = list(again.pipe([*docs[:2], bad, *docs[2:]]))
    assert [annotations(doc) for doc in found] == predicted(nlp)
    ((failed, error),) = errors
    assert failed == [bad]
    assert str(error).startswith("the document 'no tree ': expected spans in doc.spans")


def test_a_sequence_encoder_labels_the_same_spans():
    structure = {"@rnnpipe_structures": "rnnpipe.SpanEnds.v1"}
    encoder = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 12}
    nlp = pipeline(structure=structure, encoder=encoder)
    train(nlp)
    # Two spans that end with the same token get the same label.
    spans, _ = annotations(nlp(docs_for(nlp)[0]))
    assert spans[1][2] == spans[2][2]


def test_a_sequence_encoder_reads_the_nodes_of_trees_one_after_the_other():
    nlp = pipeline(encoder={"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 12})
    train(nlp)
    assert nlp.evaluate(examples_for(nlp))["node_acc"] == 1.0


@pytest.mark.parametrize("factory", ["rnn_treecat", "rnn_tagger"])
def test_a_structure_that_has_not_what_is_labelled(factory):
    own = {"rnn_treecat": "DependencyTree", "rnn_tagger": "Constituents"}[factory]
    structure = {"@rnnpipe_structures": f"rnnpipe.{own}.v1"}
    with pytest.raises(StructureError) as error:
        spacy.blank("en").add_pipe(factory, config={"model": {**NETWORK, "structure": structure}})
    tokens, spans = "whose tokens can be labelled", "whose spans can be labelled"
    want, got = (spans, tokens) if factory == "rnn_treecat" else (tokens, spans)
    other = "Constituents" if factory == "rnn_treecat" else "DependencyTree"
    assert str(error.value) == (
        f"components.{factory}.model.structure: expected a structure {want}, got one {got}. Set "
        f"@rnnpipe_structures, for instance to 'rnnpipe.{other}.v1'."
    )


def test_an_encoder_that_does_not_read_the_structure():
    nlp = pipeline(structure={"@rnnpipe_structures": "rnnpipe.SpanEnds.v1"})
    with pytest.raises(StructureError) as error:
        train(nlp)
    assert str(error.value) == (
        "components.rnn_treecat.model.encoder: expected an encoder that reads Sequences, got "
        "TreeEncoder, "
        "which reads Trees. Choose a sequence encoder such as 'rnnpipe.BiLSTM.v1', or set the "
        "network's structure, for instance to 'rnnpipe.DependencyTree.v1'."
    )


def test_several_true_categories():
    nlp = pipeline("root")
    train(nlp, steps=1)
    gold = docs_for(nlp)[0]
    gold.cats = {"good": 1.0, "poor": 1.0}
    with pytest.raises(LabelError) as error:
        nlp.update([Example(docs_for(nlp)[0], gold)])
    where = f"components.rnn_treecat: the document {gold.text!r}: "
    assert str(error.value).startswith(where + "expected at most one category with 1.0, got")


def test_gold_trees_for_a_tagger():
    """Any decoder over tokens works over dependency trees, in the order of the tokens."""
    nlp = spacy.blank("en")
    network = {
        **NETWORK,
        "structure": {"@rnnpipe_structures": "rnnpipe.DependencyTree.v1"},
        "decoder": {"@rnnpipe_decoders": "rnnpipe.CRF.v1"},
    }
    nlp.add_pipe("rnn_tagger", config={"model": network})
    heads, deps = [1, 1, 3, 1], ["a", "b", "c", "d"]
    words, tags = ["we", "saw", "the", "film"], ["P", "V", "D", "N"]

    def doc(tags=None):
        return Doc(nlp.vocab, words=words, heads=heads, deps=deps, tags=tags)

    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: [Example(doc(), doc(tags))])
    optimizer.learn_rate = 0.03
    for _ in range(20):
        nlp.update([Example(doc(), doc(tags))], sgd=optimizer)
    assert [token.tag_ for token in nlp(doc())] == tags


def test_the_config_trains_on_bracketed_trees(tmp_path):
    trees = ["(2 (_ (_ [MIN 2) 9) ])", "(9 (_ (_ [MAX 9) (1 (_ (_ [MIN 4) 1) ])) ])"]
    (tmp_path / "trees.txt").write_text("\n".join(trees))
    overrides = {
        **{f"paths.{part}": str(tmp_path / "trees.txt") for part in ("train", "dev")},
        "training.max_steps": 4,
        "training.eval_frequency": 2,
    }
    cli_train(CONFIGS / "listops.cfg", tmp_path / "out", overrides=overrides)
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert set(nlp.get_pipe("treecat").labels) == {"1", "2", "9"}
    assert {"root_acc", "node_acc"} <= nlp.meta["performance"].keys()


def test_a_gradient_step_does_not_depend_on_how_the_batch_is_split():
    gradients = []
    for cap in (8192, 5):
        nlp = pipeline(max_padded_tokens=cap)
        train(nlp, steps=0)
        pipe = nlp.get_pipe("rnn_treecat")
        pipe.update(examples_for(nlp))
        parameters = pipe.model.shims[0].module.named_parameters()
        gradients.append({name: p.grad for name, p in parameters})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-5, rtol=0)


def test_a_shared_tok2vec_learns_through_trees():
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 16,
        "depth": 1,
        "embed_size": 200,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    }
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16, "upstream": "*"}
    embedding = {"@rnnpipe_embeddings": "rnnpipe.Tok2Vec.v1", "tok2vec": listener}
    nlp.add_pipe("rnn_treecat", config={"model": {**NETWORK, "embedding": embedding}})
    optimizer = nlp.initialize(lambda: examples_for(nlp))
    before = nlp.get_pipe("tok2vec").model.to_bytes()
    losses = [nlp.update(examples_for(nlp), sgd=optimizer)["rnn_treecat"] for _ in range(10)]
    assert nlp.get_pipe("tok2vec").model.to_bytes() != before
    assert losses[-1] < losses[0]
