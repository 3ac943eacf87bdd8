"""How fast a pipeline is on this machine: words a second, over several rounds."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

T = TypeVar("T")
#: The seconds that a clock shows.
Clock = Callable[[], float]


@dataclass(frozen=True)
class Speed:
    """words: of each round. seconds: what each took."""

    words: list[int]
    seconds: list[float]

    @property
    def rates(self) -> list[float]:
        """Words a second, of each round."""
        return [w / s for w, s in zip(self.words, self.seconds, strict=True)]

    @property
    def median(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> float:
        """From the slowest to the fastest round, as a share of the median."""
        return (max(self.rates) - min(self.rates)) / self.median

    def as_json(self) -> dict[str, Any]:
        return {
            "words_per_second": self.median,
            "slowest": min(self.rates),
            "fastest": max(self.rates),
            "words": self.words,
            "seconds": self.seconds,
        }


def prediction_speed(
    nlp: Language, docs: Sequence[Doc], rounds: int, clock: Clock = perf_counter
) -> Speed:
    """Of ``nlp.pipe`` over documents without annotation.

    Each round has documents of its own, because vectors of words are kept from call to call; one
    more round comes first and is not counted, since it compiles what is compiled.
    """

    def run(part: Sequence[Doc]) -> int:
        return sum(map(n_words, nlp.pipe(part)))

    return _timed(run, docs, rounds, clock)


def training_speed(
    batches: Sequence[Sequence[Example]],
    update: Callable[[Sequence[Example]], object],
    rounds: int,
    clock: Clock = perf_counter,
) -> Speed:
    """Of update steps, each over a batch, which change the weights of the pipeline; rounds as in
    :func:`prediction_speed`."""

    def run(part: Sequence[Sequence[Example]]) -> int:
        for batch in part:
            update(batch)
        return sum(n_words(example) for batch in part for example in batch)

    return _timed(run, batches, rounds, clock)


def _timed(
    run: Callable[[Sequence[T]], int], items: Sequence[T], rounds: int, clock: Clock
) -> Speed:
    words, seconds = [], []
    for part in _parts(items, rounds + 1):
        begin = clock()
        words.append(run(part))
        _wait()
        seconds.append(clock() - begin)
    return Speed(words[1:], seconds[1:])


def _parts(items: Sequence[T], n: int) -> list[Sequence[T]]:
    """Every n-th item, so that the parts are alike; as many parts as there are items for."""
    return [items[i::n] for i in range(min(n, len(items)))]


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def n_words(document: Sized) -> int:
    """Of a document or an example; one without words, such as an image, counts as one."""
    return max(1, len(document))


def up_to(items: Iterable[T], words: int, size: Callable[[T], int], least: int = 0) -> list[T]:
    """The first items with so many words together, and at least so many items; or all."""
    taken: list[T] = []
    total = 0
    for item in items:
        taken.append(item)
        total += size(item)
        if total >= words and len(taken) >= least:
            break
    return taken


def peak_memory() -> int | None:
    """The most bytes that this process has held so far; on a GPU, that torch has held there."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # on Windows
        return None
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
