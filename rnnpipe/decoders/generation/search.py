"""The search that all beams share."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from rnnpipe.decoders.generation.building import Filters
from rnnpipe.decoders.generation.phrases import Endings, without_end
from rnnpipe.decoders.generation.ranking import MakeRanking, Open
from rnnpipe.decoders.generation.scoring import Scoring
from rnnpipe.structures import State
from rnnpipe.types import Generated, NextSymbol


@dataclass(frozen=True)
class Search:
    """Beams of ``width`` hypotheses, ``n_groups`` for each prompt.

    Every step ranks all continuations of a beam's hypotheses. Those among the best ``width`` that
    end the text are finished; the best ``width`` that do not are gone on with. A beam stops when it
    has ``n_best`` finished texts and no open hypothesis can become better than the worst of them.

    size: V.
    """

    endings: Endings
    filters: Filters
    scoring: Scoring
    ranking: MakeRanking
    width: int
    size: int
    n_best: int
    n_groups: int = 1

    @torch.no_grad()
    def run(self, model: NextSymbol, symbols: Tensor, state: State) -> list[list[Generated]]:
        """The finished texts of each beam, the best first; beams in the order of their prompts."""
        if not len(symbols):
            return []
        call = _Call(self, model, symbols, state)
        for length in range(1, self.endings.max_length + 1):
            if not call.step(length):
                break
        return call.finished


@dataclass(frozen=True)
class _Found:
    """Ranked continuations, on the host, ``(S, C)`` each: of which of its beam's hypotheses, by
    which symbol, the model's log-probability of it, and what :data:`Ranked` says."""

    rows: np.ndarray
    symbols: np.ndarray
    log_probabilities: np.ndarray
    totals: np.ndarray
    values: np.ndarray

    def take(self, beams: np.ndarray, columns: np.ndarray) -> _Found:
        """``(S', 1)`` and ``(S', C')``."""
        return _Found(*(getattr(self, field.name)[beams, columns] for field in fields(self)))

    def first(self, count: int) -> _Found:
        """The best ones."""
        return _Found(
            self.rows[:, :count],
            self.symbols[:, :count],
            self.log_probabilities[:, :count],
            self.totals[:, :count],
            self.values[:, :count],
        )


