"""How a component annotates a stream of documents, some of which may not be as it needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.util import minibatch

from rnnpipe.errors import StructureError


class AnnotatingPipe(TrainablePipe):  # type: ignore[misc]  # spaCy's base class is Cython
    """A trainable component whose documents do not depend on each other."""

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
