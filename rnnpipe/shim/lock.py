"""A lock for many predicting threads or one training thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident


class SharedLock:
    """A lock held by any number of threads together (:meth:`shared`) or by one alone
    (:meth:`exclusive`).

    A thread may re-enter the mode that it holds, and share what it holds alone. A thread that waits
    for exclusive access goes before newcomers. Raises ``RuntimeError`` if a thread that shares the
    lock requests exclusive access, since it would wait for itself.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing: Counter[int] = Counter()  # thread -> how often it has entered
        self._alone: int | None = None
        self._depth = 0
        self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        me = get_ident()
        with self._changed:
            self._changed.wait_for(lambda: self._may_share(me))
            self._sharing[me] += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing[me] -= 1
                if not self._sharing[me]:
                    del self._sharing[me]
                    self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        me = get_ident()
        with self._changed:
            if self._alone != me:
                self._take(me)
            self._depth += 1
        try:
            yield
        finally:
            with self._changed:
                self._depth -= 1
                if not self._depth:
                    self._alone = None
                    self._changed.notify_all()

    def _may_share(self, me: int) -> bool:
        if self._alone is not None:
            return self._alone == me
        return me in self._sharing or not self._waiting

    def _take(self, me: int) -> None:
        if me in self._sharing:
            raise RuntimeError(
                "TorchShim: expected no prediction in progress in the thread that changes the "
                "weights, got one. Exit evaluation() before training or loading."
            )
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: self._alone is None and not self._sharing)
            self._alone = me
        finally:
            self._waiting -= 1
            self._changed.notify_all()
