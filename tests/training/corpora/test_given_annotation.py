import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from rnnpipe.errors import CorpusError, SettingsError, StructureError
from rnnpipe.training.corpora.given_annotation import GivenAnnotation

NLP = spacy.blank("en")


def parsed(tags=("P", "V", "N")):
    words = ["we", "saw", "it"]
    doc = Doc(NLP.vocab, words=words, heads=[1, 1, 1], deps=["a", "ROOT", "b"], tags=tags)
    doc.spans["constituents"] = [Span(doc, 0, 3, label="S")]
    return doc


@pytest.fixture
def read(tmp_path):
    def read(docs, keep):
        DocBin(docs=docs).to_disk(tmp_path / "part.spacy")
        return list(GivenAnnotation(tmp_path, keep)(NLP))

    return read


def test_dependencies(read):
    _, example = read([Doc(NLP.vocab), parsed()], ["dependencies"])
    given = example.predicted
    assert [token.head.i for token in given] == [1, 1, 1]
    assert [token.dep_ for token in given] == ["a", "ROOT", "b"]
    assert not given.has_annotation("TAG") and not given.spans
    assert example.reference.has_annotation("TAG")


def test_spans(read):
    (example,) = read([parsed()], ["spans.constituents"])
    (span,) = example.predicted.spans["constituents"]
    assert (span.start, span.end, span.label_) == (0, 3, "")
    assert not example.predicted.has_annotation("HEAD")


@pytest.mark.parametrize(
    ("keep", "problem"),
    [
        ("dependencies", "expected gold dependencies, got no heads."),
        ("spans.trees", "expected gold spans in doc.spans['trees'], got no such span group."),
    ],
)
def test_a_document_without_it(read, keep, problem):
    with pytest.raises(StructureError) as error:
        read([Doc(NLP.vocab, words=["we"])], [keep])
    assert str(error.value) == f"the document 'we ': {problem}"


@pytest.mark.parametrize("keep", ["tags", "spans."])
def test_what_cannot_be_kept(tmp_path, keep):
    with pytest.raises(SettingsError) as error:
        GivenAnnotation(tmp_path, [keep])
    assert str(error.value) == (
        "rnnpipe.GivenAnnotation.v1.keep: expected 'dependencies', 'image' or 'spans.' and a "
        f"group's name, got {keep!r}."
    )


def test_a_file_that_is_none_of_spacys(tmp_path):
    (tmp_path / "text.txt").write_text("words")
    with pytest.raises(CorpusError, match=r"text.txt: expected a file of spaCy documents, got"):
        list(GivenAnnotation(tmp_path / "text.txt", ["dependencies"])(NLP))
