"""``rnnpipe.Beam.v1``, ``rnnpipe.DiverseBeam.v1``, ``rnnpipe.ConstrainedBeam.v1`` and
``rnnpipe.StochasticBeam.v1``: the best texts of a model, diverse ones, the best ones that contain
given phrases, and samples without replacement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import (
    Alphabet,
    FilterBuilder,
    Generated,
    NextSymbol,
    NonNegativeInt,
    Phrase,
    PositiveFloat,
    PositiveInt,
)
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.decoders.generation.building import Filters, GeneratorSettings
from rnnpipe.parts.decoders.generation.constraints import InGrid, Phrases
from rnnpipe.parts.decoders.generation.phrases import Endings, Limits
from rnnpipe.parts.decoders.generation.ranking import AtRandom, ByProbability, InGroups, MakeRanking
from rnnpipe.parts.decoders.generation.scoring import LengthPenalty, Scoring
from rnnpipe.parts.decoders.generation.search import Search
from rnnpipe.structures import State

NonNegativeFloat = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


@decoders("rnnpipe.Beam.v1")
@dataclass(frozen=True, repr=False)
class Beam(GeneratorSettings):
    """Beam search for the texts with the best score (:class:`~.scoring.Scoring`).

    beam_size: number of hypotheses kept; 1 without a penalty is greedy search.
    n_best: maximum number of texts per prompt.
    length_penalty: ``"none"``, which favours short texts; ``"average"``, log-probability per
        symbol; ``"gnmt"`` (Wu et al. 2016).
    alpha: the exponent of ``"gnmt"``, 0.6 by default.
    coverage_penalty: weight of the penalty for source nodes that receive little attention.
    min_length, max_length, stop: see :func:`~.sampler.Sampler`.
    filters: applied in this order; they must not raise a log-probability.

    The search stops when no open hypothesis can still win, not at the first finished text. RAISES:
    SettingsError if ``n_best`` exceeds ``beam_size`` or ``alpha`` has no effect; the builder if
    ``beam_size`` exceeds the number of symbols.

    Raises:
        SettingsError: ``n_best`` exceeds ``beam_size``, ``alpha`` has no effect or, when the
            network is built, ``beam_size`` exceeds the number of symbols.
    """

    beam_size: PositiveInt = 5
    n_best: PositiveInt = 1
    length_penalty: LengthPenalty = "none"
    alpha: NonNegativeFloat | None = None
    coverage_penalty: NonNegativeFloat = 0.0
    min_length: NonNegativeInt = 0
    max_length: PositiveInt = 500
    stop: list[Phrase] | None = None
    filters: dict[str, FilterBuilder] | None = None
    name = "rnnpipe.Beam.v1"

    def __post_init__(self) -> None:
        if self.alpha is not None and self.length_penalty != "gnmt":
            want = "no value with this length_penalty"
            do = "Remove alpha or set length_penalty to 'gnmt'."
            raise SettingsError(expected("alpha", want, self.alpha, do))
        _check_n_best(self.n_best, self.beam_size)

    def generator(self, alphabet: Alphabet) -> BeamGenerator:
        alpha = 0.6 if self.alpha is None else self.alpha
        scoring = Scoring(self.length_penalty, alpha, self.coverage_penalty)
        return _generator(self, alphabet, "beam_size", self.n_best, scoring, ByProbability)


@decoders("rnnpipe.DiverseBeam.v1")
@dataclass(frozen=True, repr=False)
class DiverseBeam(GeneratorSettings):
    """Beam search in groups that avoid each other's symbols (Vijayakumar et al. 2018).

    n_groups: number of groups; each searches with ``beam_size`` hypotheses for its ``n_best``
        texts. The texts of all groups are returned without duplicates, the best score first.
    diversity: penalty in nats for a symbol, per hypothesis of an earlier group that has chosen it
        at the same step. Scores do not include it.
    Other settings: see :func:`Beam`.
    """

    n_groups: PositiveInt = 3
    beam_size: PositiveInt = 2
    n_best: PositiveInt = 1
    diversity: PositiveFloat = 0.5
    length_penalty: LengthPenalty = "none"
    min_length: NonNegativeInt = 0
    max_length: PositiveInt = 500
    stop: list[Phrase] | None = None
    filters: dict[str, FilterBuilder] | None = None
    name = "rnnpipe.DiverseBeam.v1"

    def __post_init__(self) -> None:
        _check_n_best(self.n_best, self.beam_size)

    def generator(self, alphabet: Alphabet) -> BeamGenerator:
        ranking = partial(InGroups, strength=self.diversity, n_groups=self.n_groups)
        scoring = Scoring(self.length_penalty, 0.6)
        return _generator(self, alphabet, "beam_size", self.n_best, scoring, ranking, self.n_groups)


@decoders("rnnpipe.StochasticBeam.v1")
@dataclass(frozen=True, repr=False)
class StochasticBeam(GeneratorSettings):
    """A sample of texts without replacement (Kool et al. 2019), in the order drawn.

    n_samples: maximum number of texts per prompt. The score of a text is its log-probability under
        the filters, perturbed by Gumbel noise.
    Other settings: see :func:`~.sampler.Sampler`.
    """

    n_samples: PositiveInt = 5
    min_length: NonNegativeInt = 0
    max_length: PositiveInt = 500
    stop: list[Phrase] | None = None
    filters: dict[str, FilterBuilder] | None = None
    seed: NonNegativeInt | None = None
    name = "rnnpipe.StochasticBeam.v1"

    def generator(self, alphabet: Alphabet) -> BeamGenerator:
        ranking = partial(AtRandom, seed=self.seed)
        return _generator(self, alphabet, "n_samples", self.n_samples, Scoring(), ranking)


@decoders("rnnpipe.ConstrainedBeam.v1")
@dataclass(frozen=True, repr=False)
class ConstrainedBeam(GeneratorSettings):
    """The best texts that contain all of the given phrases (Hokamp and Liu 2017).

    phrases: required phrases, in any order; they may overlap. A text that lacks one cannot end, and
        is dropped at ``max_length`` symbols.
    beam_size: number of hypotheses kept for each number of phrase symbols that they contain, so
        that the cost grows with the phrases.
    Other settings: see :func:`Beam`.

    Raises:
        SettingsError: a phrase is unknown to the model, contains its end symbol or is longer than
            ``max_length``; while generating, no text with all phrases is found.
    """

    phrases: list[Phrase]
    beam_size: PositiveInt = 5
    n_best: PositiveInt = 1
    length_penalty: LengthPenalty = "none"
    min_length: NonNegativeInt = 0
    max_length: PositiveInt = 500
    filters: dict[str, FilterBuilder] | None = None
    name = "rnnpipe.ConstrainedBeam.v1"

    def __post_init__(self) -> None:
        _check_n_best(self.n_best, self.beam_size)

    def generator(self, alphabet: Alphabet) -> BeamGenerator:
        beam_size, longest, end = self.beam_size, self.max_length, alphabet.end
        _check_width(f"{self.name}.beam_size", beam_size, alphabet)
        tracked = Phrases.of(self.phrases, alphabet, longest, f"{self.name}.phrases")
        grid = partial(InGrid, phrases=tracked, beam_size=beam_size, end=end, max_length=longest)
        limits = Limits(self.min_length, longest, None)
        search = Search(
            endings=Endings.of(alphabet, limits, self.name),
            filters=Filters(self.filters, alphabet, self.name, besides=["phrases"]),
            scoring=Scoring(self.length_penalty, 0.6),
            ranking=grid,
            width=InGrid.width(tracked, beam_size, end),
            size=alphabet.size,
            n_best=self.n_best,
        )
        return BeamGenerator(search)


def _check_n_best(n_best: int, beam_size: int) -> None:
    if n_best > beam_size:
        want = f"at most beam_size ({beam_size})"
        raise SettingsError(expected("n_best", want, n_best, "Raise beam_size or lower n_best."))


def _generator(
    settings: Beam | DiverseBeam | StochasticBeam,
    alphabet: Alphabet,
    width: Literal["beam_size", "n_samples"],
    n_best: int,
    scoring: Scoring,
    ranking: MakeRanking,
    n_groups: int = 1,
) -> BeamGenerator:
    """Return the generator. width: name of the setting that is the width of the beam."""
    name, size = settings.name, getattr(settings, width)
    _check_width(f"{name}.{width}", size, alphabet)
    limits = Limits(settings.min_length, settings.max_length, settings.stop)
    search = Search(
        endings=Endings.of(alphabet, limits, name),
        filters=Filters(settings.filters, alphabet, name),
        scoring=scoring,
        ranking=ranking,
        width=size,
        size=alphabet.size,
        n_best=n_best,
        n_groups=n_groups,
    )
    return BeamGenerator(search)


def _check_width(where: str, width: int, alphabet: Alphabet) -> None:
    if width > alphabet.size:
        want = f"at most the number of symbols ({alphabet.size})"
        do = f"Lower {where.rpartition('.')[2]}."
        raise SettingsError(expected(where, want, width, do))


class BeamGenerator:
    """A :class:`rnnpipe.contracts.types.SequenceGenerator`."""

    def __init__(self, search: Search) -> None:
        self.search = search

    def generate(
        self, model: NextSymbol, symbols: Tensor, state: State = None
    ) -> list[list[Generated]]:
        """Return the texts of each prompt, the best first."""
        ranked, n_groups = self.search.run(model, symbols, state), self.search.n_groups
        return [_merge(ranked[i : i + n_groups]) for i in range(0, len(ranked), n_groups)]


def _merge(groups: list[list[Generated]]) -> list[Generated]:
    """Return the texts of a prompt's groups, each once, the best first."""
    texts: dict[tuple[object, ...], Generated] = {}
    for text in sorted((t for group in groups for t in group), key=lambda t: -t.score):
        texts.setdefault((text.ended == "end", *text.symbols), text)
    return [*texts.values()]
