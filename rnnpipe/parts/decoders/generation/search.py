"""The search that all beams share."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnpipe.contracts.types import Generated, NextSymbol
from rnnpipe.parts.decoders.generation.building import Filters
from rnnpipe.parts.decoders.generation.phrases import Endings, without_end
from rnnpipe.parts.decoders.generation.ranking import MakeRanking, Open
from rnnpipe.parts.decoders.generation.scoring import Scoring
from rnnpipe.structures import State


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
        """Return the finished texts of each beam, the best first; beams in the order of their
        prompts."""
        if not len(symbols):
            return []
        call = _Call(self, model, symbols, state)
        for length in range(1, self.endings.max_length + 1):
            if not call.step(length):
                break
        return [call.texts_of(beam) for beam in range(len(call.leaves))]


class _Found(NamedTuple):
    """Ranked continuations, on the host, ``(S, C)`` each: of which hypothesis, counted through all
    beams, by which symbol, the model's log-probability of it, and what :data:`Ranked` says."""

    rows: np.ndarray
    symbols: np.ndarray
    log_probabilities: np.ndarray
    totals: np.ndarray
    values: np.ndarray

    def take(self, beams: np.ndarray, columns: np.ndarray) -> _Found:
        """``(S', 1)`` and ``(S', C')``."""
        return self._each(lambda x: x[beams, columns])

    def first(self, count: int) -> _Found:
        """Return the best ones."""
        return self if self.rows.shape[1] == count else self._each(lambda x: x[:, :count])

    def _each(self, of: Callable[[np.ndarray], np.ndarray]) -> _Found:
        totals = of(self.totals)
        return _Found(
            of(self.rows),
            of(self.symbols),
            of(self.log_probabilities),
            totals,
            totals if self.values is self.totals else of(self.values),
        )


class _Step(NamedTuple):
    """Which hypotheses were gone on with: ``(S * K)``, of the step before, and by which symbols."""

    rows: np.ndarray
    symbols: np.ndarray
    log_probabilities: np.ndarray


class _Leaf(NamedTuple):
    """A finished text: its last symbol, and the hypothesis of the step before that it ends."""

    score: float
    length: int
    row: int
    symbol: int
    log_probability: float


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
        self.reads_texts = bool(search.filters or search.endings.stop)
        self.texts = np.zeros((n_beams * width, 0), dtype=np.int64)  # only where they are read
        self.steps: list[_Step] = []
        self.beams = np.arange(n_beams)  # the numbers of those that go on
        self.first_rows = self.beams[:, None] * width  # of each beam's hypotheses, among all
        self.worst = np.full(n_beams, -np.inf, dtype=np.float32)  # score among n_best finished
        self.leaves: list[list[_Leaf]] = [[] for _ in range(n_beams)]

    def step(self, length: int) -> bool:
        """Add symbol number ``length`` to every hypothesis. Return whether any beam continues."""
        found = self._continuations(length)
        is_over = self.search.endings.are_over(found.symbols, self.texts, found.rows, length)
        width = self.search.width
        best = found.first(width)
        if np.count_nonzero(is_over):
            self._finish(best, is_over[:, :width], length)
            found.values[is_over] = found.totals[is_over] = -np.inf
            columns = is_over.argsort(1, kind="stable")[:, :width]
            best = found.take(np.arange(len(self.beams))[:, None], columns)
        hope = self.search.scoring.bound(best.values.max(1), self.search.endings.max_length)
        goes_on = hope > self.worst[self.beams]
        if np.count_nonzero(goes_on) < len(goes_on):
            for beam in self.beams[~goes_on]:
                if not self.leaves[beam]:
                    forbidden = self.search.endings.forbidden(length - 1)
                    self.search.filters.refuse(length - 1, forbidden)
            best = self._leave(best, np.flatnonzero(goes_on))
        if len(self.beams):
            self._go_on(best)
        return len(self.beams) > 0

    def _continuations(self, length: int) -> _Found:
        search, n_beams = self.search, len(self.beams)
        logits, self.state = self.model.advance(self.symbols, self.state)
        left = log_probabilities = logits.float().log_softmax(-1)  # (S * K, V)
        size, forbidden = search.size, search.endings.forbidden(length - 1)
        if search.filters or forbidden is not None:
            history = torch.from_numpy(self.texts).to(self.device)
            left = search.filters.apply(log_probabilities, history, forbidden)
        count = min(search.width * (1 + search.endings.count), search.width * size)
        places, totals, values = self.ranking.rank(
            self.open, left.view(n_beams, search.width, size), count
        )
        chosen = log_probabilities.view(n_beams, -1).gather(1, places)
        at, on_host = places.cpu().numpy(), totals.cpu().numpy()
        rows = at // size
        return _Found(
            rows + self.first_rows[:n_beams],
            at - rows * size,
            chosen.cpu().numpy(),
            on_host,
            on_host if values is totals else values.cpu().numpy(),
        )

    def _finish(self, found: _Found, is_over: np.ndarray, length: int) -> None:
        search = self.search
        scores = search.scoring.score(found.values, length)
        coverage = search.scoring.coverage(self.model, self.state, search.filters.where)
        for at, column in np.argwhere(is_over & (scores > -np.inf)).tolist():
            row = int(found.rows[at, column])
            score = float(scores[at, column]) + (0.0 if coverage is None else coverage[row])
            leaf = _Leaf(
                score,
                length,
                row,
                int(found.symbols[at, column]),
                float(found.log_probabilities[at, column]),
            )
            beam = self.beams[at]
            leaves = self.leaves[beam]
            insort(leaves, leaf, key=lambda other: -other.score)
            del leaves[search.n_best :]
            if len(leaves) == search.n_best:
                self.worst[beam] = leaves[-1].score

    def _leave(self, best: _Found, live: np.ndarray) -> _Found:
        """Keep only these beams."""
        self.beams = self.beams[live]
        self.ranking.keep(torch.from_numpy(live).to(self.device))
        return best.take(live[:, None], np.arange(self.search.width)[None])

    def _go_on(self, best: _Found) -> None:
        """Reorder everything to the best hypotheses."""
        step = _Step(best.rows.ravel(), best.symbols.ravel(), best.log_probabilities.ravel())
        self.steps.append(step)
        self.ranking.go_on(step.rows, step.symbols)
        if self.reads_texts:
            self.texts = np.concatenate([self.texts[step.rows], step.symbols[:, None]], axis=1)
        self.state = self.model.reorder(self.state, torch.from_numpy(step.rows).to(self.device))
        self.symbols = torch.from_numpy(step.symbols).to(self.device)
        totals = torch.from_numpy(best.totals).to(self.device)
        same = best.values is best.totals
        self.open = Open(totals, totals if same else torch.from_numpy(best.values).to(self.device))

    def texts_of(self, beam: int) -> list[Generated]:
        """Return the finished texts of a beam, the best first."""
        return [self._text(leaf) for leaf in self.leaves[beam]]

    def _text(self, leaf: _Leaf) -> Generated:
        text, log_probabilities, row = [leaf.symbol], [leaf.log_probability], leaf.row
        for step in reversed(self.steps[: leaf.length - 1]):
            text.append(int(step.symbols[row]))
            log_probabilities.append(float(step.log_probabilities[row]))
            row = step.rows[row]
        text.reverse()
        log_probabilities.reverse()
        ended = self.search.endings.of_text(text)
        assert ended is not None
        return Generated(without_end(text, ended), log_probabilities, ended, leaf.score)
