"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rnnpipe.errors import SettingsError, expected


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A path to write to, beside ``path`` and with its name; the file is moved to ``path`` when
    the block ends, and removed if it ends in an error.

    Raises SettingsError if nothing can be written there."""
    with beside(path) as scratch:
        unfinished = Path(scratch) / path.name
        yield unfinished
        os.replace(unfinished, path)


def beside(path: Path) -> TemporaryDirectory[str]:
    """A folder in which to make what will be moved to ``path``.

    Raises SettingsError if nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return TemporaryDirectory(prefix=f"{path.name}.unfinished-", dir=path.parent)
    except OSError as error:
        want, do = "a writable path", "Choose another path."
        raise SettingsError(expected(f"output {path}", want, error.strerror, do)) from None


def require_new(path: Path, force: bool) -> None:
    """To be called before the work whose result is written there.

    Raises SettingsError if no file can be written there, or if there is something already that
    may not be replaced; a folder never may."""
    if path.exists() and not (force and path.is_file()):
        got = "a folder" if path.is_dir() else "an existing file"
        do = "Choose another path." if path.is_dir() else "Choose another path, or pass --force."
        raise SettingsError(expected(f"output {path}", "a new file", got, do))
    beside(path).cleanup()


def require_suffix(path: Path, suffixes: Sequence[str]) -> None:
    """Raises SettingsError for a file name that does not end in one of these."""
    if path.suffix.lower() not in suffixes:
        want = f"a file name that ends in {' or '.join(suffixes)}"
        raise SettingsError(expected("output", want, path.name, "Choose another path."))
