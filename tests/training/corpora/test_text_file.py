"""Any part of a text file, without holding all of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnpipe.errors import CorpusError
from rnnpipe.training.corpora import text_file
from rnnpipe.training.corpora.text_file import TextFile

TEXTS = st.text(st.sampled_from("ab\né€😀"), max_size=40)
REUSED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(text_file, "_BLOCK", 5)


@given(
    text=TEXTS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ends=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
@REUSED
def test_any_part(tmp_path, text, encoding, ends):
    path = tmp_path / "text"
    path.write_bytes(text.encode(encoding))
    file = TextFile(path, encoding)
    begin, end = (min(n, len(text)) for n in ends)
    assert file.length == len(text)
    assert "".join(file.read(begin, end)) == text[begin:end]


@given(text=TEXTS, cuts=st.tuples(st.integers(0, 40), st.integers(0, 40)))
@REUSED
def test_every_line_belongs_to_one_part(tmp_path, text, cuts):
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    file = TextFile(path)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [list(file.lines(*edges[i : i + 2])) for i in range(3)]
    assert [line for part in parts for line in part] == [
        line for line in text.splitlines(keepends=True) if line
    ]


def test_a_byte_order_mark_is_no_character(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffabc".encode())
    file = TextFile(path)
    assert (file.length, "".join(file.read(0, 2)), "".join(file.read(1, 3))) == (3, "ab", "bc")


@pytest.mark.parametrize("n_before", [0, 3, 4, 5, 11])
def test_bytes_that_are_not_in_the_encoding(tmp_path, n_before):
    path = tmp_path / "text"
    path.write_bytes(b"x" * n_before + b"caf\xe9 au lait")
    text = f"text, byte {n_before + 3}: expected text in utf-8, got '0xe9'. Set the reader's enc"
    with pytest.raises(CorpusError, match=text):
        TextFile(path)
    assert TextFile(path, "latin-1").length == n_before + 12


def test_a_file_that_ends_within_a_character(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("12345€".encode()[:-1])
    with pytest.raises(CorpusError, match="byte 5: expected text in utf-8, got '0xe2'"):
        TextFile(path)


@pytest.mark.parametrize("encoding", ["nonsense", "rot13", "base64"])
def test_what_is_no_text_encoding(tmp_path, encoding):
    path = tmp_path / "text"
    path.write_text("abc")
    with pytest.raises(CorpusError, match=f"encoding: expected a text encoding .* '{encoding}'"):
        TextFile(path, encoding)


def test_what_is_no_file(tmp_path):
    with pytest.raises(CorpusError, match="expected a text file, got 'a folder'"):
        TextFile(tmp_path)
    with pytest.raises(CorpusError, match="expected a text file, got no such file"):
        TextFile(tmp_path / "none")
