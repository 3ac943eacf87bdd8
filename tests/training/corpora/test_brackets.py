import pytest
import spacy
from spacy.tokens import Doc, DocBin

from rnnpipe.errors import CorpusError
from rnnpipe.training.corpora.brackets import BracketCorpus

NLP = spacy.blank("en")
REMEDY = "Remove the bracket or add a word to it."


@pytest.fixture
def corpus(tmp_path):
    def read(text, **settings):
        (tmp_path / "trees.txt").write_text(text, encoding="utf8")
        return list(BracketCorpus(tmp_path / "trees.txt", **settings)(NLP))

    return read


def spans(doc, key="constituents"):
    return [(span.start, span.end, span.label_) for span in doc.spans[key]]


def test_sentiment_trees(corpus):
    (example,) = corpus("(3 (2 It) (4 (4 's) (2 good)))\n")
    gold, given = example.reference, example.predicted
    assert [token.text for token in gold] == ["It", "'s", "good"]
    assert spans(gold) == [(0, 1, "2"), (1, 2, "4"), (2, 3, "2"), (1, 3, "4"), (0, 3, "3")]
    assert gold.cats == {"3": 1.0}
    assert spans(given) == [(start, end, "") for start, end, _ in spans(gold)]
    assert given.cats == {}


def test_a_tree_over_several_lines_with_an_outermost_bracket_without_label(corpus):
    text = "( (S\n    (NP (DT The)(NN cat))\n    (VP sat)) )\n\n(S\nRain)"
    first, second = (example.reference for example in corpus(text))
    assert spans(first) == [
        (0, 1, "DT"),
        (1, 2, "NN"),
        (0, 2, "NP"),
        (2, 3, "VP"),
        (0, 3, "S"),
    ]
    assert (spans(second), second.cats) == ([(0, 1, "S")], {"S": 1.0})


def test_without_labels(corpus):
    (example,) = corpus("((a b) (c))", labels=False, spans_key="mine")
    assert spans(example.reference, "mine") == [(0, 2, ""), (2, 3, ""), (0, 3, "")]
    assert example.reference.cats == {}


def test_a_missing_label(corpus):
    (example,) = corpus("(_ (1 a) (_ b))")
    assert spans(example.reference) == [(0, 1, "1"), (1, 2, ""), (0, 2, "")]
    assert example.reference.cats == {}


def test_words_are_split_at_the_ascii_space_alone(corpus):
    (example,) = corpus("(1 (2 1\u00a01/2) (3 a\tb\u3000\u0085c))")
    assert [token.text for token in example.reference] == ["1\u00a01/2", "a\tb\u3000\u0085c"]


def test_trees_are_stored_with_their_documents(corpus):
    (example,) = corpus("(1 (2 a) (3 b))")
    stored = DocBin(docs=[example.reference]).to_bytes()
    (again,) = DocBin().from_bytes(stored).get_docs(NLP.vocab)
    assert isinstance(again, Doc)
    assert spans(again) == spans(example.reference)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "(1 a)\n(1 (2 b)",
            "2:1: expected a matching closing bracket, got no more text. Close the bracket.",
        ),
        (
            "(1 a) )",
            "1:7: expected an opening bracket, got ')'. Remove it, or open a bracket before it.",
        ),
        (
            "(1 a)\n  b",
            "2:3: expected an opening bracket, got 'b'. Remove it, or open a bracket before it.",
        ),
        (
            "(1 (2 a)\n  (3))",
            "2:3: expected a word in the bracket, got no word besides the label '3'. " + REMEDY,
        ),
        (
            "(1 a ())",
            "1:6: expected a word in the bracket, got no word. " + REMEDY,
        ),
    ],
)
def test_bad_brackets(corpus, tmp_path, text, message):
    with pytest.raises(CorpusError) as error:
        corpus(text)
    assert str(error.value) == f"{tmp_path / 'trees.txt'}:{message}"
