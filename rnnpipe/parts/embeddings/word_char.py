"""The default embedding of a network: whole words and their characters."""

from __future__ import annotations

from rnnpipe.contracts.registry import embeddings
from rnnpipe.contracts.types import EmbeddingBuilder, PositiveInt
from rnnpipe.parts.embeddings.chars import CharCNN
from rnnpipe.parts.embeddings.concat import Concat
from rnnpipe.parts.embeddings.hashed import Hashed


@embeddings("rnnpipe.WordChar.v1")
def WordChar(width: PositiveInt = 128, char_width: PositiveInt = 64) -> EmbeddingBuilder:
    """``rnnpipe.Hashed.v1`` and ``rnnpipe.CharCNN.v1`` side by side, with their default settings.

    width: the size of the hashed part. char_width: the size of the character part.
    """
    return Concat({"words": Hashed(width=width), "chars": CharCNN(width=char_width)})
