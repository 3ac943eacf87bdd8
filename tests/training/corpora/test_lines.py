import os
from itertools import pairwise
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.training.corpora.lines import LineCorpus

NLP = spacy.blank("en")
FILES = {"good": "pos.txt", "bad": "neg.txt"}


@pytest.fixture
def corpus(tmp_path):
    def read(good, bad, **settings):
        (tmp_path / "pos.txt").write_text(good, encoding="utf8")
        (tmp_path / "neg.txt").write_text(bad, encoding="utf8")
        reader = LineCorpus(tmp_path, FILES, **settings)
        return [eg.reference for eg in reader(NLP)]

    return read


def texts(docs):
    return [doc.text.strip() for doc in docs]


def test_files_are_read_in_turn(corpus):
    docs = corpus("a\nb\n\nc\n", "x\n")
    assert texts(docs) == ["a", "x", "b", "c"]
    assert docs[0].cats == {"good": 1.0, "bad": 0.0}
    assert docs[1].cats == {"good": 0.0, "bad": 1.0}


def test_limit(corpus):
    assert texts(corpus("a\nb\n", "x\ny\n", limit=3)) == ["a", "x", "b"]


def test_tokens(corpus):
    tokens = [token.text for token in corpus("isn't it, \n", "x\n")[0]]
    assert tokens == ["is", "n't", "it", ","]
    tokens = [token.text for token in corpus("isn't  it, \n", "x\n", tokenized=True)[0]]
    assert tokens == ["isn't", "it,"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), max_size=3), st.integers(0, 3))
def test_shares_part_the_texts(tmp_path_factory, cuts, seed):
    folder = tmp_path_factory.mktemp("lines")
    for name in FILES.values():
        (folder / name).write_text("\n".join(f"{name} {i}" for i in range(40)))
    edges = sorted({0.0, 1.0, *cuts})
    found = []
    for share in pairwise(edges):
        try:
            found += LineCorpus(folder, FILES, share, seed)(NLP)
        except CorpusError:  # nothing falls in so narrow a share
            continue
    texts = sorted(eg.reference.text for eg in found)
    assert texts == sorted(f"{name} {i}" for name in FILES.values() for i in range(40))


def test_a_share_is_fixed_and_of_its_size(corpus):
    lines = "".join(f"text {i}\n" for i in range(4000))
    tenth = texts(corpus(lines, "", share=(0.0, 0.1)))
    assert tenth == texts(corpus(lines, "", share=(0.0, 0.1)))
    assert 340 < len(tenth) < 460  # three standard deviations: 3 * sqrt(4000 * 0.1 * 0.9) = 57
    assert tenth != texts(corpus(lines, "", share=(0.0, 0.1), seed=1))
    # A text falls where it falls, whatever else there is in the files.
    assert set(tenth[:50]) <= set(texts(corpus("\n".join(tenth[:50]), lines, share=(0.0, 0.1))))


@pytest.mark.parametrize("share", [(0.5, 0.5), (0.6, 0.1), (-0.1, 1.0), (0.0, 1.5)])
def test_a_share_out_of_range(tmp_path, share):
    with pytest.raises(SettingsError) as error:
        LineCorpus(tmp_path, FILES, share)
    assert str(error.value) == (
        f"rnnpipe.LineCorpus.v1.share: expected [from, to] with 0 <= from < to <= 1, got {share}."
    )


def test_an_empty_corpus(corpus, tmp_path):
    with pytest.raises(CorpusError) as error:
        corpus("\n", "")
    assert str(error.value) == (
        f"{tmp_path}: expected at least one document, got no documents. Check the path and the "
        "reader's settings."
    )


def test_a_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="pos.txt: expected a text file, got no such file."):
        next(LineCorpus(tmp_path, FILES)(NLP))


@pytest.mark.skipif("RNNPIPE_DATA" not in os.environ, reason="RNNPIPE_DATA names no data folder")
def test_subj():
    folder = Path(os.environ["RNNPIPE_DATA"]) / "subj"
    files = {"subjective": "quote.tok.gt9.5000", "objective": "plot.tok.gt9.5000"}
    held_out = list(LineCorpus(folder, files, (0.0, 0.1), tokenized=True)(NLP))
    assert 900 < len(held_out) < 1100
    subjective = sum(eg.reference.cats["subjective"] for eg in held_out)
    assert 0.4 < subjective / len(held_out) < 0.6
