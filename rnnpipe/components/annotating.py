"""What all components share: their settings and labels, their stored form, and how they annotate a
stream of documents, some of which may not be as they need them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from spacy.errors import Errors
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model

from rnnpipe.errors import RnnpipeError, StructureError, WeightsError
from rnnpipe.shim.torch_shim import TorchShim

if TYPE_CHECKING:
    from typing_extensions import Self


class AnnotatingPipe(TrainablePipe):  # type: ignore[misc]  # spaCy's base class is Cython
    """A trainable component with one torch module, whose documents do not depend on each other."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Any, Any],
        name: str,
        scorer: Callable[..., Any] | None,
        **cfg: Any,
    ) -> None:
        """cfg: settings that are saved with the component and handed to its scorer."""
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = cfg

    def _require_network(self) -> dict[str, Any]:
        """The facts that the network was built from. Raises ValueError before initialisation."""
        facts = cast(TorchShim, self.model.shims[0]).facts
        if facts is None:
            raise ValueError(Errors.E109.format(name=self.name))
        return facts

    @property
    def labels(self) -> tuple[str, ...]:
        """Those that can be given, in the order of the network's; none if it gives no labels."""
        return tuple(self.cfg.get("labels", ()))

    def _add(self, label: str) -> bool:
        """Note a label. Returns whether it was not known."""
        if not isinstance(label, str):
            raise ValueError(Errors.E187)  # noqa: TRY004 - what spaCy's components raise
        if label in self.labels:
            return False
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return True

    # -- a stream of documents -----------------------------------------------------------------

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of documents. One that cannot be read as the network's structure does
        not take its batch along: the error handler is given that document alone."""
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
        """Raises WeightsError for what is not as it was saved."""
        try:
            yield
        except RnnpipeError:
            raise
        # What a damaged file looks like to its reader depends on where it is damaged.
        except Exception as error:
            raise WeightsError(
                f"components.{self.name}: expected all that was saved of the component, got "
                f"{type(error).__name__}: {error}. The pipeline's folder is incomplete or was "
                "altered: copy it again from where it was trained."
            ) from error
