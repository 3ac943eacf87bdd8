"""``rnnpipe.Beam.v1``, ``rnnpipe.DiverseBeam.v1``, ``rnnpipe.ConstrainedBeam.v1`` and
``rnnpipe.StochasticBeam.v1``: the best texts of a model, diverse good ones, the best ones that hold
given phrases, and a sample without replacement."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

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
    SequenceGeneratorBuilder,
)
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.decoders.generation.building import Filters, ForAlphabet
from rnnpipe.parts.decoders.generation.constraints import InGrid, Phrases
from rnnpipe.parts.decoders.generation.phrases import Endings, Limits
from rnnpipe.parts.decoders.generation.ranking import AtRandom, ByProbability, InGroups, MakeRanking
from rnnpipe.parts.decoders.generation.scoring import LengthPenalty, Scoring
from rnnpipe.parts.decoders.generation.search import Search
from rnnpipe.structures import State

CONSTRAINED = "rnnpipe.ConstrainedBeam.v1"
NonNegativeFloat = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


@decoders("rnnpipe.Beam.v1")
def Beam(
    beam_size: PositiveInt = 5,
    n_best: PositiveInt = 1,
    length_penalty: LengthPenalty = "none",
    alpha: NonNegativeFloat | None = None,
    coverage_penalty: NonNegativeFloat = 0.0,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 500,
    stop: list[Phrase] | None = None,
    filters: dict[str, FilterBuilder] | None = None,
) -> SequenceGeneratorBuilder:
    """Beam search for the texts of the best score (:class:`~.scoring.Scoring`).

    beam_size: how many hypotheses are gone on with; 1 without a penalty is greedy.
    n_best: how many texts a prompt, fewer where there are no more.
    length_penalty: ``"none"``, which favours short texts; ``"average"``, log-probability a symbol;
        ``"gnmt"`` (Wu et al. 2016).
    alpha: the exponent of ``"gnmt"``, 0.6 unless set.
    coverage_penalty: the weight of attention that never went to parts of the source.
    min_length, max_length, stop: as of :func:`~.sampler.Sampler`.
    filters: applied in this order to what is added up; they must not raise a log-probability.

    The search stops when no open hypothesis can still win, not at the first finished text.
    RAISES: SettingsError if ``n_best`` exceeds ``beam_size`` or ``alpha`` has no effect; the
        builder if ``beam_size`` exceeds the number of symbols.
    """
    if alpha is not None and length_penalty != "gnmt":
        do = "Leave alpha out or set length_penalty to 'gnmt'."
        raise SettingsError(expected("alpha", "no value with this length_penalty", alpha, do))
    scoring = Scoring(length_penalty, 0.6 if alpha is None else alpha, coverage_penalty)
    _check_n_best(n_best, beam_size)
    return _builder(
        "rnnpipe.Beam.v1",
        "beam_size",
        beam_size,
        n_best=n_best,
        scoring=scoring,
        ranking=ByProbability,
        limits=Limits(min_length, max_length, stop),
        filters=filters or {},
    )


@decoders("rnnpipe.DiverseBeam.v1")
def DiverseBeam(
    n_groups: PositiveInt = 3,
    beam_size: PositiveInt = 2,
    n_best: PositiveInt = 1,
    diversity: PositiveFloat = 0.5,
    length_penalty: LengthPenalty = "none",
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 500,
    stop: list[Phrase] | None = None,
    filters: dict[str, FilterBuilder] | None = None,
) -> SequenceGeneratorBuilder:
    """Beam search in groups that avoid each other's symbols (Vijayakumar et al. 2018).

    n_groups: how many; each searches with ``beam_size`` hypotheses for its ``n_best`` texts.
        Those of all groups are returned, the best score first, the same text once.
    diversity: by how many nats a symbol counts as less likely for each hypothesis of an earlier
        group that has chosen it at the same step. Scores do not have this in them.
    The rest: see :func:`Beam`.
    """
    _check_n_best(n_best, beam_size)
    return _builder(
        "rnnpipe.DiverseBeam.v1",
        "beam_size",
        beam_size,
        n_best=n_best,
        n_groups=n_groups,
        scoring=Scoring(length_penalty, 0.6),
        ranking=partial(InGroups, strength=diversity, n_groups=n_groups),
        limits=Limits(min_length, max_length, stop),
        filters=filters or {},
    )


@decoders("rnnpipe.StochasticBeam.v1")
def StochasticBeam(
    n_samples: PositiveInt = 5,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 500,
    stop: list[Phrase] | None = None,
    filters: dict[str, FilterBuilder] | None = None,
    seed: NonNegativeInt | None = None,
) -> SequenceGeneratorBuilder:
    """Draw different texts: a sample without replacement (Kool et al. 2019), in the order drawn.

    n_samples: how many texts a prompt, fewer where there are no more. A text's score is its
        log-probability under the filters, perturbed by Gumbel noise.
    The rest: see :func:`~.sampler.Sampler`.
    """
    return _builder(
        "rnnpipe.StochasticBeam.v1",
        "n_samples",
        n_samples,
        n_best=n_samples,
        scoring=Scoring(),
        ranking=partial(AtRandom, seed=seed),
        limits=Limits(min_length, max_length, stop),
        filters=filters or {},
    )


@decoders("rnnpipe.ConstrainedBeam.v1")
def ConstrainedBeam(
    phrases: list[Phrase],
    beam_size: PositiveInt = 5,
    n_best: PositiveInt = 1,
    length_penalty: LengthPenalty = "none",
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 500,
    filters: dict[str, FilterBuilder] | None = None,
) -> SequenceGeneratorBuilder:
    """The best texts that hold every one of some phrases (Hokamp and Liu 2017).

    phrases: they may come in any order, and overlap. A text that lacks one cannot end, and is
        nothing if it has ``max_length`` symbols.
    beam_size: how many hypotheses are gone on with for each number of symbols of the phrases that
        they hold, so that the cost grows with the phrases.
    The rest: see :func:`Beam`.

    The builder raises SettingsError if a phrase is unknown to the model, holds its end symbol or is
    longer than ``max_length``, and generating raises it if no text is found that holds all of them.
    """
    _check_n_best(n_best, beam_size)
    make = partial(
        _constrained,
        phrases=phrases,
        beam_size=beam_size,
        n_best=n_best,
        scoring=Scoring(length_penalty, 0.6),
        limits=Limits(min_length, max_length, None),
        filters=filters or {},
    )
    return ForAlphabet(make, CONSTRAINED)


def _constrained(
    alphabet: Alphabet,
    *,
    phrases: list[Phrase],
    beam_size: int,
    n_best: int,
    scoring: Scoring,
    limits: Limits,
    filters: Mapping[str, FilterBuilder],
) -> BeamGenerator:
    _check_width(f"{CONSTRAINED}.beam_size", beam_size, alphabet)
    longest, end = limits.max_length, alphabet.end
    tracked = Phrases.of(phrases, alphabet, longest, f"{CONSTRAINED}.phrases")
    grid = partial(InGrid, phrases=tracked, beam_size=beam_size, end=end, max_length=longest)
    search = Search(
        endings=Endings.of(alphabet, limits, CONSTRAINED),
        filters=Filters(filters, alphabet, CONSTRAINED, besides=["phrases"]),
        scoring=scoring,
        ranking=grid,
        width=InGrid.width(tracked, beam_size, end),
        size=alphabet.size,
        n_best=n_best,
    )
    return BeamGenerator(search)


def _check_n_best(n_best: int, beam_size: int) -> None:
    if n_best > beam_size:
        want = f"at most beam_size ({beam_size})"
        raise SettingsError(expected("n_best", want, n_best, "Raise beam_size or lower n_best."))


def _builder(name: str, setting: str, width: int, **settings: Any) -> SequenceGeneratorBuilder:
    """setting: what the settings of this decoder call its width."""
    make = partial(_generator, name=name, setting=setting, width=width, **settings)
    return ForAlphabet(make, name)


def _generator(
    alphabet: Alphabet,
    *,
    name: str,
    setting: str,
    width: int,
    n_best: int,
    scoring: Scoring,
    ranking: MakeRanking,
    limits: Limits,
    filters: Mapping[str, FilterBuilder],
    n_groups: int = 1,
) -> BeamGenerator:
    _check_width(f"{name}.{setting}", width, alphabet)
    search = Search(
        endings=Endings.of(alphabet, limits, name),
        filters=Filters(filters, alphabet, name),
        scoring=scoring,
        ranking=ranking,
        width=width,
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
        """The texts of each prompt, the best first."""
        ranked, n_groups = self.search.run(model, symbols, state), self.search.n_groups
        return [_merge(ranked[i : i + n_groups]) for i in range(0, len(ranked), n_groups)]


def _merge(groups: list[list[Generated]]) -> list[Generated]:
    """The texts of a prompt's groups, each once, the best first."""
    texts: dict[tuple[object, ...], Generated] = {}
    for text in sorted((t for group in groups for t in group), key=lambda t: -t.score):
        texts.setdefault((text.ended == "end", *text.symbols), text)
    return [*texts.values()]
