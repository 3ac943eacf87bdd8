"""What the components that learn texts, symbol by symbol, or images, by pixels, have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from spacy.training import Example, validate_examples
from thinc.api import Optimizer, set_dropout_rate

from rnnpipe.components.annotating import AnnotatingPipe
from rnnpipe.components.symbol_model import Run
from rnnpipe.errors import TrainingError, expected

Losses = dict[str, float]


class SymbolPipe(AnnotatingPipe):
    """A trainable component whose model learns the symbols of texts, or the pixels of images. Its
    losses are in nats, added up over these."""

    @abstractmethod
    def learnable(self, examples: Sequence[Example]) -> Sequence[Any]:
        """What the network is given for these examples."""

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: Losses | None = None,
    ) -> Losses:
        """Learn from a batch."""
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        return self._learn(self.learnable(examples), drop, sgd, losses)

    def _learn(
        self, items: Sequence[Any], drop: float, sgd: Optimizer | None, losses: Losses | None
    ) -> Losses:
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        if items:
            set_dropout_rate(self.model, drop)
            run, _ = self.model.begin_update(items)
            losses[self.name] += self.get_loss([], run)[0]
            if sgd is not None:
                self.finish_update(sgd)
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Run) -> tuple[float, Any]:
        """The loss of a training pass. The gradients are added up on the way."""
        loss = scores.backward()
        if not math.isfinite(loss):
            where = f"components.{self.name}"
            do = "Lower the learning rate and set grad_clip."
            raise TrainingError(expected(where, "a finite training loss", loss, do))
        return loss, None
