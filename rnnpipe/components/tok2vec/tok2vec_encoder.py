"""``rnnpipe.Tok2VecEncoder.v1``: an encoder of this package inside a spaCy tok2vec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from thinc.api import Model, Ops
from thinc.types import Floats2d
from thinc.util import torch2xp, xp2torch
from torch import Tensor, nn

from rnnpipe.contracts.settings import checked
from rnnpipe.contracts.types import Encoder, EncoderBuilder, PositiveInt, Precision
from rnnpipe.errors import StructureError
from rnnpipe.models.labelling.batching import Bucket, Limits, plan_buckets
from rnnpipe.shim.torch_shim import TorchShim
from rnnpipe.shim.weights import Facts
from rnnpipe.structures import Sequences

#: One array a document, one row a token.
Vectors: TypeAlias = Sequence[Floats2d]


@checked("architectures", "rnnpipe.Tok2VecEncoder.v1")
def Tok2VecEncoder(
    encoder: EncoderBuilder,
    width: PositiveInt | None = None,
    precision: Precision = "float32",
    max_padded_tokens: PositiveInt = 8192,
) -> Model[Vectors, Vectors]:
    """The ``encode`` block of ``spacy.Tok2Vec.v2``: token vectors to token vectors in context.

    encoder: any registered encoder that reads sequences. If its own ``dropout`` is unset, the rate
        of ``[training]`` applies.
    width: width of its states, if other parts of the config refer to it; checked at initialisation.
    precision: ``"bfloat16"`` computes matrix products in bfloat16 and keeps float32 weights.
    max_padded_tokens: maximum number of token positions computed at once.

    Raises:
        StructureError: at initialisation, if the encoder does not read sequences or its states are
            not ``width`` wide.
    """
    return Model(
        "rnnpipe_tok2vec_encoder",
        _forward,
        init=_initialize,
        dims={"nI": None, "nO": width},
        shims=[TorchShim(None, build=partial(_build, encoder), precision=precision)],
        attrs={"dropout_rate": 0.0, "max_padded_tokens": max_padded_tokens},
    )


def _build(encoder: EncoderBuilder, facts: Facts) -> nn.Module:
    return cast(nn.Module, encoder(n_in=facts["n_in"]))


def _initialize(model: Model[Vectors, Vectors], X: Vectors | None = None, Y: Any = None) -> None:
    """Build the encoder for the width of some token vectors ``X``."""
    if X:
        model.set_dim("nI", X[0].shape[1])
    facts = {"n_in": model.get_dim("nI")}
    shim = cast(TorchShim, model.shims[0])
    module = cast(Callable[[Facts], nn.Module], shim.build)(facts)
    built = cast(Encoder, module)
    if built.structure is not Sequences:
        raise StructureError(
            "model.encode.encoder: expected an encoder over Sequences, got one over "
            f"{built.structure.__name__}. A tok2vec reads sequences of tokens."
        )
    width = model.maybe_get_dim("nO")
    if width not in (None, built.n_out):
        raise StructureError(
            f"model.encode.width: expected {built.n_out}, the width of the encoder's states, got "
            f"{width}. Leave width unset, or change the encoder."
        )
    model.set_dim("nO", built.n_out)
    shim.set_module(module, facts)


def _forward(
    model: Model[Vectors, Vectors], X: Vectors, is_train: bool
) -> tuple[Vectors, Callable[[Vectors], Vectors]]:
    shim = cast(TorchShim, model.shims[0])
    lengths = np.array([len(x) for x in X], dtype=np.int64)
    buckets = _buckets(lengths, model.attrs["max_padded_tokens"])
    inputs = _pad(model.ops, X, model.get_dim("nI"), buckets, shim.device)
    rate = model.attrs["dropout_rate"]
    with shim.training(rate) if is_train else shim.evaluation() as module:
        encode = cast(Encoder, module)
        outputs = []
        for x, bucket in zip(inputs, buckets, strict=True):
            structure = Sequences.of(bucket.lengths.tolist(), shim.device)
            states = encode(x.requires_grad_(is_train), structure).states  # (B, T, H)
            outputs.append(states.float())

    def backprop(dY: Vectors) -> Vectors:
        gradients = _pad(model.ops, dY, model.get_dim("nO"), buckets, shim.device)
        torch.autograd.backward(outputs, gradients)
        dX = [cast(Tensor, x.grad) for x in inputs]
        return _unpad(model.ops, dX, model.get_dim("nI"), buckets, lengths)

    return _unpad(model.ops, outputs, model.get_dim("nO"), buckets, lengths), backprop


def _buckets(lengths: np.ndarray, max_padded_tokens: int) -> list[Bucket]:
    """Group documents of similar length; skip empty ones."""
    whole = Limits(int(lengths.max(initial=1)), 0, max_padded_tokens)
    return [bucket for bucket in plan_buckets((), lengths, whole) if bucket.tokens.size]


def _pad(
    ops: Ops, vectors: Vectors, width: int, buckets: list[Bucket], device: torch.device
) -> list[Tensor]:
    """Pad each bucket with zeros to ``(B, T, width)``."""
    rows = ops.xp.concatenate([ops.alloc2f(1, width), *vectors])  # row 0 is padding
    return [xp2torch(rows[ops.xp.asarray(bucket.tokens)], device=device) for bucket in buckets]


def _unpad(
    ops: Ops, padded: list[Tensor], width: int, buckets: list[Bucket], lengths: np.ndarray
) -> Vectors:
    """Return the rows of each document, in the order of the documents."""
    rows: Any = ops.alloc2f(int(lengths.sum()) + 1, width)
    for x, bucket in zip(padded, buckets, strict=True):
        rows[ops.xp.asarray(bucket.tokens)] = torch2xp(x)
    ends = np.cumsum(lengths) + 1
    return [rows[end - n : end] for end, n in zip(ends, lengths, strict=True)]
