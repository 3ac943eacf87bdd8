"""The file that a command writes: looked at before its work, written whole, and told."""

from __future__ import annotations

from pathlib import Path

from rnnpipe.cli.files import replaced, require_new, require_suffix
from rnnpipe.cli.pictures.pictures import SUFFIXES, require_picture
from rnnpipe.cli.text import say

PICTURE, PAGE = SUFFIXES, (".html",)


def require_output(path: Path | None, force: bool, suffixes: tuple[str, ...]) -> None:
    """To be called before the work whose result is written there.

    suffixes: ``PICTURE``, ``PAGE``, or both. Raises SettingsError as
    :func:`~rnnpipe.cli.files.require_suffix` and ``require_new`` do, or if there is nothing
    to draw a picture with."""
    if path is None:
        return
    require_suffix(path, suffixes)
    if path.suffix.lower() in PICTURE:
        require_picture(path)
    require_new(path, force)


def write_text(text: str, path: Path) -> None:
    """Raises SettingsError if no file can be written there."""
    with replaced(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    say_written(path)


def say_written(path: Path) -> None:
    say(f"Wrote {path}")
