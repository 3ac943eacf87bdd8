"""What a command prints, and the file that it writes: checked before its work, written whole.

Text of users (labels, names of files, pieces of text) is shown as it is: nothing that these
functions print is read as markup, and no ``:name:`` in it becomes an emoji.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from rnnpipe.cli.files import replaced, require_new, require_suffix
from rnnpipe.cli.pictures.pictures import SUFFIXES, require_picture

PICTURE, PAGE = SUFFIXES, (".html",)


def printer(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """Return the console of a command. What is to be styled is a ``Text``, not markup.

    soft_wrap: whether the terminal breaks long lines, so that they can be copied."""
    return Console(stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """Print a line on standard error, beside what a command prints."""
    printer(stderr=True, soft_wrap=True).print(text)


def print_json(value: dict[str, Any]) -> None:
    """Print a JSON object."""
    print(json.dumps(value, indent=2))


def require_output(path: Path | None, force: bool, suffixes: tuple[str, ...]) -> None:
    """Check a file name before the work whose result is written there.

    suffixes: ``PICTURE``, ``PAGE``, or both.

    Raises SettingsError as :func:`~rnnpipe.cli.files.require_suffix` and ``require_new`` do, or if
    there is nothing to draw a picture with."""
    if path is None:
        return
    require_suffix(path, suffixes)
    if path.suffix.lower() in PICTURE:
        require_picture(path)
    require_new(path, force)


def write_text(text: str, path: Path) -> None:
    """Write a text file. Raises SettingsError if no file can be written there."""
    with replaced(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    say_written(path)


def say_written(path: Path) -> None:
    """Print on standard error that a file is there."""
    say(f"Wrote {path}")
