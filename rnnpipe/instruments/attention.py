"""Where a network looks: matrices of attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from spacy.language import Language
from torch import nn

from rnnpipe.components.labelling.rnn_textcat import RnnTextCategorizer
from rnnpipe.components.network_model import network_shim
from rnnpipe.components.translation.rnn_seq2seq import RnnSeq2Seq
from rnnpipe.errors import SettingsError, expected
from rnnpipe.models.labelling.network import Network


@dataclass(frozen=True)
class Attention:
    """shares: ``(R, C)``, each row adds up to 1: how much of what it took came from each column.
    rows, columns: their names. row_title, column_title: what they are. title: of what."""

    shares: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    row_title: str
    column_title: str
    title: str

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": list(self.rows),
            "columns": list(self.columns),
            "shares": self.shares.tolist(),
        }


def pooling_attention(nlp: Language, pipe: RnnTextCategorizer, text: str) -> Attention:
    """The shares of the tokens in the vector of a document that is categorised.

    One row for each part of the pooler that can tell its weights, as ``rnnpipe.Attention.v1`` does.

    RAISES: SettingsError if none can, or the text has no tokens.
    """
    poolers = attention_poolers(pipe)
    with _watched(poolers) as seen:
        doc = nlp(text)
    if not len(doc):
        raise SettingsError(
            expected("text", "a text with tokens", "no tokens", "Pass another text.")
        )
    best = max(pipe.labels, key=lambda name: doc.cats[name])  # there may be others' categories
    return Attention(
        shares=np.stack([seen[pooler] for pooler in poolers]),
        rows=[f"pooler {i}" if len(poolers) > 1 else "pooler" for i in range(len(poolers))],
        columns=[token.text_with_ws for token in doc],
        row_title="",
        column_title="Token",
        title=f"Attention of '{pipe.name}' ({best}: {doc.cats[best]:.2f})",
    )


def translation_attention(nlp: Language, pipe: RnnSeq2Seq, text: str) -> Attention:
    """The shares of the symbols of a text in each symbol of what the component writes for it.

    RAISES: SettingsError if the component has no attention, or there is nothing to look at.
    """
    doc, attribute = nlp(text), pipe.cfg["attribute"]
    shares = doc._.get(f"{attribute}_attention")
    if shares is None:
        where = f"components.{pipe.name}.model.attention"
        do = "Train it with @rnnpipe_attentions = 'rnnpipe.Additive.v1', for instance."
        raise SettingsError(expected(where, "attention", "no attention", do))
    if not shares.size:
        do = "Pass another text."
        raise SettingsError(
            expected("text", "a text that the model reads and answers", "no symbols", do)
        )
    return Attention(
        shares=shares,
        rows=doc._.get(f"{attribute}_pieces"),
        columns=pipe.source_pieces(doc),
        row_title="Written",
        column_title="Read",
        title=f"Attention of '{pipe.name}'",
    )


def attention_poolers(pipe: RnnTextCategorizer) -> list[nn.Module]:
    """The poolers of a component that can tell their weights. Raises SettingsError if none can."""
    network = cast(Network, network_shim(pipe.model).module)
    modules = [] if network.pooler is None else list(network.pooler.modules())
    found = [m for m in modules if callable(getattr(m, "weights", None))]
    if not found:
        where = f"components.{pipe.name}.model.pooler"
        got = type(network.pooler).__name__
        do = "Train it with @rnnpipe_poolers = 'rnnpipe.Attention.v1'."
        raise SettingsError(expected(where, "a pooler with attention weights", got, do))
    return found


@contextmanager
def _watched(poolers: Sequence[nn.Module]) -> Iterator[dict[nn.Module, np.ndarray]]:
    """The weights ``(T,)`` that each pooler gives to the document that passes."""
    seen: dict[nn.Module, np.ndarray] = {}

    def keep(pooler: nn.Module, inputs: tuple[Any, ...], _: Any) -> None:
        seen[pooler] = cast(Any, pooler).weights(inputs[0])[0].float().cpu().numpy()

    hooks = [pooler.register_forward_hook(keep) for pooler in poolers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
