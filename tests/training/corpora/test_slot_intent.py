import os
from pathlib import Path

import pytest
import spacy

from rnnpipe.errors import CorpusError, LabelError
from rnnpipe.training.corpora.slot_intent import SlotIntentCorpus

NLP = spacy.blank("en")


@pytest.fixture
def corpus(tmp_path):
    def read(words, slots, intents, name="dev.{}", path="dev", **settings):
        for part, text in (("seq.in", words), ("seq.out", slots), ("label", intents)):
            (tmp_path / name.format(part)).write_text(text, encoding="utf8")
        reader = SlotIntentCorpus(tmp_path / path, **settings)
        return [eg.reference for eg in reader(NLP)]

    return read


@pytest.mark.parametrize(("name", "path"), [("dev.{}", "dev"), ("{}", "")])
def test_words_slots_and_intents(corpus, name, path):
    docs = corpus(
        "play  some blues \nrain today ?\n\n",
        "O O B-genre \nO B-date O\n\n",
        "Play\nWeather\n\n",
        name,
        path,
    )
    assert [[token.text for token in doc] for doc in docs] == [
        ["play", "some", "blues"],
        ["rain", "today", "?"],
    ]
    assert [[(ent.text, ent.label_) for ent in doc.ents] for doc in docs] == [
        [("blues", "genre")],
        [("today", "date")],
    ]
    assert docs[0].cats == {"Play": 1.0, "Weather": 0.0}
    assert docs[1].cats == {"Play": 0.0, "Weather": 1.0}


def test_limit(corpus):
    assert len(corpus("a\nb\n", "O\nO\n", "X\nY\n", limit=1)) == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ("a b\n", "O\n", "X\n"),
            "dev.seq.out:1: expected 2 tags, one per word of dev.seq.in, got 1. Correct the",
        ),
        (
            ("a\nb\n", "O\n", "X\nX\n"),
            "dev.seq.out: expected line 2, as in the other files, got no more",
        ),
        (
            ("a\n", "O\n", "X\nX\n"),
            "dev.seq.in: expected line 2, as in the other files, got no more li",
        ),
        (("a\n", "O\n", "\n"), "dev.label:1: expected an intent, got no text. Correct the line."),
        (("", "", ""), "dev: expected at least one document, got no documents."),
    ],
)
def test_files_that_do_not_match(corpus, files, message):
    with pytest.raises(CorpusError, match=message):
        corpus(*files)


def test_an_illegal_slot(corpus):
    with pytest.raises(LabelError) as error:
        corpus("a b\nc d\n", "O O\nO I-x\n", "X\nX\n")
    assert "dev.seq.out:2, tag 2: expected a tag that BIO allows after 'O', got 'I-x'." in str(
        error.value
    )


def test_a_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="dev.label: expected a text file, got no such file."):
        next(SlotIntentCorpus(tmp_path / "dev")(NLP))


@pytest.mark.skipif("RNNPIPE_DATA" not in os.environ, reason="RNNPIPE_DATA names no data folder")
def test_snips():
    path = Path(os.environ["RNNPIPE_DATA"]) / "snips" / "valid"
    docs = [eg.reference for eg in SlotIntentCorpus(path)(NLP)]
    assert len(docs) == 700
    tags = path.with_name("valid.seq.out").read_text(encoding="utf8").split()
    assert sum(len(doc.ents) for doc in docs) == sum(tag.startswith("B-") for tag in tags)
    assert all(sorted(doc.cats.values()) == [0.0] * 6 + [1.0] for doc in docs)
