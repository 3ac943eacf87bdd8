"""One part at a time: registered, or a builder that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnnpipe.contracts.types import (
    AttentionBuilder,
    DecoderBuilder,
    DocEdges,
    DocStructure,
    EmbeddingBuilder,
    EncoderBuilder,
    FilterBuilder,
    OutputBuilder,
    PixelOutputBuilder,
    PoolerBuilder,
)
from rnnpipe.testing.documents import LENGTHS, Docs
from rnnpipe.testing.drawing import Draw
from rnnpipe.testing.promises import Kind
from rnnpipe.testing.registered import KINDS, build

Settings = Mapping[str, Any]


def check_encoder(
    encoder: str | EncoderBuilder,
    settings: Settings | None = None,
    *,
    n_in: int = 4,
    draw: Draw | None = None,
) -> None:
    """Check all that encoders promise. Raises :class:`BrokenPromise`, which says what is broken and
    shows the smallest documents that were found to break it.

    encoder: a registered name, ``"acme.QRNN.v1"``, or what the registered function returns.
    settings: of a registered name; by default the smallest that it cannot do without.
    n_in: the width of the nodes.
    draw: draws documents of the structure that it reads, if that is not one of rnnpipe's.
    """
    _check("encoder", encoder, settings, n_in=n_in, draw=draw)


def check_pooler(
    pooler: str | PoolerBuilder, settings: Settings | None = None, *, n_in: int = 4
) -> None:
    """As :func:`check_encoder`. n_in: the width of the states, an even number."""
    _check("pooler", pooler, settings, n_in=n_in)


def check_decoder(
    decoder: str | DecoderBuilder, settings: Settings | None = None, *, n_in: int = 4
) -> None:
    """As :func:`check_encoder`, of a decoder that labels. n_in: the width of the states."""
    _check("decoder", decoder, settings, n_in=n_in)


def check_embedding(
    embedding: str | EmbeddingBuilder,
    settings: Settings | None = None,
    *,
    vocab: Any = None,
    docs: Docs | None = None,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """As :func:`check_encoder`.

    vocab: a spaCy vocabulary; by default a small one with vectors.
    docs: makes documents of the vocabulary with so many items each; by default of tokens.
    lengths: of the documents, without a 0 if none may be empty.
    """
    _check("embedding", embedding, settings, vocab=vocab, docs=docs, lengths=lengths)


def check_structure(
    structure: str | DocStructure,
    settings: Settings | None = None,
    *,
    docs: Docs | None = None,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """As :func:`check_encoder`.

    docs: makes documents of a vocabulary with so many tokens, or other items, each; by default of
        tokens with all annotation that rnnpipe's structures are made of.
    lengths: of the documents, without a 0 if none may be empty.
    """
    _check("structure", structure, settings, docs=docs, lengths=lengths)


def check_edges(
    edges: str | DocEdges, settings: Settings | None = None, *, docs: Docs | None = None
) -> None:
    """As :func:`check_encoder`.

    docs: makes documents of a vocabulary with so many tokens each, which the edges join; by default
        of tokens that each lead to the next, by all annotation that rnnpipe's edges are made of.
    """
    _check("edge", edges, settings, docs=docs)


def check_filter(
    filter: str | FilterBuilder, settings: Settings | None = None, *, size: int = 6
) -> None:
    """As :func:`check_encoder`. size: how many symbols there are."""
    _check("filter", filter, settings, size=size)


def check_attention(
    attention: str | AttentionBuilder, settings: Settings | None = None, *, width: int = 6
) -> None:
    """As :func:`check_encoder`. width: of the decoder's states and of the source's."""
    _check("attention", attention, settings, width=width)


def check_output(
    output: str | OutputBuilder, settings: Settings | None = None, *, width: int = 8, size: int = 11
) -> None:
    """As :func:`check_encoder`. width: of the states. size: how many symbols there are."""
    _check("output", output, settings, width=width, size=size)


def check_pixel_output(
    output: str | PixelOutputBuilder,
    settings: Settings | None = None,
    *,
    n_in: int = 6,
    channels: int = 3,
    levels: int = 2,
) -> None:
    """As :func:`check_encoder`. n_in: the width of the states. channels: of a pixel. levels: of
    each channel."""
    _check("pixel output", output, settings, n_in=n_in, channels=channels, levels=levels)


def _check(kind_name: str, part: Any, settings: Settings | None, **options: Any) -> None:
    kind: Kind[Any] = KINDS[kind_name]
    name = part if isinstance(part, str) else getattr(part, "__name__", type(part).__name__)
    builder = build(kind, part, settings) if isinstance(part, str) else part
    if not isinstance(builder, kind.builder):
        raise TypeError(
            f"{name}: expected a name or a builder of the kind {kind_name!r}, got "
            f"{type(builder).__name__}."
        )
    make: Any = kind.case
    kind.check(make(name, builder, **options))
