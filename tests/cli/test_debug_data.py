"""``spacy rnn debug-data``"""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import spacy
from helpers.commands import fails, run, works
from spacy.tokens import Doc, DocBin, Span

from rnnpipe.cli.config_choices import Choices, config_for
from rnnpipe.cli.config_text import shipped_config
from rnnpipe.errors import LabelError
from rnnpipe.instruments.corpus_facts import (
    histogram,
    majority_accuracy,
    memory_accuracy,
    share_outside,
)
from rnnpipe.training.corpora.conll import ConllCorpus

WIDE = {"COLUMNS": "200"}


@pytest.fixture
def config(tmp_path):
    """The config of a task, and where its corpora are; the latter as options."""

    def write(task, train, dev, data=None):
        path = tmp_path / f"{task}.cfg"
        path.write_text(config_for(Choices(task, None, {}, "small", False, None, data), "x.cfg"))
        return [path, "--paths.train", train, "--paths.dev", dev]

    return write


@pytest.fixture
def documents(tmp_path):
    """Writes documents in spaCy's format: words, tags, entities, categories."""

    def write(name, rows):
        nlp, bin_ = spacy.blank("en"), DocBin()
        for text, tags, ents, cats in rows:
            words = text.split()
            doc = Doc(nlp.vocab, words=words, tags=tags.split() if tags else None)
            doc.ents = [Span(doc, *ent) for ent in ents]
            doc.cats = cats
            bin_.add(doc)
        bin_.to_disk(tmp_path / name)
        return tmp_path / name

    return write


def shown(*arguments):
    return " ".join(works("debug-data", *arguments, env=WIDE).split())


TRAIN = [
    ("Ada met Babbage", "N V N", [(0, 1, "PER"), (2, 3, "PER")], {"a": 1.0, "b": 0.0}),
    ("Ada slept", "N V", [(0, 1, "PER")], {"a": 1.0, "b": 0.0}),
    ("Ada slept", "N V", [(0, 1, "PER")], {"a": 0.0, "b": 1.0}),
]
DEV = [
    ("Ada slept", "N V", [(0, 1, "PER")], {"a": 1.0, "b": 0.0}),
    ("Bob met Oz", "N V X", [(2, 3, "LOC")], {"a": 0.0, "b": 1.0}),
]


def test_entities(config, documents):
    text = shown(*config("ner", documents("train.spacy", TRAIN), documents("dev.spacy", DEV)))
    assert "documents 3 2 tokens 7 5 unique words 4 5" in text
    assert "2 to 2 2 " in text
    assert "3 to 3 1 " in text
    assert "median 2, 95th percentile 3, maximum 3" in text
    assert "40.00% of words (2) are unknown: 'Bob', 'Oz'" in text
    assert "of characters (3) are unknown: " in text
    assert "ner: doc.ents Label Train Dev PER 4 1" in text
    assert "50.0% of dev entities do not occur in train with their label" in text
    assert "advice 1 of 2 dev documents also occur in train: their scores" in text
    assert "advice 1 train documents are duplicates." in text
    assert "advice ner: fewer than 10 training examples: 'PER'." in text
    assert "advice ner: labels that occur only in dev: 'LOC'." in text
    assert text.endswith("ok No problems found.")


def test_tags_and_what_is_right_by_chance(config, documents):
    text = shown(*config("tagger", documents("train.spacy", TRAIN), documents("dev.spacy", DEV)))
    assert "tagger: token.tag Label Train Dev N 4 2 V 3 2" in text
    assert "baseline, most frequent label: 40.0% correct" in text
    assert "baseline, most frequent label per word: 80.0% correct" in text  # all but Oz


def test_categories(config, documents):
    text = shown(*config("textcat", documents("train.spacy", TRAIN), documents("dev.spacy", DEV)))
    assert "textcat: doc.cats Label Train Dev a 2 1 b 1 1" in text
    assert "baseline, most frequent label: 50.0% correct" in text
    assert "label per word" not in text


def test_images(tmp_path):
    path, images = tmp_path / "grey.npz", np.random.default_rng(0).integers(17, size=(200, 8, 8))
    images[1:3] = images[0]
    np.savez(path, images=images.astype(np.uint8), target=np.zeros(200))
    text = shown(shipped_config("digits"), "--paths.train", path, "--paths.dev", path)
    n_train, n_dev = map(int, text.split(" images ")[1].split()[:2])
    assert n_train + n_dev == 200
    assert "advice 2 train documents are duplicates." in text
    for missing in ("Tokens per document", "unknown", "also occur in train", "have no tokens"):
        assert missing not in text


