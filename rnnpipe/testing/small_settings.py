"""The settings that a part cannot do without, as small as they may be."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rnnpipe.contracts.types import DocEdges, EncoderBuilder, PoolerBuilder
from rnnpipe.parts.edges.next_token import NextToken
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.parts.poolers.mean import Mean

#: Parts that other parts consist of.
PARTS: dict[Any, Any] = {
    EncoderBuilder: LSTM(width=3),
    PoolerBuilder: Mean(),
    DocEdges: NextToken(),
    dict[str, DocEdges]: {"next": NextToken()},
}
#: Tried in turn: a width or a count, a share, a switch.
GUESSES = (3, 0.5, False)


def small_settings(function: Callable[..., Any]) -> dict[str, Any]:
    """Values for the settings without a default: 3 for a number of things, 0.5 for a share, the
    first of several options, of the parts in ``PARTS`` the one there. Raises LookupError for one
    that cannot be guessed."""
    bare = inspect.unwrap(function)
    hints = typing.get_type_hints(bare, include_extras=True)
    return {
        name: _guess(function, name, hints.get(name, Any))
        for name, parameter in inspect.signature(bare).parameters.items()
        if parameter.default is parameter.empty
    }


def _guess(function: Callable[..., Any], name: str, annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)[0]
    if annotation in PARTS:
        return PARTS[annotation]
    adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    for value in GUESSES:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            continue
    raise LookupError(
        f"{function.__name__}.{name}: expected a setting with a default, a number or one of "
        f"several options, got {annotation}. Pass settings to the check."
    )
