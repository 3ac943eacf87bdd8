"""Contestants measured in turn, so that whatever else the machine does slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def seconds(task: Callable[[], Any]) -> float:
    """The processor time of one call."""
    start = time.process_time()
    task()
    return time.process_time() - start


def race(
    contestants: Mapping[str, Any], tasks: Sequence[str], rounds: int, count: int, unit: str
) -> dict[tuple[str, str], float]:
    """Run each task, a method of every contestant, by turns; print how much faster the last
    contestant is than the first, the median over the rounds.

    count, unit: what a task goes through, for the speeds: 18,204, "words".
    RETURNS: the median seconds of each (contestant, task).
    """
    times: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds + 1):
        for who, contestant in contestants.items():
            for what in tasks:
                spent = seconds(getattr(contestant, what))
                if number:  # the first round warms up
                    times.setdefault((who, what), []).append(spent)
    medians = {key: statistics.median(spent) for key, spent in times.items()}
    first, *_, last = contestants
    for what in tasks:
        pairs = zip(times[first, what], times[last, what], strict=True)
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        speeds = (f"{who} {count / medians[who, what]:,.0f} {unit}/s" for who in contestants)
        print(f"{what:8} {ratio:5.2f} x   ({', '.join(speeds)})")
    return medians