def test_no_annotation(config, documents):
    rows = [(text, None, [], {}) for text, *_ in TRAIN]
    path = documents("train.spacy", rows)
    for task, annotation in (("textcat", "doc.cats"), ("tagger", "token.tag"), ("ner", "doc.ents")):
        result = run("debug-data", *config(task, path, path), env=WIDE)
        assert result.exit_code == 1
        assert f"problem {task}: no training example has {annotation}.\n" in result.stdout


ILLEGAL = "a O\nb I-PER\n\nc B-PER\nd I-LOC\ne I-PER\n\nf S-PER\n\ng B-PER\n"


def test_illegal_tags_are_all_listed_with_their_lines(config, tmp_path):
    path = tmp_path / "train.conll"
    path.write_text(ILLEGAL)
    result = run("debug-data", *config("ner", path, path, data="text"), env=WIDE)
    assert result.exit_code == 1
    lines = [x for x in result.stdout.splitlines() if x.startswith("problem")]
    assert [line.split(": expected")[0] for line in lines] == [
        f"problem {path}:{n}" for n in (2, 5, 8)
    ]
    assert "expected a tag that BIO allows after 'B-PER', got 'I-LOC'" in lines[1]
    assert "after 'the edge of the document', got 'S-PER'" in lines[2]
    assert " PER    4      4   \n" in result.stdout


def test_illegal_tags_still_stop_training(tmp_path):
    path = tmp_path / "train.conll"
    path.write_text(ILLEGAL)
    with pytest.raises(LabelError, match=r"train.conll:2: expected a tag that BIO allows after"):
        list(ConllCorpus(path, ner_column=-1)(spacy.blank("en")))


def test_many_illegal_tags_are_counted(config, tmp_path):
    path = tmp_path / "train.conll"
    path.write_text("a I-PER\n\n" * 12)
    result = run("debug-data", *config("ner", path, path, data="text"), env=WIDE)
    assert result.stdout.count("expected a tag that BIO allows") == 8
    assert "and 4 more illegal tag sequences" in result.stdout


def test_the_symbols_of_a_language_model(config, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("abcd" * 500 + "x" * 200)
    text = shown(*config("lm", path, path))
    assert "lm: symbols Unique Train Dev Unknown in dev text 6 1980 220 90.91%" in text


def test_the_symbols_of_two_texts(config, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("abc\ta b z\ncb\tc b\n")
    text = shown(*config("seq2seq", path, path))
    assert "source 5 5 5 0.00% target 6 5 5 0.00%" in text
    assert "80.0% of target symbols also occur in their source" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.cfg"], "gone.cfg: expected a config file, got no such file. Correct the path."),
        (["CONFIG", "--paths.train", "gone.spacy", "--paths.dev", "x"], "gone.spacy"),
        (["CONFIG", "--nlp.pipeline", "3"], "x.cfg: "),
        (["CONFIG", "--components.ner.model.encoder.width", "0"], "components.ner.model.encoder."),
    ],
)
def test_what_cannot_be_read(config, tmp_path, arguments, message):
    path = tmp_path / "x.cfg"
    path.write_text(config_for(Choices("ner", None, {}, "small", False, None, None), "x.cfg"))
    rest = [path if a == "CONFIG" else a for a in arguments]
    assert message in fails("debug-data", *rest, env=WIDE)


def test_accuracies():
    train = [("a", "X"), ("a", "X"), ("a", "Y"), ("b", "Y"), ("c", "X")]
    dev = [("a", "X"), ("b", "Y"), ("new", "X"), ("c", "Y")]
    assert majority_accuracy(train, dev) == 0.5
    assert memory_accuracy(train, dev) == 0.75
    assert majority_accuracy([], dev) == memory_accuracy(train, []) == 0.0


def test_histograms_hold_everything():
    lengths = [3, 3, 4, 9, 30]
    ranges = histogram(lengths, 4)
    assert sum(n for *_, n in ranges) == 5
    assert ranges[0][0] == 3
    assert ranges[-1][1] == 30
    assert all(high + 1 == low for (_, high, _), (low, *_) in pairwise(ranges))
    assert histogram([7, 7], 10) == [(7, 7, 2)]


def test_nothing_is_outside_of_nothing():
    assert share_outside(Counter(), []) == 0.0
    assert share_outside(Counter("aab"), ["b"]) == pytest.approx(2 / 3)
