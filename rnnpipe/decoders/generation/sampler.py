"""``rnnpipe.Sampler.v1``: texts drawn from a model, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from rnnpipe.decoders.generation.building import Filters, ForAlphabet
from rnnpipe.decoders.generation.noise import GumbelNoise
from rnnpipe.decoders.generation.phrases import Endings, Limits, without_end
from rnnpipe.registry import decoders
from rnnpipe.structures import State
from rnnpipe.types import (
    Alphabet,
    Emission,
    FilterBuilder,
    Generated,
    NextSymbol,
    NonNegativeInt,
    Phrase,
    PositiveInt,
    SequenceGeneratorBuilder,
)

Temperature = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
NAME = "rnnpipe.Sampler.v1"


@decoders(NAME)
def Sampler(
    temperature: Temperature = 1.0,
    filters: dict[str, FilterBuilder] | None = None,
    n_samples: PositiveInt = 1,
    min_length: NonNegativeInt = 0,
    max_length: PositiveInt = 500,
    stop: list[Phrase] | None = None,
    seed: NonNegativeInt | None = None,
) -> SequenceGeneratorBuilder:
    """Draw each symbol from ``softmax(log p / temperature)``, as the filters leave it.

    temperature: 0: always the most likely symbol.
    filters: applied in this order.
    n_samples: how many texts a prompt.
    min_length, max_length: symbols; ``max_length`` counts the end symbol, ``min_length`` does not.
    stop: phrases that end a text, and stay its end.
    seed: the same seed and prompt give the same texts: sample number j does not depend on the other
        samples, nor on the other prompts. ``None``: every call draws anew.

    The builder raises SettingsError if ``min_length`` is above ``max_length`` or has no effect, and
    generating raises it where the filters leave no symbol.
    """
    return ForAlphabet(
        partial(
            SamplingGenerator,
            temperature=temperature,
            filters=filters or {},
            n_samples=n_samples,
            limits=Limits(min_length, max_length, stop),
            seed=seed,
        ),
        NAME,
    )


class SamplingGenerator:
    """A :class:`rnnpipe.types.StreamingGenerator`."""

    def __init__(
        self,
        alphabet: Alphabet,
        *,
        temperature: float,
        filters: Mapping[str, FilterBuilder],
        n_samples: int,
        limits: Limits,
        seed: int | None,
    ) -> None:
        self.temperature = temperature
        self.filters = Filters(filters, alphabet, NAME)
        self.n_samples = n_samples
        self.endings = Endings.of(alphabet, limits, NAME)
        self.seed = seed
        self.n_symbols = alphabet.size

    def generate(
        self, model: NextSymbol, symbols: Tensor, state: State = None
    ) -> list[list[Generated]]:
        """``n_samples`` texts a prompt, in the order of their numbers."""
        count = len(symbols) * self.n_samples
        drafts: list[list[Emission]] = [[] for _ in range(count)]
        for emission in self.stream(model, symbols, state):
            drafts[emission.prompt * self.n_samples + emission.sample].append(emission)
        texts = [_join(emissions) for emissions in drafts]
        return [texts[i : i + self.n_samples] for i in range(0, count, self.n_samples)]

    def stream(self, model: NextSymbol, symbols: Tensor, state: State = None) -> Iterator[Emission]:
        """Every symbol as soon as it is drawn; those of one step in the order of their prompts."""
        for step in self._steps(model, symbols, state):
            yield from step

    @torch.no_grad()
    def _steps(self, model: NextSymbol, symbols: Tensor, state: State) -> Iterator[list[Emission]]:
        drafts = [_Draft(*at) for at in product(range(len(symbols)), range(self.n_samples))]
        rows = torch.tensor([d.prompt for d in drafts], dtype=torch.int64, device=symbols.device)
        state = model.begin(len(drafts)) if state is None else model.reorder(state, rows)
        symbols = symbols.index_select(0, rows)
        history = symbols.new_empty(len(drafts), 0)
        noise = self._noise(drafts, symbols.device)
        for length in range(self.endings.max_length if drafts else 0):
            logits, state = model.advance(symbols, state)
            log_probabilities = logits.float().log_softmax(-1)  # (B, V)
            symbols = self._choose(log_probabilities, history, noise, length)
            chosen = log_probabilities.gather(1, symbols.unsqueeze(1))
            emissions = [
                draft.add(symbol, log_probability, self.endings)
                for draft, symbol, (log_probability,) in zip(
                    drafts, symbols.tolist(), chosen.tolist(), strict=True
                )
            ]
            yield emissions
            if self.filters:
                history = torch.cat([history, symbols.unsqueeze(1)], dim=1)  # (B, t)
            open_rows = [i for i, emission in enumerate(emissions) if emission.ended is None]
            if len(open_rows) == len(drafts):
                continue
            if not open_rows:
                break
            drafts = [drafts[i] for i in open_rows]
            rows = torch.tensor(open_rows, device=symbols.device)
            symbols, history = symbols.index_select(0, rows), history.index_select(0, rows)
            state = model.reorder(state, rows)
            if noise:
                noise.keep(rows)

    def _choose(
        self, log_probabilities: Tensor, history: Tensor, noise: GumbelNoise | None, length: int
    ) -> Tensor:
        """``(B, V)`` to ``(B,)``."""
        forbidden = self.endings.forbidden(length)
        if noise is None:
            return self.filters(log_probabilities, history, forbidden).argmax(-1)
        tempered = log_probabilities
        if self.temperature != 1.0:
            tempered = log_probabilities / self.temperature
        return (self.filters(tempered, history, forbidden) + noise.next()).argmax(-1)

    def _noise(self, drafts: list[_Draft], device: torch.device) -> GumbelNoise | None:
        if self.temperature == 0.0:
            return None
        numbers = [draft.sample for draft in drafts]
        return GumbelNoise(self.seed, numbers, self.n_symbols, device)


@dataclass
class _Draft:
    """A text that is being generated."""

    prompt: int
    sample: int
    text: list[int] = field(default_factory=list)

    def add(self, symbol: int, log_probability: float, endings: Endings) -> Emission:
        self.text.append(symbol)
        ended = endings.of_text(self.text)
        return Emission(self.prompt, self.sample, symbol, log_probability, ended)


def _join(emissions: list[Emission]) -> Generated:
    ended = emissions[-1].ended
    assert ended is not None
    text = [emission.symbol for emission in emissions]
    log_probabilities = [emission.log_probability for emission in emissions]
    return Generated(without_end(text, ended), log_probabilities, ended, sum(log_probabilities))
