"""What all components share: a network as a spaCy trainable pipe.

A component defines what its network learns from examples, and how its answers are written on
documents. The rest, from ``nlp.update`` to ``from_disk``, is here.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spacy.errors import Errors
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from rnnpipe.components.network_model import network_shim
from rnnpipe.components.training_pass import TrainingPass, evaluation_loss
from rnnpipe.errors import RnnpipeError, StructureError, TrainingError, WeightsError, expected

if TYPE_CHECKING:
    from typing_extensions import Self

Losses = dict[str, float]


class RnnPipe(TrainablePipe):  # type: ignore[misc]  # spaCy's base class is Cython
    """A trainable component with one torch module. Its documents do not depend on each other.

    A subclass that defines :meth:`taught` sets ``_rehearsal_model`` to ``None``, for spaCy to fill
    in.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str,
        scorer: Callable[..., Any] | None,
        **cfg: Any,
    ) -> None:
        """Create the component; ``cfg`` is saved with it and passed to its scorer."""
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = cfg

    def _require_network(self) -> dict[str, Any]:
        """Return the facts that the network was built from; raise ValueError before
        initialisation."""
        facts = network_shim(self.model).facts
        if facts is None:
            raise ValueError(Errors.E109.format(name=self.name))
        return facts

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the network's; empty if the component has none."""
        return tuple(self.cfg.get("labels", ()))

    def _add(self, label: str) -> bool:
        """Add a label. Return whether it is new."""
        if not isinstance(label, str):
            raise ValueError(Errors.E187)  # noqa: TRY004 - what spaCy's components raise
        if label in self.labels:
            return False
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return True

    # -- training ------------------------------------------------------------------------------

    @abstractmethod
    def learnable(self, examples: Sequence[Example]) -> Sequence[Sized]:
        """Return the items to learn from the examples, for
        :class:`rnnpipe.components.training_pass.Learner`."""

    def taught(self, teacher: Model[Any, Any], examples: Sequence[Example]) -> Sequence[Sized]:
        """Return the items to learn from a teacher's answers for the examples' documents. By
        default none."""
        return []

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: Losses | None = None,
    ) -> Losses:
        """Update the network on a batch. The loss is in nats, summed over all predictions: tokens,
        constituents, documents, symbols or pixel channels."""
        examples = list(self._valid(examples, "update"))
        return self._learn(examples, self.learnable(examples), drop, sgd, losses)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: Losses | None = None,
    ) -> Losses:
        """Train the network to keep the answers that it gave when ``nlp.resume_training()`` was
        called."""
        examples = list(self._valid(examples, "rehearse"))
        teacher = getattr(self, "_rehearsal_model", None)
        items = [] if teacher is None or not examples else self.taught(teacher, examples)
        return self._learn(examples, items, drop, sgd, losses)

    def _learn(
        self,
        examples: Sequence[Example],
        items: Sequence[Sized],
        drop: float,
        sgd: Optimizer | None,
        losses: Losses | None,
    ) -> Losses:
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        if items:
            self._require_network()
            set_dropout_rate(self.model, drop)
            scores, backprop = self.model.begin_update([eg.predicted for eg in examples])
            losses[self.name] += self._finite(scores.loss(items))
            backprop(scores.gradient)
            if sgd is not None:
                self.finish_update(sgd)
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Any) -> tuple[float, Any]:
        """Return the loss in nats and the gradient to pass to the backprop of a training pass.
        The gradients of the parameters do not change.

        scores: the training pass from ``model.begin_update`` over the examples' documents, or the
            return value of :meth:`predict` for them. The loss is then computed without dropout, and
            the gradient is ``None``.

        Raises:
            TrainingError: the scores are neither of these, or the loss is not finite.
        """
        examples = list(self._valid(examples, "get_loss"))
        in_training = isinstance(scores, TrainingPass)
        docs = scores.docs if in_training else scores
        if not isinstance(docs, list) or len(docs) != len(examples):
            n, kind = len(examples), type(docs).__name__
            want = f"the training pass or the predictions for {n} documents, one for each example"
            got = f"those of {len(docs)}" if isinstance(docs, list) else kind
            do = "Pass the result of model.begin_update(docs) or predict(docs)."
            raise TrainingError(expected(f"components.{self.name}: get_loss", want, got, do))
        self._require_network()
        items = self.learnable(examples)
        if in_training:
            return self._finite(scores.loss(items)), scores.gradient
        loss = evaluation_loss(self.model, [eg.predicted for eg in examples], items)
        return self._finite(loss), None

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            # Updates are counted since the component was made or loaded.
            where = f"components.{self.name}: update {network_shim(self.model).updates + 1}"
            do = "Lower the learning rate, set grad_clip, and check the word vectors for NaN."
            raise TrainingError(expected(where, "a finite training loss", loss, do))
        return loss

    def _valid(self, examples: Iterable[Example], method: str) -> Iterator[Example]:
        """Yield the examples one by one; raise TypeError for other items, as spaCy's components
        do."""
        where = f"{type(self).__name__}.{method}"
        if not isinstance(examples, Iterable):
            validate_examples(examples, where)
        for example in examples:
            validate_examples([example], where)
            yield example

    # -- a stream of documents -----------------------------------------------------------------

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of documents. If a document cannot be read as the network's structure,
        the error handler gets that document alone, not its batch."""
        for docs in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            yield from self._annotate(docs)

    def _annotate(self, docs: list[Doc]) -> Iterator[Doc]:
        try:
            self.set_annotations(docs, self.predict(docs))
        except Exception as error:  # noqa: BLE001 - what to do with it is the handler's business
            if isinstance(error, StructureError) and len(docs) > 1:
                for doc in docs:
                    yield from self._annotate([doc])
            else:
                self.get_error_handler()(self.name, self, docs, error)
        else:
            yield from docs

    # -- saving and loading --------------------------------------------------------------------

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        with self._loading():
            super().from_bytes(bytes_data, exclude=exclude)
        return self

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> Self:
        with self._loading():
            super().from_disk(path, exclude=exclude)
        return self

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """Raise WeightsError if the data are not as they were saved."""
        try:
            yield
        except RnnpipeError:
            raise
        # What a damaged file looks like to its reader depends on where it is damaged.
        except Exception as error:
            raise WeightsError(
                f"components.{self.name}: expected the complete saved component, got "
                f"{type(error).__name__}: {error}. The pipeline's folder is incomplete or was "
                f"changed: copy it again from its source."
            ) from error
