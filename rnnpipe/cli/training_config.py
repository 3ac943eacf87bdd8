"""A training config: its pipeline, before any training, and its corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import load_config, load_model_from_config, resolve_dot_names
from thinc.api import Config, ConfigValidationError

from rnnpipe.contracts.compat import private
from rnnpipe.errors import CorpusError, RnnpipeError, SettingsError, expected

parse_config_overrides = private("spacy.cli._util.parse_config_overrides")
Corpus = Callable[[Language], Iterable[Example]]


@dataclass(frozen=True)
class TrainingConfig:
    """nlp: its components have no weights yet. train, dev: their readers."""

    path: Path
    nlp: Language
    config: dict[str, Any]
    train: Corpus
    dev: Corpus

    def read(self, corpus: Corpus) -> list[Example]:
        """The whole corpus. Raises CorpusError if it cannot be read, or what its reader raises."""
        with spacys_errors(self.path, CorpusError):
            return list(corpus(self.nlp))


def read_training_config(path: Path, overrides: list[str]) -> TrainingConfig:
    """overrides: as ``spacy train`` takes them, ``["--paths.train", "train.spacy"]``.

    Raises SettingsError if there is no such config or something is wrong in it."""
    if not path.is_file():
        got, do = "a folder" if path.is_dir() else "no such file", "Correct the path."
        raise SettingsError(expected(str(path), "a config file", got, do))
    with spacys_errors(path, SettingsError):
        given = parse_config_overrides(overrides)
        nlp = load_model_from_config(load_config(path, given, interpolate=False), auto_fill=True)
        config = Config(nlp.config).interpolate()
        names = [config["training"][f"{part}_corpus"] for part in ("train", "dev")]
        train, dev = resolve_dot_names(config, names)
    return TrainingConfig(path, nlp, config, train, dev)


@contextmanager
def spacys_errors(path: Path, kind: type[RnnpipeError]) -> Iterator[None]:
    """What spaCy finds wrong becomes an error of ours, which is told without a traceback."""
    try:
        yield
    except RnnpipeError:
        raise
    except (ConfigValidationError, ValueError, OSError) as error:
        raise kind(f"{path}: {error}") from error
