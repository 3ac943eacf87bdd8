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
    the block ends, and removed if it ends in an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"{path.name}.unfinished-", dir=path.parent) as scratch:
        unfinished = Path(scratch) / path.name
        yield unfinished
        os.replace(unfinished, path)


def require_suffix(path: Path, suffixes: Sequence[str]) -> None:
    """Raises SettingsError for a file name that does not end in one of these."""
    if path.suffix.lower() not in suffixes:
        want = f"a file name that ends in {' or '.join(suffixes)}"
        raise SettingsError(expected("output", want, path.name, "Give it another name."))
