"""``rnnpipe.Sampler.v1``: texts drawn from a model, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import (
    Alphabet,
    Emission,
    FilterBuilder,
    Generated,
    NextSymbol,
    NonNegativeInt,
    Phrase,
    PositiveInt,
)
from rnnpipe.parts.decoders.generation.building import Filters, GeneratorSettings
from rnnpipe.parts.decoders.generation.noise import GumbelNoise
from rnnpipe.parts.decoders.generation.phrases import Endings, Limits, without_end
from rnnpipe.structures import State

Temperature = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
NAME = "rnnpipe.Sampler.v1"
#: Below this temperature the noise is less than what tells float32 log-probabilities apart.
GREEDY = 1e-8


@decoders(NAME)
@dataclass(frozen=True, repr=False)
class Sampler(GeneratorSettings):
    """Samples: each symbol is drawn from ``softmax(log p / temperature)`` after the filters.

    temperature: 0 always takes the most likely symbol.
    filters: applied in this order.
    n_samples: number of texts per prompt.
    min_length, max_length: in symbols; only ``max_length`` counts the end symbol.
    stop: phrases that end a text; they stay part of it.
    seed: random seed. Sample number j depends on the seed and its prompt only, not on other samples
        or prompts. By default each call draws anew.

    Raises:
        SettingsError: ``min_length`` exceeds ``max_length`` or has no effect; while generating, the
            filters exclude all symbols.
    """

    temperature: Temperature = 1.0
    filters: dict[str, FilterBuilder] | None = None
    n_samples: PositiveInt = 1
    min_length: NonNegativeInt = 0
    max_length: PositiveInt = 500
    stop: list[Phrase] | None = None
    seed: NonNegativeInt | None = None
    name = NAME

    def generator(self, alphabet: Alphabet) -> SamplingGenerator:
        return SamplingGenerator(alphabet, self)


class SamplingGenerator:
    """A :class:`rnnpipe.contracts.types.StreamingGenerator`."""

    def __init__(self, alphabet: Alphabet, settings: Sampler) -> None:
        self.temperature = settings.temperature
        self.filters = Filters(settings.filters, alphabet, NAME)
        self.n_samples = settings.n_samples
        limits = Limits(settings.min_length, settings.max_length, settings.stop)
        self.endings = Endings.of(alphabet, limits, NAME)
        self.seed = settings.seed
        self.n_symbols = alphabet.size

    @torch.no_grad()
    def generate(
        self, model: NextSymbol, symbols: Tensor, state: State = None
    ) -> list[list[Generated]]:
        """Return ``n_samples`` texts per prompt, in the order of their numbers."""
        texts: dict[int, Generated] = {}
        for step in self._steps(model, symbols, state):
            texts.update(step.finished)
        per_prompt = range(0, len(symbols) * self.n_samples, self.n_samples)
        return [[texts[first + j] for j in range(self.n_samples)] for first in per_prompt]

    @torch.no_grad()
    def stream(self, model: NextSymbol, symbols: Tensor, state: State = None) -> Iterator[Emission]:
        """Yield each symbol when it is drawn; those of one step in the order of their prompts."""
        for step in self._steps(model, symbols, state):
            columns = (step.numbers, step.symbols, step.log_probabilities)
            for number, symbol, log_p in zip(*(c.tolist() for c in columns), strict=True):
                prompt, sample = divmod(number, self.n_samples)
                text = step.finished.get(number)
                yield Emission(prompt, sample, symbol, log_p, None if text is None else text.ended)

    def _steps(self, model: NextSymbol, symbols: Tensor, state: State) -> Iterator[_Step]:
        drafts, device = _Drafts(len(symbols) * self.n_samples), symbols.device
        rows = torch.from_numpy(drafts.numbers // self.n_samples).to(device)
        state = model.begin(len(rows)) if state is None else model.reorder(state, rows)
        symbols = symbols.index_select(0, rows)
        noise = self._noise(drafts.numbers % self.n_samples)
        while len(drafts.numbers):
            log_probabilities, state = _advance(model, symbols, state)
            chosen = self._choose(log_probabilities, drafts, noise)
            step = drafts.add(chosen, log_probabilities[drafts.rows, chosen], self.endings)
            yield step
            if step.finished:
                live = np.flatnonzero([n not in step.finished for n in drafts.numbers.tolist()])
                drafts.keep(live)
                chosen = chosen[live]
                state = model.reorder(state, torch.from_numpy(live).to(device))
                if noise:
                    noise.keep(live)
            symbols = torch.from_numpy(chosen).to(device)

    def _choose(
        self, log_probabilities: np.ndarray, drafts: _Drafts, noise: GumbelNoise | None
    ) -> np.ndarray:
        """Choose a symbol per row, ``(B, V)`` to ``(B,)`` int64."""
        scores = log_probabilities
        if noise and self.temperature != 1.0:
            scores = scores / self.temperature
        forbidden = self.endings.forbidden(drafts.length)
        if self.filters or forbidden is not None:
            history = torch.from_numpy(drafts.texts)
            scores = self.filters(torch.from_numpy(scores), history, forbidden).numpy()
        if noise:
            scores = scores + noise.next()
        chosen: np.ndarray = scores.argmax(1)
        return chosen

    def _noise(self, samples: np.ndarray) -> GumbelNoise | None:
        if self.temperature < GREEDY:
            return None
        return GumbelNoise(self.seed, samples.tolist(), self.n_symbols)


def _advance(model: NextSymbol, symbols: Tensor, state: State) -> tuple[np.ndarray, State]:
    """Return the log-probabilities of the next symbols on the host, ``(B, V)`` float32."""
    logits, state = model.advance(symbols, state)
    return logits.float().log_softmax(-1).cpu().numpy(), state


class _Step(NamedTuple):
    """The symbols drawn for the texts ``numbers``, ``(B,)`` each, and the finished texts among
    them."""

    numbers: np.ndarray
    symbols: np.ndarray
    log_probabilities: np.ndarray
    finished: dict[int, Generated]


class _Drafts:
    """The B unfinished texts, all of the same length.

    numbers: ``(B,)``, their numbers among all texts. rows: ``0 ... B - 1``.
    """

    def __init__(self, count: int) -> None:
        self.numbers = self.rows = np.arange(count)
        self.length = 0
        self._texts = np.empty((count, 64), dtype=np.int64)
        self._log_probabilities = np.empty((count, 64), dtype=np.float32)

    @property
    def texts(self) -> np.ndarray:
        """``(B, t)``."""
        return self._texts[:, : self.length]

    def add(self, symbols: np.ndarray, log_probabilities: np.ndarray, endings: Endings) -> _Step:
        if self.length == self._texts.shape[1]:
            self._texts = _twice_as_long(self._texts)
            self._log_probabilities = _twice_as_long(self._log_probabilities)
        self._texts[:, self.length] = symbols
        self._log_probabilities[:, self.length] = log_probabilities
        self.length += 1
        over = endings.are_over(symbols, self._texts, self.rows, self.length)
        finished = {}
        if np.count_nonzero(over):
            for row in np.flatnonzero(over).tolist():
                finished[int(self.numbers[row])] = self._text(row, endings)
        return _Step(self.numbers, symbols, log_probabilities, finished)

    def keep(self, rows: np.ndarray) -> None:
        """Keep only these."""
        self.numbers, self.rows = self.numbers[rows], np.arange(len(rows))
        self._texts, self._log_probabilities = self._texts[rows], self._log_probabilities[rows]

    def _text(self, row: int, endings: Endings) -> Generated:
        text = self.texts[row].tolist()
        log_probabilities = self._log_probabilities[row, : self.length].tolist()
        ended = endings.of_text(text)
        assert ended is not None
        return Generated(without_end(text, ended), log_probabilities, ended, sum(log_probabilities))


def _twice_as_long(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, np.empty_like(rows)], axis=1)
