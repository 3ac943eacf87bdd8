"""Text generation with a language model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from spacy.tokens import Doc
from torch import Tensor

from rnnpipe.contracts.registry import decoders
from rnnpipe.contracts.types import (
    BOUNDARY,
    UNKNOWN,
    Generated,
    SequenceGenerator,
    SequenceGeneratorBuilder,
    StreamingGenerator,
    Symbols,
)
from rnnpipe.errors import SettingsError, expected
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.models.language.next_symbol import next_symbol, state_after
from rnnpipe.structures import State

_SAMPLER = "rnnpipe.Sampler.v1"


@dataclass(frozen=True, repr=False)
class LanguageModelAlphabet:
    """A :class:`rnnpipe.contracts.types.Alphabet`. where: the component, for errors."""

    symbols: Symbols
    end_symbol: bool
    where: str

    def __repr__(self) -> str:
        return f"the alphabet of {self.where}"

    @property
    def size(self) -> int:
        return len(self.symbols)

    @property
    def end(self) -> int | None:
        return BOUNDARY if self.end_symbol else None

    def encode(self, text: str) -> list[int]:
        numbers = cast("list[int]", self.symbols.encode(text).tolist())
        if UNKNOWN in numbers:
            got, do = (
                self.symbols.unknown(text)[0],
                "Remove it; only a prompt that is a Doc may contain it.",
            )
            raise SettingsError(expected(self.where, "text with symbols seen in training", got, do))
        return numbers


class Writer:
    """Continues prompts with a snapshot of the weights."""

    def __init__(self, model: LanguageModel, alphabet: LanguageModelAlphabet) -> None:
        self.model = model
        self.alphabet = alphabet
        # A text neither ends where there is no end symbol, nor has unknown ones.
        self.steps = next_symbol(model, [UNKNOWN] if alphabet.end_symbol else [BOUNDARY, UNKNOWN])

    def generations(
        self, prompt: str | Doc, decoder: SequenceGeneratorBuilder | None, settings: dict[str, Any]
    ) -> list[Generated]:
        generator = self._generator(decoder, settings)
        return generator.generate(self.steps, *self._after(self._read(prompt)))[0]

    def stream(
        self, prompt: str | Doc, decoder: SequenceGeneratorBuilder | None, settings: dict[str, Any]
    ) -> Iterator[str]:
        generator = self._generator(decoder, settings)
        if not isinstance(generator, StreamingGenerator):
            want = f"a decoder that generates symbol by symbol, such as {_SAMPLER}"
            raise SettingsError(
                expected("decoder", want, decoder, "Use such a decoder, or call generate.")
            )
        if generator.n_samples > 1:
            do = "Omit it, or use generations."
            raise SettingsError(expected("n_samples", "1 for a stream", generator.n_samples, do))
        write = self._write_after(prompt)
        emissions = generator.stream(self.steps, *self._after(self._read(prompt)))
        return (write(emission.symbol) for emission in emissions)

    def write(self, symbols: Iterable[int], prompt: str | Doc) -> str:
        """Return the text of symbols that follow a prompt."""
        return "".join(map(self._write_after(prompt), symbols))

    def _write_after(self, prompt: str | Doc) -> Callable[[int], str]:
        write = self.alphabet.symbols.writer()
        for symbol in self._read(prompt).tolist():
            write(symbol)
        return write

    def _generator(
        self, decoder: SequenceGeneratorBuilder | None, settings: dict[str, Any]
    ) -> SequenceGenerator:
        if decoder is not None and settings:
            want = "either a decoder with its own settings, or settings of the sampler"
            do = "Pass the settings to the decoder."
            raise SettingsError(expected("generate", want, f"both ({', '.join(settings)})", do))
        builder = decoders.get(_SAMPLER)(**settings) if decoder is None else decoder
        if not isinstance(builder, SequenceGeneratorBuilder):
            do = "Pass the result of a registered function, such as rnnpipe.Beam.v1."
            raise SettingsError(expected("decoder", "a decoder that generates", builder, do))
        return builder.generator(self.alphabet)

    def _read(self, prompt: str | Doc) -> np.ndarray:
        """Return the boundary and the symbols of the prompt."""
        if isinstance(prompt, Doc):
            return np.concatenate([[BOUNDARY], self.alphabet.symbols.read(prompt)])
        if not isinstance(prompt, str):
            do = "Convert it to text."
            raise SettingsError(
                expected(f"{self.alphabet.where}: prompt", "a str or a Doc", prompt, do)
            )
        return np.array([BOUNDARY, *self.alphabet.encode(prompt)])

    def _after(self, symbols: np.ndarray) -> tuple[Tensor, State]:
        """Return the last symbol, ``(1,)``, and the state before it."""
        with torch.no_grad():
            state = state_after(self.model, self.steps, symbols[:-1])
        last = torch.from_numpy(symbols[-1:])
        return last.to(self.model.embedding.weight.device), state
