"""Phrases that must stand in a text, and the beams that see to it (Hokamp and Liu 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnnpipe.contracts.types import Alphabet, Phrase
from rnnpipe.errors import SettingsError, expected
from rnnpipe.parts.decoders.generation.phrases import Symbols, encode
from rnnpipe.parts.decoders.generation.ranking import Open, Ranked, Shape


class Phrases:
    """How much of each of P phrases a text holds.

    The progress of a text with a phrase is how many of the phrase's first symbols it ends with, the
    phrase's length for good once it holds all of it (Knuth, Morris and Pratt 1977).

    n_symbols: of all phrases; those that are part of another do not count.
    kinds: ``(V,)``, 0 for symbols of no phrase, and a number for each of the others.
    """

    def __init__(self, phrases: Sequence[Symbols], size: int) -> None:
        whole = [p for p in dict.fromkeys(phrases) if not any(_within(p, q) for q in phrases)]
        used = sorted({symbol for phrase in whole for symbol in phrase})
        self.kinds = np.zeros(size, dtype=np.int64)
        self.kinds[used] = np.arange(1, len(used) + 1)
        self.n_symbols = sum(map(len, whole))
        self.count = len(whole)
        #: ``(P, 1 + longest, 1 + kinds)``, the progress after one more symbol.
        self._after = np.zeros(
            (self.count, 1 + max(map(len, whole)), 1 + len(used)), dtype=np.int64
        )
        for table, phrase in zip(self._after, whole, strict=True):
            for state in range(len(phrase)):
                for kind, symbol in enumerate(used, start=1):
                    table[state, kind] = _overlap((*phrase[:state], symbol), phrase)
            table[len(phrase)] = len(phrase)

    @classmethod
    def of(cls, phrases: Sequence[Phrase], alphabet: Alphabet, longest: int, where: str) -> Phrases:
        """Raises SettingsError if no text of at most ``longest`` symbols can hold one of them."""
        if not phrases:
            raise SettingsError(
                expected(where, "at least one", phrases, "Add one, or use rnnpipe.Beam.v1.")
            )
        found = [encode(phrase, alphabet, where) for phrase in phrases]
        for phrase, symbols in zip(phrases, found, strict=True):
            if alphabet.end in symbols:
                want = "phrases without the end symbol, which is added automatically"
                raise SettingsError(expected(where, want, phrase, "Remove it."))
            if len(symbols) > longest:
                want = f"phrases of at most max_length ({longest}) symbols"
                do = "Shorten it or raise max_length."
                raise SettingsError(expected(where, want, phrase, do))
        return cls(found, alphabet.size)

    def after(self, progress: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """``(N, P)`` and symbols of the kinds ``(N, n)`` to ``(N, n, P)``."""
        each = np.arange(self.count)
        after: np.ndarray = self._after[each, progress[:, None], kinds[:, :, None]]
        return after


def _within(phrase: Symbols, other: Symbols) -> bool:
    """Return whether a phrase is part of another, longer one."""
    n = len(phrase)
    return n < len(other) and any(other[i : i + n] == phrase for i in range(len(other)))


def _overlap(text: Symbols, phrase: Symbols) -> int:
    """How many of the phrase's first symbols the text ends with."""
    return max(n for n in range(len(phrase) + 1) if text[len(text) - n :] == phrase[:n])


class InGrid:
    """Grid beam search: of the hypotheses that hold equally many of the phrases' symbols, the most
    likely ones go on, ``beam_size`` of them and, once all phrases are there, as many as can end.

    A text cannot end before it holds all phrases.
    """

    def __init__(
        self,
        shape: Shape,
        device: torch.device,
        phrases: Phrases,
        beam_size: int,
        end: int | None,
        max_length: int,
    ) -> None:
        n_beams, width, _ = shape
        self.phrases, self.beam_size = phrases, beam_size
        self.end, self.max_length = end, max_length
        self.length = 0
        self.progress = np.zeros((n_beams * width, phrases.count), dtype=np.int64)
        self.kinds = torch.from_numpy(phrases.kinds).to(device)

    @staticmethod
    def width(phrases: Phrases, beam_size: int, end: int | None) -> int:
        """How many hypotheses the grid has."""
        return beam_size * (phrases.n_symbols + 1 + (end is not None))

    def begin(self, totals: Tensor) -> Tensor:
        return totals

    def rank(self, hypotheses: Open, log_probabilities: Tensor, count: int) -> Ranked:
        """Return all that go on or end."""
        self.length += 1
        totals = hypotheses.totals.unsqueeze(2) + log_probabilities  # (S, K, V)
        every_kind = np.arange(self.phrases.kinds.max() + 1)[None]
        held = self.phrases.after(self.progress, every_kind).sum(2)  # (S * K, kinds)
        on_device = torch.from_numpy(held).to(totals.device)
        held_after = on_device.index_select(1, self.kinds).view(totals.shape)
        complete = self.phrases.n_symbols
        if self.end is not None:
            totals[:, :, self.end].masked_fill_(held_after[:, :, self.end] < complete, -torch.inf)
        if self.length == self.max_length:
            totals.masked_fill_(held_after < complete, -torch.inf)
        cells = []
        for number in range(complete + 1):
            in_cell = totals.masked_fill(held_after != number, -torch.inf).flatten(1)
            room = self.beam_size * (1 + (number == complete and self.end is not None))
            cells.append(in_cell.topk(room))
        best = torch.cat([cell.values for cell in cells], dim=1)
        return torch.cat([cell.indices for cell in cells], dim=1), best, best

    def go_on(self, rows: np.ndarray, symbols: np.ndarray) -> None:
        kinds = self.phrases.kinds[symbols]
        self.progress = self.phrases.after(self.progress[rows], kinds[:, None])[:, 0]

    def keep(self, beams: Tensor) -> None: ...
