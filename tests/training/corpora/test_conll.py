import os
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import CorpusError, LabelError, SettingsError
from rnnpipe.training.corpora.conll import ConllCorpus

CONLL2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP I-ORG
rejects VBZ B-VP O
German JJ B-NP I-MISC
lamb NN I-NP B-MISC

Peter NNP B-NP I-PER

-DOCSTART- -X- -X- O

Rome NNP B-NP I-LOC
"""


NLP = spacy.blank("en")


@pytest.fixture
def corpus(tmp_path):
    """Writes a file, reads it with the given settings, and returns its gold documents."""

    def read(text, **settings):
        path = tmp_path / "a.conll"
        path.write_text(text, encoding="utf8")
        return [eg.reference for eg in ConllCorpus(path, **settings)(NLP)]

    return read


def words(doc):
    return [token.text for token in doc]


def entities(doc):
    return [(ent.text, ent.label_) for ent in doc.ents]


def test_conll_2003(corpus):
    docs = corpus(CONLL2003, ner_column=-1, tag_column=1, scheme="IOB1")
    assert [words(doc) for doc in docs] == [
        ["EU", "rejects", "German", "lamb"],
        ["Peter"],
        ["Rome"],
    ]
    assert [token.tag_ for token in docs[0]] == ["NNP", "VBZ", "JJ", "NN"]
    assert entities(docs[0]) == [("EU", "ORG"), ("German", "MISC"), ("lamb", "MISC")]
    assert [token.ent_iob_ for token in docs[0]] == ["B", "O", "B", "B"]


def test_the_pipeline_gets_the_words_without_their_annotation(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(CONLL2003)
    example = next(ConllCorpus(path, ner_column=3, tag_column=1, scheme="IOB1")(NLP))
    assert words(example.predicted) == words(example.reference)
    assert not example.predicted.has_annotation("ENT_IOB")
    assert not example.predicted.has_annotation("TAG")
    assert example.predicted.vocab is NLP.vocab


def test_tabs_spaces_and_white_lines(corpus):
    # WNUT17 ends its sentences with a tab.
    docs = corpus("new york\tB-LOC\n\t\n#tag\tO\n \n\nx  O\n", ner_column=-1)
    assert [words(doc) for doc in docs] == [["new york"], ["#tag"], ["x"]]


def test_another_separator_and_comments(corpus):
    docs = corpus("# id 1\na|O\n# id 2\nb|B-X\n", ner_column=1, separator="|", comments="# ")
    assert [words(doc) for doc in docs] == [["a", "b"]]
    assert entities(docs[0]) == [("b", "X")]


@pytest.mark.parametrize(
    ("size", "lengths"), [(1, [4, 1, 1]), (2, [5, 1]), (9, [5, 1]), (0, [5, 1])]
)
def test_sentences_make_documents(corpus, size, lengths):
    docs = corpus(CONLL2003, tag_column=1, sentences_per_doc=size)
    assert [len(doc) for doc in docs] == lengths
    starts = [token.text for doc in docs for token in doc if token.is_sent_start]
    assert starts == ["EU", "Peter", "Rome"]


def test_an_entity_does_not_cross_sentences(corpus):
    with pytest.raises(
        LabelError, match="a.conll:3: expected a tag that BIO allows after 'the edge"
    ):
        corpus("a B-X\n\nb I-X\n", ner_column=1, sentences_per_doc=0)


def test_missing_annotations(corpus):
    (doc,) = corpus("a _ _\nb N B-X\nc N O\n", tag_column=1, ner_column=2)
    assert [token.tag_ for token in doc] == ["", "N", "N"]
    assert [token.ent_iob_ for token in doc] == ["", "B", "O"]


def test_only_outside_tags_are_an_annotation(corpus):
    (doc,) = corpus("a O\nb O\n", ner_column=1)
    assert doc.has_annotation("ENT_IOB") and not doc.ents


def test_limit_and_augmenter(corpus):
    assert len(corpus(CONLL2003, tag_column=1, limit=2)) == 2

    def twice(nlp, example):
        yield example
        yield example

    assert len(corpus(CONLL2003, tag_column=1, limit=2, augmenter=twice)) == 4


@pytest.mark.parametrize(
    ("scheme", "tags", "line", "previous", "tag"),
    [
        ("BIO", "O I-X", 2, "O", "I-X"),
        ("BIO", "B-X I-Y", 2, "B-X", "I-Y"),
        ("BIO", "I-X", 1, "the edge of the document", "I-X"),
        ("BIO", "O S-X", 2, "O", "S-X"),
        ("BIO", "O B_X", 2, "O", "B_X"),
        ("IOB1", "O B-X", 2, "O", "B-X"),
        ("BIOES", "B-X O", 2, "B-X", "O"),
        ("BIOES", "O B-X", 2, "B-X", "the edge of the document"),
        ("BILUO", "B-X I-X B-X", 3, "I-X", "B-X"),
        ("BMES", "S-X M-X", 2, "S-X", "M-X"),
        ("IO", "O X", 2, "O", "X"),
    ],
)
def test_illegal_tags_are_reported_with_their_line(corpus, scheme, tags, line, previous, tag):
    # The first sentence makes every legal tag of the scheme known beforehand.
    legal = "x O\n\n"
    text = legal + "".join(f"word {tag}\n" for tag in tags.split())
    with pytest.raises(LabelError) as error:
        corpus(text, ner_column=1, scheme=scheme)
    place, _, message = str(error.value).partition(": ")
    assert place.endswith(f"a.conll:{line + 2}")
    assert message == (
        f"expected a tag that {scheme} allows after {previous!r}, got {tag!r}. Correct the file, "
        f"or set the reader's scheme to the scheme of the file."
    )


def test_a_tag_without_a_type(corpus):
    with pytest.raises(
        LabelError, match="a.conll:2: expected a type, as in 'B-PERSON', got 'B'. Add"
    ):
        corpus("a O\nb B\n", ner_column=1)


def test_an_illegal_sequence_of_known_tags(corpus):
    with pytest.raises(
        LabelError, match="a.conll:5: expected a tag that BIO allows after 'O', got"
    ):
        corpus("a B-X\nb I-X\n\nc O\nd I-X\n", ner_column=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a O\nb O\n\nc\n", "a.conll:4: expected 2 columns, as in line 1, got 1. Correct the line"),
        ("a O\nb X O\n", "a.conll:2: expected 2 columns, as in line 1, got 3. Correct the line"),
        (
            "a\n",
            "a.conll:1: expected a column for ner_column, got 'ner_column = 1 in 1 columns'. Set ",
        ),
        ("a\tO\n\tO\n", r"a.conll:2: expected a value in column 0 \(token_column\), got no text"),
        ("a\tO\nb\t\n", r"a.conll:2: expected a value in column 1 \(ner_column\), got no text"),
        ("", "a.conll: expected at least one document, got no documents. Check the path and the"),
        ("\n \n-DOCSTART- O\n", "a.conll: expected at least one document, got no documents."),
    ],
)
def test_files_that_are_no_column_files(corpus, text, message):
    with pytest.raises(CorpusError, match=message):
        corpus(text, ner_column=1)


def test_nothing_to_read(tmp_path):
    with pytest.raises(SettingsError) as error:
        ConllCorpus(tmp_path / "a.conll")
    assert str(error.value) == (
        "rnnpipe.ConllCorpus.v1: expected a number for ner_column or tag_column, got no number for "
        "either. Set ner_column = -1, for instance, where the last column holds entity tags."
    )


def test_an_unknown_scheme(tmp_path):
    with pytest.raises(
        SettingsError, match="ConllCorpus.v1.scheme: expected one of BIO, IOB1, .*got "
    ):
        ConllCorpus(tmp_path / "a.conll", ner_column=1, scheme="BIOE")


@settings(max_examples=50, deadline=None)
@given(
    sentences=st.lists(
        st.lists(st.tuples(st.text("ab#-é", min_size=1), st.sampled_from("NV")), min_size=1),
        min_size=1,
    ),
    size=st.integers(1, 3),
)
def test_what_is_written_is_read(tmp_path_factory, sentences, size):
    path = tmp_path_factory.mktemp("conll") / "a.conll"
    rows = ["\n".join(f"{word} {tag}" for word, tag in sentence) for sentence in sentences]
    path.write_text("\n\n".join(rows), encoding="utf8")
    corpus = ConllCorpus(path, tag_column=-1, sentences_per_doc=size)
    docs = [eg.reference for eg in corpus(NLP)]
    assert len(docs) == -(-len(sentences) // size)
    read = [
        [(token.text, token.tag_) for token in sentence] for doc in docs for sentence in doc.sents
    ]
    assert read == sentences


@pytest.mark.skipif("RNNPIPE_DATA" not in os.environ, reason="RNNPIPE_DATA names no data folder")
@pytest.mark.parametrize(
    ("file", "n_sentences", "n_entities"),
    [("wnut17train.conll", 3394, 1975), ("emerging.dev.conll", 1009, 836)],
)
def test_wnut17(file, n_sentences, n_entities):
    path = Path(os.environ["RNNPIPE_DATA"]) / "wnut17" / file
    docs = [eg.reference for eg in ConllCorpus(path, ner_column=-1)(NLP)]
    assert len(docs) == n_sentences
    assert sum(len(doc.ents) for doc in docs) == n_entities
