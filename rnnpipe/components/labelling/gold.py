"""Gold annotations of examples as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from spacy.strings import get_string_id
from spacy.training import Example


def same_tokens(example: Example) -> bool:
    """Return whether prediction and reference have the same tokens."""
    x, y = example.predicted, example.reference
    return len(x) == len(y) and bool((x.to_array("ORTH") == y.to_array("ORTH")).all())


def token_labels(attribute: str, examples: Iterable[Example]) -> set[str]:
    """Return the values of a token attribute, such as ``"TAG"``, in the gold annotations."""
    labels: set[str] = set()
    for eg in examples:
        strings = eg.reference.vocab.strings  # a sourced component's vocabulary may lack them
        keys = np.unique(eg.reference.to_array(attribute)).tolist()
        labels.update(strings[key] for key in keys if key)
    return labels


def label_ids(labels: tuple[str, ...], keys: np.ndarray) -> np.ndarray:
    """Convert string hashes to positions in ``labels``; -1 for 0, the hash of a missing annotation.

    Raises:
        KeyError: a label is unknown; the key is its hash.
    """
    known = _positions(labels)
    return np.array([known[key] for key in keys.tolist()], dtype=np.int64)


@lru_cache(maxsize=32)
def _positions(labels: tuple[str, ...]) -> dict[int, int]:
    return {get_string_id(label): i for i, label in enumerate(labels)} | {0: -1}
