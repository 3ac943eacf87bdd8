"""The component that builds trees: gold constituents, what it writes, and its scores."""

import numpy as np
import pytest
import spacy
from helpers.handful import (
    COMPOSITION,
    CONSTITUENTS,
    SENTENCES,
    annotations,
    examples_for,
    model_config,
    pipeline,
    train,
)
from helpers.paths import CONFIGS
from spacy.cli.train import train as cli_train
from spacy.tokens import Doc, Span
from spacy.training import Example

from rnnpipe.errors import LabelError, StructureError
from rnnpipe.parts.structures.constituents import Constituents

TREES = [
    "(S (NP (D the) (N cat)) (VP (V saw) (NP (D a) (A big) (N dog))) .)",
    "(S (NP (N rain)) (VP (V falls)))",
]


def tree_doc(nlp, words, spans, spaces=None):
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.spans["constituents"] = [Span(doc, *span) for span in spans]
    return doc


@pytest.fixture(scope="module")
def trained():
    nlp = pipeline("rnn_treeparser")
    train(nlp)
    return nlp


@pytest.mark.parametrize("name", ["MarginParser", "LikelihoodParser"])
def test_either_loss_learns_trees_that_are_not_binary(name):
    decoder = {"@rnnpipe_decoders": f"rnnpipe.{name}.v1", "composition": COMPOSITION}
    nlp = pipeline("rnn_treeparser", decoder={**decoder, "beam_size": 2})
    train(nlp)
    scores = nlp.evaluate(examples_for(nlp))
    assert scores["brackets_f"] == scores["labelled_brackets_f"] == 1.0


def test_what_it_writes_is_what_recursive_networks_read(trained):
    reader = Constituents("constituents")
    for (words, _), spans in zip(SENTENCES, CONSTITUENTS, strict=True):
        doc = trained(Doc(trained.vocab, words=words))
        assert annotations("rnn_treeparser", doc) == spans
        nodes = reader.read(doc)
        assert len(nodes.labelled) == len(spans)
    # Two constituents of the same three tokens are two nodes, one above the other.
    inner, outer = nodes.labelled[1:]
    assert nodes.links[inner] == outer


def test_labels_of_nodes_by_a_recursive_network_behind_the_parser(trained):
    nlp = pipeline("rnn_treeparser").from_bytes(trained.to_bytes())
    structure = {"@rnnpipe_structures": "rnnpipe.Constituents.v1"}
    encoder = {"@rnnpipe_encoders": "rnnpipe.ChildSumTreeLSTM.v1", "width": 12}
    changes = {"structure": structure, "encoder": encoder}
    treecat = {"model": model_config("rnn_tagger", **changes), "loss": "root"}
    pipe = nlp.add_pipe("rnn_treecat", config=treecat)
    examples = examples_for(nlp)
    for eg in examples:
        eg.predicted.spans["constituents"] = [
            Span(eg.predicted, s.start, s.end) for s in eg.reference.spans["constituents"]
        ]
    pipe.initialize(lambda: examples, nlp=nlp)
    doc = nlp(Doc(nlp.vocab, words=SENTENCES[0][0]))
    assert set(doc.cats) == {"travel", "dull"}
    assert annotations("rnn_treeparser", doc) == CONSTITUENTS[0]


def test_gold_constituents(trained):
    pipe = trained.get_pipe("rnn_treeparser")
    labels = pipe.labels
    assert labels == ("FRAG S", "NP", "PP", "S", "VP")
    (first, *_, last) = (pipe.gold(eg).tolist() for eg in examples_for(trained))
    np_, s, vp = (1 + labels.index(label) for label in ("NP", "S", "VP"))
    assert first == [[2, 5, np_], [1, 5, vp], [0, 6, s]]
    assert last == [[0, 1, np_], [0, 3, 1 + labels.index("FRAG S")]]
    # The whole document is named even if it is no constituent; nothing if there is no annotation.
    doc = Doc(trained.vocab, words=["a", "b", "c"])
    assert pipe.gold(Example(doc, tree_doc(trained, ["a", "b", "c"], []))).tolist() == [[0, 3, 0]]
    assert pipe.gold(Example(doc, doc.copy())).shape == (0, 3)


def test_gold_constituents_of_other_tokens(trained):
    pipe = trained.get_pipe("rnn_treeparser")
    words = ["I", "like", "Lon", "don", "and", "Berlin", "."]
    spaces = [True, True, False, True, True, True, True]
    other = Doc(trained.vocab, words=words, spaces=spaces)
    gold = pipe.gold(Example(other, examples_for(trained)[0].reference))
    assert gold[:, :2].tolist() == [[2, 6], [1, 6], [0, 7]]


