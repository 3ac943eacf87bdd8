"""The scorer of relations with a direction: the official one of SemEval-2010 task 8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from spacy.training import Example

from rnnpipe.contracts.settings import checked

Scores = dict[str, Any]


@checked("scorers", "rnnpipe.relation_scorer.v1")
def relation_scorer(other: str = "Other") -> Callable[..., Scores]:
    """How well relations between two mentions are told, from ``doc.cats``, whose most probable
    category is the answer. A category is a relation with its direction, ``Cause-Effect(e2,e1)``.

    relation_macro_f: the official score of SemEval-2010 task 8 (Hendrickx et al. 2010), its
        (9+1)-way evaluation that takes directionality into account: the mean of the F1 of the
        relations, ``other`` left out. An answer is right only if relation and direction are; a
        relation's precision is the share of its answers, in either direction, that are right, its
        recall the share of its examples.
    relation_macro_p, relation_macro_r: the means of precision and recall of the same relations.
    relation_f_per_type: of each relation ``p``, ``r`` and ``f``.
    relation_acc: the share of examples with the right answer, ``other`` included.

    All are ``None`` where there is nothing to score. The relations are those that occur in the
    examples.

    other: the category for no relation.
    """

    def score(examples: Iterable[Example], **_: Any) -> Scores:
        pairs = [
            (true, max(cats, key=lambda label: cats[label]) if cats else other)
            for true, cats in ((_truth(eg), eg.predicted.cats) for eg in examples)
            if true is not None
        ]
        return relation_scores(pairs, other)

    return score


def _truth(example: Example) -> str | None:
    return next((label for label, value in example.reference.cats.items() if value == 1.0), None)


def relation_scores(pairs: list[tuple[str, str]], other: str) -> Scores:
    """See :func:`relation_scorer`. pairs: the true and the found category of each example."""
    true = Counter(_relation(gold) for gold, _ in pairs)
    found = Counter(_relation(answer) for _, answer in pairs)
    right = Counter(_relation(gold) for gold, answer in pairs if gold == answer)
    per_type = {
        name: _prf(right[name], found[name], true[name]) for name in sorted(true) if name != other
    }

    def mean(score: str) -> float | None:
        return sum(s[score] for s in per_type.values()) / len(per_type) if per_type else None

    return {
        "relation_macro_f": mean("f"),
        "relation_macro_p": mean("p"),
        "relation_macro_r": mean("r"),
        "relation_f_per_type": per_type or None,
        "relation_acc": right.total() / len(pairs) if pairs else None,
    }


def _relation(category: str) -> str:
    return category.partition("(")[0]


def _prf(right: int, found: int, true: int) -> dict[str, float]:
    p, r = right / max(1, found), right / max(1, true)
    return {"p": p, "r": r, "f": 2 * p * r / (p + r) if right else 0.0}
