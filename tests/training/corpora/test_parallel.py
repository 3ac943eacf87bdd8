"""Parallel texts: which pairs are read, and what is said of files that hold none."""

import pytest
import spacy

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.training.corpora.parallel import ParallelCorpus

nlp = spacy.blank("en")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pairs.tsv"


def write(path, *lines, encoding="utf-8"):
    path.write_bytes("\n".join(lines).encode(encoding) + b"\n")


def read(path, **settings):
    examples = ParallelCorpus(path, **settings)(nlp)
    return [(eg.predicted.text, eg.reference._.translation) for eg in examples]


def test_a_pair_a_line(path):
    write(path, "Go.\tVa !", "", "Run!\tCours !")
    assert read(path) == [("Go.", "Va !"), ("Run!", "Cours !")]
    assert read(path, source=1, target=0) == [("Va !", "Go."), ("Cours !", "Run!")]
    (first, _) = ParallelCorpus(path)(nlp)
    assert first.predicted._.translation is None


def test_other_columns_separators_and_attributes(path):
    write(path, "1|one|un", "2|two|deux")
    assert read(path, source=-1, target=1, separator="|") == [("un", "one"), ("deux", "two")]
    examples = list(ParallelCorpus(path, separator="|", attribute="digit", source=1, target=0)(nlp))
    assert [eg.reference._.digit for eg in examples] == ["1", "2"]


def test_shares_keep_texts_of_a_side_together(path):
    pairs = [(f"a{i // 3}", f"b{i % 70}") for i in range(300)]
    write(path, *map("\t".join, pairs))
    for side in ("source", "target"):
        low = read(path, share=(0.0, 0.5), split_by=side)
        high = read(path, share=(0.5, 1.0), split_by=side)
        assert sorted(low + high) == sorted(pairs)
        sides = [{pair[side == "target"] for pair in part} for part in (low, high)]
        assert not sides[0] & sides[1]
    low = read(path, share=(0.0, 0.5))
    assert 100 < len(low) < 200
    assert low == read(path, share=(0.0, 0.5))
    assert low != read(path, share=(0.0, 0.5), seed=1)


def test_a_limit_draws_from_the_whole_share(path):
    pairs = [(f"a{i}", f"b{i}") for i in range(200)]
    write(path, *map("\t".join, pairs), "a0\tb0", "a1\tb1")
    drawn = read(path, limit=50)
    assert drawn == read(path, limit=50)
    assert drawn != read(path, limit=50, seed=1)
    assert len(set(drawn)) == 50 and set(drawn) < set(pairs)
    assert set(drawn) < set(read(path, limit=60))
    assert sum(pair in pairs[:100] for pair in drawn) in range(10, 41)
    share = read(path, share=(0.0, 0.3))
    within = read(path, share=(0.0, 0.3), limit=20)
    assert len(within) == 20 and set(within) < set(share)
    assert sorted(read(path, limit=1000)) == sorted(pairs)


def test_a_line_without_a_column(path):
    write(path, "Go.\tVa !", "Run!")
    with pytest.raises(CorpusError, match=r"pairs.tsv:2: expected 2 columns, as in line 1, got 1"):
        read(path)
    write(path, "Go.\tVa !", "Run!\t")
    with pytest.raises(CorpusError, match=r"pairs.tsv:2: expected a value in column 1 \(target"):
        read(path)
    with pytest.raises(CorpusError, match=r"pairs.tsv:1: expected a column for target, got"):
        read(path, target=2)


def test_another_encoding(path):
    write(path, "Go.\tVa !", "Hey!\tHé !", encoding="latin-1")
    text = r"pairs.tsv:2, byte 15 of the file: expected text in utf-8, got '0xe9'. Set"
    with pytest.raises(CorpusError, match=text):
        read(path)
    assert read(path, encoding="latin-1")[1] == ("Hey!", "Hé !")


def test_no_pairs(path, tmp_path):
    write(path, "")
    with pytest.raises(CorpusError, match="expected at least one document, got no documents"):
        read(path)
    with pytest.raises(CorpusError, match="expected a text file, got no such file"):
        read(tmp_path / "missing")
    with pytest.raises(SettingsError, match="path: expected the path of the corpus, got no path"):
        ParallelCorpus(None)


def test_a_share_that_is_none(path):
    with pytest.raises(SettingsError, match=r"share: expected \[from, to\]"):
        ParallelCorpus(path, share=(0.5, 0.5))
