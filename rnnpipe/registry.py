"""The registries (to be completed)."""
from __future__ import annotations
from collections.abc import Callable
from typing import TypeVar
F = TypeVar("F", bound=Callable[..., object])
def _registry(name: str) -> Callable[[str], Callable[[F], F]]:
    def register(component: str) -> Callable[[F], F]:
        def wrap(function: F) -> F:
            return function
        return wrap
    return register
embeddings = _registry("rnnpipe_embeddings")
encoders = _registry("rnnpipe_encoders")
poolers = _registry("rnnpipe_poolers")
decoders = _registry("rnnpipe_decoders")