class _Call:
    """One run of a search: the open hypotheses, and the texts that are finished."""

    def __init__(self, search: Search, model: NextSymbol, symbols: Tensor, state: State) -> None:
        self.search, self.model, self.device = search, model, symbols.device
        width, n_beams = search.width, len(symbols) * search.n_groups
        prompts = torch.arange(len(symbols), device=self.device)
        rows = prompts.repeat_interleave(search.n_groups * width)
        self.state = model.begin(len(rows)) if state is None else model.reorder(state, rows)
        self.symbols = symbols.index_select(0, rows)
        self.ranking = search.ranking((n_beams, width, search.size), self.device)
        totals = torch.full((n_beams, width), -torch.inf, device=self.device)
        totals[:, 0] = 0.0  # one hypothesis, that of no symbols
        self.open = Open(totals, self.ranking.begin(totals))
        self.texts = np.zeros((n_beams * width, 0), dtype=np.int64)
        self.log_probabilities = np.zeros((n_beams * width, 0), dtype=np.float32)
        self.beams = np.arange(n_beams)  # the numbers of those that go on
        self.worst = np.full(n_beams, -np.inf, dtype=np.float32)  # score among n_best finished
        self.finished: list[list[Generated]] = [[] for _ in range(n_beams)]

    def step(self, length: int) -> bool:
        """Every hypothesis gets its symbol number ``length``. Whether any beam goes on."""
        found = self._continuations(length)
        is_over = self._is_over(found, length)
        width = self.search.width
        best = found.first(width)
        if is_over.any():
            self._finish(best, is_over[:, :width], length)
            found.values[is_over] = found.totals[is_over] = -np.inf
            columns = is_over.argsort(1, kind="stable")[:, :width]
            best = found.take(np.arange(len(self.beams))[:, None], columns)
        hope = self.search.scoring.bound(best.values.max(1), self.search.endings.max_length)
        goes_on = hope > self.worst[self.beams]
        for beam in self.beams[~goes_on]:
            if not self.finished[beam]:
                self.search.filters.refuse(length - 1, self.search.endings.forbidden(length - 1))
        self._go_on(best, np.flatnonzero(goes_on))
        return len(self.beams) > 0

    def _continuations(self, length: int) -> _Found:
        search, n_beams = self.search, len(self.beams)
        logits, self.state = self.model.advance(self.symbols, self.state)
        log_probabilities = logits.float().log_softmax(-1)  # (S * K, V)
        size = log_probabilities.shape[-1]
        history = torch.from_numpy(self.texts).to(self.device)
        left = search.filters.apply(
            log_probabilities, history, search.endings.forbidden(length - 1)
        )
        count = min(search.width * (1 + search.endings.count), search.width * size)
        places, totals, values = self.ranking.rank(
            self.open, left.view(n_beams, search.width, size), count
        )
        chosen = log_probabilities.view(n_beams, -1).gather(1, places)
        at = places.cpu().numpy()
        totals_, values_, chosen_ = (x.cpu().numpy() for x in (totals, values, chosen))
        rows = at // size
        return _Found(rows, at - rows * size, chosen_, totals_, values_)

    def _is_over(self, found: _Found, length: int) -> np.ndarray:
        """``(S, C)`` bool, as :meth:`Endings.of_text`."""
        endings = self.search.endings
        if length == endings.max_length:
            return np.ones_like(found.symbols, dtype=bool)
        is_over: np.ndarray = found.symbols == (-1 if endings.end is None else endings.end)
        if length >= endings.min_length:
            for *begin, last in endings.stop:
                if length > len(begin):
                    texts = self.texts.reshape(*found.rows.shape[:1], self.search.width, -1)
                    before = texts[np.arange(len(texts))[:, None], found.rows]  # (S, C, t)
                    begun = (before[..., length - 1 - len(begin) :] == begin).all(-1)
                    is_over |= begun & (found.symbols == last)
        return is_over

    def _finish(self, found: _Found, is_over: np.ndarray, length: int) -> None:
        search = self.search
        scores = search.scoring.score(found.values, length)
        coverage = search.scoring.coverage(self.model, self.state, search.filters.where)
        for at, column in np.argwhere(is_over & (scores > -np.inf)).tolist():
            row = at * search.width + int(found.rows[at, column])
            score = float(scores[at, column]) + (0.0 if coverage is None else coverage[row])
            text = [*self.texts[row].tolist(), int(found.symbols[at, column])]
            ended = search.endings.of_text(text)
            assert ended is not None
            log_p = [
                *self.log_probabilities[row].tolist(),
                float(found.log_probabilities[at, column]),
            ]
            self._add(self.beams[at], Generated(without_end(text, ended), log_p, ended, score))

    def _add(self, beam: int, text: Generated) -> None:
        ranked = self.finished[beam]
        insort(ranked, text, key=lambda other: -other.score)
        del ranked[self.search.n_best :]
        if len(ranked) == self.search.n_best:
            self.worst[beam] = ranked[-1].score

    def _go_on(self, best: _Found, live: np.ndarray) -> None:
        """Reorder everything to the best hypotheses of the beams that go on."""
        if not len(live):
            self.beams = self.beams[live]
            return
        if len(live) < len(self.beams):
            best = best.take(live[:, None], np.arange(self.search.width)[None])
            self.beams = self.beams[live]
            self.ranking.keep(torch.from_numpy(live).to(self.device))
        rows = (live[:, None] * self.search.width + best.rows).ravel()
        self.texts = np.concatenate([self.texts[rows], best.symbols.reshape(-1, 1)], axis=1)
        self.log_probabilities = np.concatenate(
            [self.log_probabilities[rows], best.log_probabilities.reshape(-1, 1)], axis=1
        )
        self.state = self.model.reorder(self.state, torch.from_numpy(rows).to(self.device))
        self.symbols = torch.from_numpy(best.symbols.ravel()).to(self.device)
        self.open = Open(
            torch.from_numpy(best.totals).to(self.device),
            torch.from_numpy(best.values).to(self.device),
        )
