"""The exposure-bias gap: text of a model that reads its own symbols, against real text.

A language model learns to predict what follows on real text, and writes by following on its own
(Ranzato et al. 2016, Sequence Level Training with Recurrent Neural Networks). Its errors then feed
on each other. For prompts c of real text, with the real continuation x and one that the model draws
itself, x~, at temperature 1, at each distance t from the prompt:

    teacher-forced   H(t) = E[-log p(x_t  | c, x_<t)]     the cross-entropy of real text
    free-running     F(t) = E[-log p(x~_t | c, x~_<t)]    the model's entropy on its own text

H(t) = F(t) at all t for a model that is the source of the text; F that falls or rises with t shows
that its own text leads it astray (Braverman et al. 2020, Calibration, Entropy Rates, and Memory in
Language Models). A model may be sure of bad text, so that a judge q that has never seen the model,
n-grams of real text, reads both too:

    real      Q(t) = E[-log q(x_t  | the n - 1 symbols before)]
    written   W(t) = E[-log q(x~_t | the n - 1 symbols before)]

The gap is ``W(t) - Q(t)``: how much less like real text the model's own is, in nats a symbol. A gap
that grows with t is exposure bias; one that is there from the start is the model's lack of fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch

from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.components.network_model import network_shim
from rnnpipe.contracts.types import BOUNDARY, Text
from rnnpipe.errors import CorpusError, SettingsError, expected
from rnnpipe.instruments.ngram import NGrams
from rnnpipe.instruments.reading import Reader
from rnnpipe.models.language.language_model import LanguageModel
from rnnpipe.parts.decoders.generation.noise import GumbelNoise


@dataclass(frozen=True)
class Curve:
    """mean, error: ``(K,)`` nats a symbol, and the standard error of that mean over prompts."""

    mean: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class ExposureBias:
    """Curves over K ranges of distance from the prompt; see the module's text.

    distances: ``(K,)`` the middle of each range, in symbols.
    """

    distances: np.ndarray
    teacher_forced: Curve
    free_running: Curve
    real: Curve
    written: Curve
    n_prompts: int
    prompt_length: int
    order: int

    @property
    def gap(self) -> np.ndarray:
        """``(K,)`` nats a symbol."""
        difference: np.ndarray = self.written.mean - self.real.mean
        return difference

    @property
    def growth(self) -> float:
        """By how many nats a symbol the gap is wider in the last quarter than in the first, of the
        distances that any text of the model's reaches; NaN if all of its texts are empty."""
        gap = self.gap[~np.isnan(self.gap)]
        if not len(gap):
            return math.nan
        quarter = max(1, len(gap) // 4)
        return float(gap[-quarter:].mean() - gap[:quarter].mean())

    def as_json(self) -> dict[str, Any]:
        """Numbers that are missing, since all texts had ended before, are ``None``."""
        curves = {
            "teacher_forced": self.teacher_forced,
            "free_running": self.free_running,
            "judge_real": self.real,
            "judge_written": self.written,
        }
        return {
            "unit": "nats per symbol",
            "prompts": self.n_prompts,
            "prompt_symbols": self.prompt_length,
            "judge_order": self.order,
            "distances": self.distances.tolist(),
            **{name: _listed(curve.mean) for name, curve in curves.items()},
            **{f"{name}_error": _listed(curve.error) for name, curve in curves.items()},
            "gap": _listed(self.gap),
            "gap_growth": None if math.isnan(self.growth) else self.growth,
        }


def _listed(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def exposure_bias(
    reader: Reader,
    text: str,
    *,
    where: str,
    prompts: int = 100,
    prompt_length: int = 100,
    length: int = 200,
    ranges: int = 20,
    order: int = 4,
    seed: int = 0,
) -> ExposureBias:
    """Measure it on a text.

    where: the text's name, for errors.
    prompts: how many places of the text, evenly spread, are continued.
    prompt_length, length: symbols of real text before, and of continuation.
    ranges: into how many ranges the distances are gathered.
    order: n of the judge, whose n-grams are counted in all of the text but the continuations.

    RAISES: SettingsError if ``ranges`` exceeds ``length``; CorpusError if the text is too short for
        prompts and continuations to take no more than half of it.
    """
    if ranges > length:
        want = f"at most the length of each continuation ({length})"
        raise SettingsError(expected("ranges", want, ranges, "Lower ranges."))
    symbols = np.concatenate([np.zeros(0, np.int64), *reader.symbols([text])])
    need = 2 * prompts * (prompt_length + length)
    if len(symbols) < need:
        do = "Use a longer text, or fewer or shorter prompts and continuations."
        want = f"at least {need} symbols, twice the length of {prompts} prompts and continuations"
        raise CorpusError(expected(where, want, len(symbols), do))
    begins = np.arange(prompts) * (len(symbols) // prompts)
    windows = [symbols[b : b + prompt_length + length] for b in begins]
    kept = [
        symbols[b + prompt_length + length : end].tolist()
        for b, end in zip(begins, [*begins[1:], len(symbols)], strict=True)
    ]
    judge = NGrams(kept, order, len(reader.pipe.symbols))
    starts = [window[:prompt_length] for window in windows]
    drawn = _draw(reader.pipe, np.array(starts), length, seed)
    texts = [np.concatenate([start, own]) for start, (own, _) in zip(starts, drawn, strict=True)]
    edges = np.linspace(0, length, ranges + 1).round().astype(int)
    return ExposureBias(
        distances=(edges[:-1] + edges[1:] + 1) / 2,
        teacher_forced=_curve(_forced(reader.pipe, windows, prompt_length), edges),
        free_running=_curve([nats for _, nats in drawn], edges),
        real=_curve([judge.nats(w.tolist(), prompt_length) for w in windows], edges),
        written=_curve([judge.nats(t.tolist(), prompt_length) for t in texts], edges),
        n_prompts=prompts,
        prompt_length=prompt_length,
        order=order,
    )


def _forced(pipe: RnnLanguageModel, windows: Sequence[np.ndarray], begin: int) -> list[np.ndarray]:
    """The model's nats of each symbol from number ``begin`` of the windows on."""
    texts = [Text(np.concatenate([[BOUNDARY], window[:-1]]), window) for window in windows]
    with network_shim(pipe.model).evaluation() as module:
        scores = cast(LanguageModel, module).log_likelihoods(texts)
    return [-score[begin:] for score in scores]


def _draw(
    pipe: RnnLanguageModel, prompts: np.ndarray, length: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the model writes after each prompt, all of them side by side: the symbols, ``(n,)``, and
    its nats of each, with one more of the end symbol if that came before ``length``.

    prompts: ``(N, P)``. Text i is number i of those that a sampler draws with that seed.
    """
    writer = pipe.writer
    steps, device = writer.steps, writer.model.embedding.weight.device
    noise = GumbelNoise(seed, list(range(len(prompts))), writer.alphabet.size)
    begun = np.pad(prompts, ((0, 0), (1, 0)), constant_values=BOUNDARY)
    state = steps.begin(len(begun))
    for column in begun.T[:-1]:
        _, state = steps.advance(torch.from_numpy(column).to(device), state)
    chosen, drawn, nats = begun[:, -1], [], []
    for _ in range(length):
        logits, state = steps.advance(torch.from_numpy(chosen).to(device), state)
        scores = logits.float().log_softmax(-1).cpu().numpy()  # (N, V)
        chosen = (scores + noise.next()).argmax(1)
        drawn.append(chosen)
        nats.append(-np.take_along_axis(scores, chosen[:, None], axis=1)[:, 0])
    return [_ended(*text) for text in zip(np.array(drawn).T, np.array(nats).T, strict=True)]


def _ended(symbols: np.ndarray, nats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without what a model was made to write after its end symbol."""
    end = next(iter(np.flatnonzero(symbols == BOUNDARY)), len(symbols))
    return symbols[:end], nats[: end + 1]


def _curve(rows: Sequence[np.ndarray], edges: np.ndarray) -> Curve:
    """rows: nats by distance, of each prompt; some may be shorter than others."""
    table = np.full((len(rows), edges[-1]), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    means = [_mean(table[:, a:b]) for a, b in pairwise(edges.tolist())]
    return Curve(np.array([m for m, _ in means]), np.array([e for _, e in means]))


def _mean(block: np.ndarray) -> tuple[float, float]:
    """Of all numbers of a range, and its standard error, prompts being independent."""
    present = ~np.isnan(block)
    counts = present.sum(1)
    if not counts.any():
        return np.nan, np.nan
    sums = np.where(present, block, 0.0).sum(1)
    mean = sums.sum() / counts.sum()
    # Of a ratio of sums (linearised), since prompts may have fewer numbers than others.
    residuals = sums - mean * counts
    n = max(2, int((counts > 0).sum()))
    error = np.sqrt((residuals**2).sum() * n / (n - 1)) / counts.sum()
    return float(mean), float(error)
