"""``acme.UnigramCache.v1``: symbols that occur in a document become more likely."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from rnnpipe.api import Adaptation, PositiveInt, adaptations

#: A share strictly between 0 and 1: both distributions count.
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


@adaptations("acme.UnigramCache.v1")
def UnigramCache(size: PositiveInt = 500, share: Share = 0.05) -> Adaptation:
    """``p(w) = (1 - share) p_model(w) + share n(w) / n``, n(w) of the last n symbols of the
    document being w (Kuhn and De Mori 1990, A Cache-Based Natural Language Model). The first symbol
    has the model's probability.

    size: the maximum n. share: the weight of the cache.
    """
    return _UnigramCache(size, share)


@dataclass(frozen=True)
class _UnigramCache:
    size: int
    share: float

    def log_likelihoods(self, model: Any, text: Any) -> np.ndarray:
        """Return ``(N,)`` float32: the value for each target, given all symbols before it."""
        (own,) = model.log_likelihoods([text])
        targets = text.targets.tolist()
        counts: Counter[int] = Counter()
        mixed = np.array(own, dtype=np.float32)
        for i, target in enumerate(targets):
            if i:
                cached = counts[target] / min(i, self.size)
                mixed[i] = np.log((1 - self.share) * np.exp(own[i]) + self.share * cached)
            counts[target] += 1
            if i >= self.size:
                counts[targets[i - self.size]] -= 1
        return mixed
