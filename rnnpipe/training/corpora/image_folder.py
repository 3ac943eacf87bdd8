"""``rnnpipe.ImageFolder.v1``: a folder of PNG files, a category a sub-folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rnnpipe.contracts.types import Levels, NonNegativeInt
from rnnpipe.errors import CorpusError, expected
from rnnpipe.parts.structures.doc_image import to_levels
from rnnpipe.training.corpora.examples import Augmenter, Corpus, given, reader
from rnnpipe.training.corpora.images import Picture, Selection, image_corpus
from rnnpipe.training.corpora.png import read_png, require_pillow


@reader("rnnpipe.ImageFolder.v1")
def ImageFolder(
    path: Path | None,
    levels: Levels = 256,
    share: tuple[float, float] | None = None,
    seed: int = 0,
    limit: NonNegativeInt = 0,
    augmenter: Augmenter | None = None,
) -> Corpus:
    """A document a PNG file, grey or colour. The name of the sub-folder in which it stands is its
    category in ``doc.cats``; files that stand in the folder itself have none.

    The sub-folders are read in turn, a file of each by name, so that the first ``limit`` images
    have every category in them.

    path: the folder.
    levels: how many values a pixel is to have; the files' 256 are cut into equal steps.
    share, seed, limit, augmenter: as of ``rnnpipe.ImageArchive.v1``.

    Raises SettingsError: no path, a share that is not ``0 <= from < to <= 1``, or Pillow is not
    installed. When read, CorpusError: no such folder, a file that is no PNG, one that has
    transparent pixels or more than 8 bits a channel, images of several sizes, and see
    :class:`rnnpipe.training.corpora.examples.Corpus`.
    """
    folder = given(path)
    require_pillow("rnnpipe.ImageFolder.v1")

    def read() -> tuple[Sequence[str], Iterator[Picture]]:
        if not folder.is_dir():
            got = "a file" if folder.exists() else "no such folder"
            raise CorpusError(expected(str(folder), "a folder", got, "Correct the path."))
        files = _in_turn(folder)
        pictures = (
            Picture(str(file), to_levels(read_png(file), levels), name) for file, name in files
        )
        return sorted({name for _, name in files if name is not None}), pictures

    return image_corpus(str(folder), read, Selection(share, seed, limit, augmenter))


def _in_turn(folder: Path) -> list[tuple[Path, str | None]]:
    """The files and their categories: the first of each folder, the second of each, ..."""
    turns: list[tuple[int, Path, str | None]] = []
    parts = sorted(part for part in folder.iterdir() if part.is_dir())
    for part, name in [(folder, None), *((part, part.name) for part in parts)]:
        files = sorted(file for file in part.iterdir() if file.suffix.lower() == ".png")
        turns.extend((turn, file, name) for turn, file in enumerate(files))
    return [(file, name) for _, file, name in sorted(turns, key=lambda entry: entry[0])]
