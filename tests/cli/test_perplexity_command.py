"""``spacy rnn perplexity``"""

import json
import math

import pytest
from helpers.commands import fails, works
from helpers.small_pipelines import TEXT


def test_the_table_has_units_and_counts(models, text_file):
    path = text_file(TEXT + "é")
    table = " ".join(works("perplexity", models / "characters", path).split())
    got = json.loads(works("perplexity", models / "characters", path, "--json"))
    for part in (
        f"Cross-entropy {got['nats_per_symbol']:.4f} nats per symbol",
        f"Perplexity {got['perplexity_per_symbol']:.4f} per symbol",
        f"Bits per character {got['bits_per_character']:.4f} bits per character",
        "Symbols 65 predicted, end symbols included",
        "Characters 65 Documents 1 Unknown 1.54% 1 symbols",
    ):
        assert part in table
    nats = got["nats_per_symbol"]
    assert got["perplexity_per_symbol"] == pytest.approx(math.exp(nats))
    assert got["bits_per_character"] == pytest.approx(nats / math.log(2))
    assert got["unknown_share"] == pytest.approx(1 / 65)


def test_by_line(models, text_file):
    path = text_file("the rose\r\n\r\n  \nis red")
    got = json.loads(works("perplexity", models / "ends", path, "--by-line", "--json"))
    assert (got["documents"], got["characters"], got["symbols"]) == (2, 14, 16)
    got = json.loads(works("perplexity", models / "ends", path, "--json"))
    assert (got["documents"], got["characters"], got["symbols"]) == (1, 21, 22)


def test_words(models, text_file):
    got = json.loads(
        works("perplexity", models / "words", text_file("the rose\nthe sun"), "--json")
    )
    assert (got["symbols"], got["unknown_symbols"], got["characters"]) == (5, 1, 16)


def test_other_encodings(models, text_file):
    path = text_file("the sky is blé", "latin-1")
    got = json.loads(
        works("perplexity", models / "characters", path, "--encoding", "latin-1", "--json")
    )
    assert got["characters"] == 14
    for options in ([], ["--by-line"]):
        error = fails("perplexity", models / "characters", path, *options)
        assert str(path) in error
        assert "byte 13" in error
        assert "expected text in utf-8, got '0xe9'. Set the reader's encoding" in error


@pytest.mark.parametrize("options", [[], ["--by-line"]])
def test_nothing_to_read(models, text_file, tmp_path, options):
    path = text_file("")
    assert fails("perplexity", models / "characters", path, *options) == (
        f"Error: {path}: expected a file with text in it, got no text. Choose another file."
    )
    gone = tmp_path / "gone.txt"
    assert fails("perplexity", models / "characters", gone, *options) == (
        f"Error: {gone}: expected a text file, got no such file. Correct the path."
    )


def test_only_blank_lines(models, text_file):
    error = fails("perplexity", models / "characters", text_file("\n \n"), "--by-line")
    assert "expected a file with text in it" in error
