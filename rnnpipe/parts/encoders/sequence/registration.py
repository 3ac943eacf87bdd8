"""From a cell to what a config names.

A plugin registers encoders of a cell of its own in two lines::

    QRNN = register(Recurrent, "acme.QRNN.v1", QRNNCell)
    BiQRNN = register(Bidirectional, "acme.BiQRNN.v1", QRNNCell)
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

from rnnpipe.contracts.registry import encoders
from rnnpipe.parts.encoders.sequence.cell import Dense
from rnnpipe.parts.encoders.sequence.settings import MakeCell, RecurrentSettings, document
from rnnpipe.parts.encoders.sequence.stack import RecurrentStack

Stack = TypeVar("Stack", bound=RecurrentStack)


def register(
    encoder: type[Stack], name: str, cell: MakeCell
) -> Callable[..., Callable[[int], Stack]]:
    """Register layers of a cell as an encoder, in the name of the module that calls it.

    encoder: ``Recurrent`` or ``Bidirectional``.
    name: how configs name it, ``"acme.QRNN.v1"``.
    cell: its class, or a function that makes one. The keyword-only parameters of the function, or
        of the class's :meth:`~rnnpipe.parts.encoders.sequence.cell.Cell.setup`, are settings, too,
        and the docstring explains them.
    """
    typed: Any = getattr(cell, "setup", cell)
    parameters = inspect.signature(typed).parameters.values()
    own = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    # A cell without recurrent matrices has nothing to do with these.
    dense = getattr(cell, "recurrence", Dense) is not None
    unused = () if dense else ("recurrent_dropout", "weight_dropout")
    shared = inspect.signature(RecurrentSettings).parameters.values()
    signature = inspect.Signature([p for p in shared if p.name not in unused] + own)

    def make(*args: Any, **given: Any) -> Callable[[int], Stack]:
        settings = signature.bind(*args, **given).arguments
        its = {p.name: settings.pop(p.name) for p in own if p.name in settings}
        made = functools.partial(cell, **its)
        return functools.partial(encoder, settings=RecurrentSettings(**settings), cell=made)

    hints = get_type_hints(RecurrentSettings, include_extras=True)
    hints |= get_type_hints(typed, include_extras=True)
    make.__signature__ = signature  # type: ignore[attr-defined]
    make.__annotations__ = {name: hints[name] for name in signature.parameters}
    make.__module__ = sys._getframe(1).f_globals["__name__"]  # as namedtuple and Enum do
    make.__name__ = make.__qualname__ = name.rsplit(".", 2)[-2]
    make.__doc__ = document(cell, unused)
    return encoders(name)(make)
