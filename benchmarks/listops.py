"""ListOps (Nangia and Bowman 2018, ListOps: A Diagnostic Dataset for Latent Tree Learning): nested
lists of digits and the value of each.

    python benchmarks/listops.py folder [--train 30000] [--dev 1000] [--seed 0]

writes ``train.txt`` and ``dev.txt`` for ``rnnpipe.BracketCorpus.v1``, an expression
a line. A list is computed from left to right, so its tree is binary, and every bracket is labelled
with the value of the list so far: ``[MAX 2 9 ]`` is ``(9 (9 (2 [MAX 2) 9) ])``.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from options import parser_for

OPERATORS: dict[str, Callable[[Sequence[int]], int]] = {
    "[MIN": min,
    "[MAX": max,
    "[MED": lambda values: int(statistics.median(values)),
    "[SM": lambda values: sum(values) % 10,
}
#: How likely an argument is a list, how many arguments a list has at most, how deep lists are
#: nested at most, and how many tokens an expression has at most.
NESTED, MOST_ARGUMENTS, DEPTH, LONGEST = 0.25, 5, 8, 50


@dataclass(frozen=True)
class Expression:
    """value: from 0 to 9. tree: in brackets. size: its tokens."""

    value: int
    tree: str
    size: int


def draw(rng: random.Random, depth: int = DEPTH) -> Expression:
    """A random list."""
    operator = rng.choice(list(OPERATORS))
    tree, size, values = operator, 2, []
    for _ in range(rng.randint(2, MOST_ARGUMENTS)):
        argument = _argument(rng, depth - 1)
        values.append(argument.value)
        size += argument.size
        value = OPERATORS[operator](values)
        tree = f"({value} {tree} {argument.tree})"
    return Expression(value, f"({value} {tree} ])", size)


def _argument(rng: random.Random, depth: int) -> Expression:
    if depth > 0 and rng.random() < NESTED:
        return draw(rng, depth)
    digit = rng.randint(0, 9)
    return Expression(digit, str(digit), 1)


def data_set(n: int, seed: int, without: frozenset[str] = frozenset()) -> list[str]:
    """So many different expressions, none of them among the others given."""
    rng = random.Random(seed)
    trees: dict[str, None] = {}
    while len(trees) < n:
        expression = draw(rng)
        if expression.size <= LONGEST and expression.tree not in without:
            trees[expression.tree] = None
    return list(trees)


def main() -> None:
    parser = parser_for(__doc__, train=30_000, dev=1_000, seed=0)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    dev = data_set(arguments.dev, arguments.seed)
    train = data_set(arguments.train, arguments.seed + 1, frozenset(dev))
    for name, trees in {"train": train, "dev": dev}.items():
        (arguments.folder / f"{name}.txt").write_text("\n".join(trees) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