def test_brackets_without_labels(trained):
    nlp = pipeline("rnn_treeparser")
    words, spans = ["a", "b", "c", "d"], [(0, 2), (0, 4)]
    examples = [Example(Doc(nlp.vocab, words=words), tree_doc(nlp, words, spans))]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.02
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    assert nlp.get_pipe("rnn_treeparser").labels == ("",)
    found = annotations("rnn_treeparser", nlp(Doc(nlp.vocab, words=words)))
    assert found == [(0, 2, ""), (0, 4, "")]  # and not the third node of the binary tree


def test_scores(trained):
    pipe = trained.get_pipe("rnn_treeparser")
    words = ["a", "b", "c", "d"]
    found = [(0, 1, "X"), (0, 2, "A"), (0, 3, "B"), (0, 4, "A"), (0, 4, "S")]
    gold = [(0, 2, "B"), (2, 4, "B"), (0, 4, "S"), (3, 4, "X")]
    example = Example(tree_doc(trained, words, found), tree_doc(trained, words, gold))
    blank = Example(tree_doc(trained, words, found), Doc(trained.vocab, words=words))
    assert pipe.bracket_scores([example, blank]) == {
        "brackets_p": 2 / 3,
        "brackets_r": 2 / 3,
        "brackets_f": 2 / 3,
        "labelled_brackets_f": 2 * 1 / (4 + 3),
    }
    assert set(pipe.bracket_scores([blank]).values()) == {None}


def test_gold_constituents_that_overlap(trained):
    words = ["a", "b", "c"]
    reference = tree_doc(trained, words, [(0, 2), (1, 3)])
    with pytest.raises(StructureError) as error:
        trained.update([Example(Doc(trained.vocab, words=words), reference)])
    assert str(error.value) == (
        "the document 'a b c ': expected nested or disjoint constituents, relative to tokens "
        "[0, 2], got [1, 3]. Two constituents must be disjoint, or one must contain the other."
    )


@pytest.mark.parametrize("label", ["noun phrase", "(none)"])
def test_labels_that_could_be_taken_for_others(trained, label):
    words = ["a", "b"]
    reference = tree_doc(trained, words, [(0, 2, label)])
    with pytest.raises(LabelError) as error:
        trained.update([Example(Doc(trained.vocab, words=words), reference)])
    assert str(error.value) == (
        "components.rnn_treeparser: the document 'a b ': expected labels that contain no space "
        "and differ "
        f"from '(none)', got {label!r}. Rename the label."
    )


def test_a_decoder_of_trees_labels_no_tokens():
    decoder = {"@rnnpipe_decoders": "rnnpipe.MarginParser.v1", "composition": COMPOSITION}
    nlp = pipeline("rnn_tagger", decoder=decoder)
    with pytest.raises(StructureError) as error:
        nlp.initialize(lambda: examples_for(nlp))
    assert str(error.value) == (
        "components.rnn_tagger.model.decoder: expected a decoder that labels given nodes, got "
        "MarginTreeParser, a decoder that builds trees. Choose another, such as "
        "'rnnpipe.Softmax.v1'."
    )


def test_the_config_trains_on_bracketed_trees(tmp_path):
    (tmp_path / "trees.txt").write_text("\n".join(TREES))
    overrides = {
        **{f"paths.{part}": str(tmp_path / "trees.txt") for part in ("train", "dev")},
        "training.max_steps": 4,
        "training.eval_frequency": 2,
    }
    cli_train(CONFIGS / "tree_parser.cfg", tmp_path / "out", overrides=overrides)
    nlp = spacy.load(tmp_path / "out" / "model-best")
    assert set(nlp.get_pipe("parser").labels) == {
        "A",
        "D",
        "N",
        "N NP",
        "NP",
        "S",
        "V",
        "V VP",
        "VP",
    }
    assert {"brackets_f", "labelled_brackets_f"} <= nlp.meta["performance"].keys()
    # A wider beam can be chosen when the pipeline is loaded.
    wider = {"components.parser.model.decoder.beam_size": 3}
    again = spacy.load(tmp_path / "out" / "model-best", config=wider)
    assert again.get_pipe("parser").model.shims[0].module.decoder.beam_size == 3
    assert "constituents" in again("the cat saw a dog .").spans


def test_the_loss_in_bfloat16_is_the_same_but_for_rounding():
    losses = []
    for precision in ("float32", "bfloat16"):
        nlp = pipeline("rnn_treeparser", precision=precision)
        _, found = train(nlp, steps=2)
        losses.append(found[0])
    assert np.isfinite(losses).all() and losses[1] == pytest.approx(losses[0], rel=0.05)
