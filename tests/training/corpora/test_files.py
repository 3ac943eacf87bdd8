import pytest

from rnnpipe.errors import CorpusError
from rnnpipe.training.corpora.files import read_lines


def write(path, data):
    path.write_bytes(data)
    return path


def test_lines_end_at_line_feeds_only(tmp_path):
    text = "a\x0cb\u2028c\x85d\r\n\r\ne"
    path = write(tmp_path / "a.txt", text.encode())
    assert list(read_lines(path)) == [(1, "a\x0cb\u2028c\x85d"), (2, ""), (3, "e")]


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = write(tmp_path / "a.txt", "\ufeffa\n\ufeffb\n".encode())
    assert [line for _, line in read_lines(path)] == ["a", "\ufeffb"]


def test_other_encodings(tmp_path):
    path = write(tmp_path / "a.txt", "déjà\nvu\n".encode("latin-1"))
    assert [line for _, line in read_lines(path, "latin-1")] == ["déjà", "vu"]


def test_lines_are_read_one_by_one(tmp_path):
    path = write(tmp_path / "a.txt", b"fine\n" * 10_000 + b"\xff\n")
    lines = read_lines(path)
    assert [next(lines)[1] for _ in range(10_000)] == ["fine"] * 10_000


@pytest.mark.parametrize(
    ("data", "encoding", "where", "byte"),
    [
        (b"ab\nd\xe9j\xe0\n", "utf-8", "a.txt:2, byte 4 of the file", "0xe9"),
        (b"\xff\n", "utf-8", "a.txt:1, byte 0 of the file", "0xff"),
        (b"a\nb\nc\x81\n", "cp1252", "a.txt:3, byte 5 of the file", "0x81"),
    ],
)
def test_bytes_of_another_encoding(tmp_path, data, encoding, where, byte):
    path = write(tmp_path / "a.txt", data)
    with pytest.raises(CorpusError) as error:
        list(read_lines(path, encoding))
    assert str(error.value) == (
        f"{tmp_path}/{where}: expected text in {encoding}, got '{byte}'. "
        "Set the reader's encoding to the encoding of the file (latin-1?)."
    )


@pytest.mark.parametrize("encoding", ["utf-16", "cp037", "base64", "rot13", "latin-27", ""])
def test_unfit_encodings(tmp_path, encoding):
    path = write(tmp_path / "a.txt", b"a\n")
    with pytest.raises(CorpusError) as error:
        list(read_lines(path, encoding))
    assert "a.txt: encoding: expected a text encoding in which the byte 0x0a ends a line" in str(
        error.value
    )
    assert f"got {encoding!r}. Set another encoding, or convert the file" in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="no.txt: expected a text file, got no such file. Corr"):
        list(read_lines(tmp_path / "no.txt"))


def test_a_folder(tmp_path):
    with pytest.raises(CorpusError, match="expected a text file, got 'a folder'. Correct the path"):
        list(read_lines(tmp_path))
