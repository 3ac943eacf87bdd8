"""The package's exceptions.

Every message says what was expected, what came and what to do about it, and starts with where: a
config path (``components.ner.model.encoder.width``), or a file and a line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from confection import ConfigValidationError


class RnnpipeError(ValueError):
    """Base of every error that this package raises on purpose."""


class ConfigError(RnnpipeError, ConfigValidationError):
    """A config is wrong. spaCy's commands print such an error's message without a traceback."""

    def __init__(self, desc: str = "", *, title: str | None = "Config error", **_: object) -> None:
        super().__init__(desc=desc, title=title, show_config=False)
        self.text = desc
        self.args = (desc,)


class SettingsError(ConfigError):
    """A setting of a config is unknown, of the wrong type or out of range, or has no effect."""


class UnknownComponentError(ConfigError):
    """A config names a registered function that no installed distribution provides."""


class PluginError(ConfigError):
    """A plugin cannot be loaded, is registered twice, or uses a reserved name."""


class StructureError(RnnpipeError):
    """Two parts of a network do not fit: wrong structure, a shape, a causal encoder missing."""


class LabelError(RnnpipeError):
    """Labels or gold annotations are missing, unknown or illegal under the tag scheme."""


class CorpusError(RnnpipeError):
    """A corpus file cannot be read as what it claims to be."""


class TrainingError(RnnpipeError):
    """A training step produced something that is not a finite number, or its parts were called in
    another order, or with something else, than they take."""


class WeightsError(RnnpipeError):
    """Stored weights are truncated, altered or belong to another network."""


def expected(where: str, want: str, got: object, do: str = "") -> str:
    """One sentence in the house form: ``where: expected ..., got ...; what to do``.

    >>> expected("encoder.width", "a positive integer", -3, "Set it to 1 or more.")
    'encoder.width: expected a positive integer, got -3. Set it to 1 or more.'
    """
    came = got if isinstance(got, str) and got.startswith("no ") else repr(got)
    return f"{where}: expected {want}, got {came}." + (f" {do}" if do else "")


def opening(text: str, length: int = 40) -> str:
    """Return a document by its beginning, to start a message with.

    >>> opening("The house.")
    "the document 'The house.'"
    """
    return f"the document {text if len(text) <= length else text[:length] + '...'!r}"


def nearest(name: str, known: Iterable[str], n: int = 3) -> str:
    """``Did you mean 'a' or 'b'?`` for the names most like ``name``; all of them if few."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=n, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    if 0 < len(known) <= 12:
        return "Known: " + ", ".join(repr(k) for k in known) + "."
    return ""
