"""Several streams of a text, chunk by chunk, and batches of one chunk each."""

import pytest
import spacy

from rnnpipe.contracts.types import PLACE
from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.training.corpora import stream
from rnnpipe.training.corpora.stream import StreamBatcher, TextStream

nlp = spacy.blank("en")
TEXT = "First line, it is.\nThen a second one!\n\nAnd the é last, without an end"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text").write_text(TEXT, encoding="utf8")
    return tmp_path / "text"


def streams_of(examples):
    """The new tokens of every chunk, by stream."""
    streams = {}
    for example in examples:
        stream, begin, end, backward = example.reference.user_data[PLACE]
        words = [token.text for token in example.predicted]
        if backward:
            words.reverse()
        so_far = streams.setdefault(stream, [])
        assert begin == len(so_far)
        if begin:  # the token before is there too
            assert words.pop(0) == so_far[-1]
        so_far += words
        assert end == len(so_far)
    return streams


@pytest.mark.parametrize("streams", [1, 3, 7])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_chunks_of_characters_make_up_the_text(path, streams, chunk):
    read = streams_of(TextStream(path, streams=streams, chunk=chunk)(nlp))
    assert "".join("".join(read[i]) for i in range(streams)) == TEXT
    lengths = [len(part) for part in read.values()]
    assert max(lengths) - min(lengths) <= 1


def test_chunks_of_words_make_up_the_text(path):
    whole = [t.text for line in TEXT.splitlines(keepends=True) for t in nlp.make_doc(line)]
    assert "\n" in whole
    read = streams_of(TextStream(path, tokens="words", streams=2, chunk=3)(nlp))
    assert read[0] + read[1] == whole
    assert read[0][-1] == "\n"  # streams are cut between lines


@pytest.mark.parametrize("tokens", ["characters", "words"])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_streams_read_backward_are_the_same_the_other_way_round(path, tokens, chunk, monkeypatch):
    monkeypatch.setattr(stream, "_BLOCK", 10)
    settings = {"tokens": tokens, "streams": 2, "chunk": chunk}
    ahead = streams_of(TextStream(path, **settings)(nlp))
    back = streams_of(TextStream(path, backward=True, **settings)(nlp))
    assert back == {number: words[::-1] for number, words in ahead.items()}
    whole = {**settings, "chunk": 0}
    texts = [
        [eg.predicted.text for eg in TextStream(path, backward=way, **whole)(nlp)]
        for way in (True, False)
    ]
    assert texts[0] == texts[1]


def test_whole_streams_are_plain_documents(path):
    examples = list(TextStream(path, streams=2, chunk=0)(nlp))
    assert [eg.predicted.text for eg in examples] == [
        TEXT[: len(TEXT) // 2],
        TEXT[len(TEXT) // 2 :],
    ]
    assert all(PLACE not in eg.reference.user_data for eg in examples)
    words = TextStream(path, tokens="words", chunk=0)(nlp)
    assert [eg.predicted.text for eg in words] == [TEXT]


def test_parts_by_position_meet_and_do_not_overlap(path):
    parts = [(0.0, 0.3), (0.3, 0.9), (0.9, 1.0)]
    read = [streams_of(TextStream(path, part=part)(nlp))[0] for part in parts]
    assert "".join("".join(part) for part in read) == TEXT
    assert len(read[0]) == round(0.3 * len(TEXT))


def test_a_reader_can_be_read_again(path):
    corpus = TextStream(path, streams=2, chunk=5)
    assert streams_of(corpus(nlp)) == streams_of(corpus(nlp))


def test_no_string_is_kept_but_the_characters(tmp_path):
    path = tmp_path / "long"
    path.write_text("abc" * 2000)
    pipeline = spacy.blank("xx")
    before = len(pipeline.vocab.strings)
    for _ in TextStream(path, streams=3, chunk=7)(pipeline):
        pass
    assert len(pipeline.vocab.strings) <= before + 3


def test_batches_hold_one_chunk_of_each_stream(path):
    batches = list(StreamBatcher()(TextStream(path, streams=3, chunk=5)(nlp)))
    places = [[eg.reference.user_data[PLACE] for eg in batch] for batch in batches]
    assert all([stream for stream, *_ in batch] == [0, 1, 2] for batch in places[:-1])
    assert all(len({begin for _, begin, *_ in batch}) == 1 for batch in places)
    assert sum(map(len, batches)) == len(list(TextStream(path, streams=3, chunk=5)(nlp)))


def test_other_examples_in_the_batcher(path):
    with pytest.raises(CorpusError, match="StreamBatcher.v1: expected chunks of streams.*by_words"):
        list(StreamBatcher()(TextStream(path, chunk=0)(nlp)))


@pytest.mark.parametrize("part", [(0.5, 0.5), (-0.1, 1.0), (0.0, 1.1), (0.9, 0.1)])
def test_a_part_that_is_none(path, part):
    with pytest.raises(
        SettingsError, match=r"part: expected \[from, to\] with 0 <= from < to <= 1"
    ):
        TextStream(path, part=part)


def test_no_path():
    with pytest.raises(SettingsError, match="path: expected the path of the corpus, got no path"):
        TextStream(None)


def test_a_text_that_is_too_short(tmp_path):
    path = tmp_path / "text"
    path.write_text("")
    with pytest.raises(CorpusError, match="a text of at least 2 characters for streams = 1, got 0"):
        TextStream(path)(nlp)
    path.write_text("one line")
    with pytest.raises(CorpusError, match="at least 10 characters for streams = 5, got 8.*lower"):
        TextStream(path, streams=5)(nlp)
    assert streams_of(TextStream(path)(nlp)) == {0: list("one line")}
