"""Documents to padded batches, on the host, in numpy: distinct words, windows, buckets.

Documents of one call are sorted by length and split into *buckets* of little padding and bounded
size; a document longer than a window is a bucket of its own, whose rows are overlapping windows.
The results do not depend on which documents share a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnpipe.contracts.types import DocLike, DocNodes, DocStructure, Words

_COLUMNS = ("ORTH", "NORM", "PREFIX", "SUFFIX", "SHAPE")
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads the norm over all bits
# What a time step costs besides its rows, in rows. Encoders compute nothing for padding, so few
# large buckets win: 4 to 40 were measured slower with a BiLSTM of width 96 and 256, more no faster.
_STEP_OVERHEAD = 100


@dataclass(frozen=True)
class Limits:
    """Limits of the memory, in tokens.

    max_length: documents with more tokens are split into windows of this length.
    overlap: tokens that neighbouring windows share; each token is taken from the window in which it
        is further from the edge.
    max_padded_tokens: maximum number of positions per step, padding included.
    """

    max_length: int = 512
    overlap: int = 64
    max_padded_tokens: int = 8192


@dataclass(frozen=True)
class Bucket:
    """Documents that are computed together.

    documents: ``(B,)`` their positions in the call.
    lengths: ``(B,)`` their numbers of tokens.
    tokens: ``(R, T)`` token numbers in the call, from 1; 0 is padding. R = B, or the number of
        windows if ``stitch`` is given. For documents whose items are not tokens, numbers of items.
    row_lengths: ``(R,)`` numbers of tokens per row.
    stitch: for one long document, ``(length,)``: position of each of its tokens in the flattened
        ``(R * T)`` windows.
    nodes: structure of each document, unless it is the sequence of its tokens. The columns are then
        nodes, not tokens: ``row_lengths`` counts nodes, a node without a word is 0, and ``lengths``
        counts the labelled nodes.
    """

    documents: np.ndarray
    lengths: np.ndarray
    tokens: np.ndarray
    row_lengths: np.ndarray
    stitch: np.ndarray | None = None
    nodes: Sequence[DocNodes] | None = None


@dataclass(frozen=True)
class Batch:
    """The documents of one call, ready for a network.

    lengths: number of tokens of each document, or of other items with vectors.
    words: distinct words; ``word_of[i]`` is the number, from 0, of token i's word.
    keys: ``(U,)`` uint64, one per distinct word, equal across batches.
    """

    docs: Sequence[DocLike]
    lengths: np.ndarray
    words: Words
    keys: np.ndarray
    word_of: np.ndarray
    buckets: list[Bucket]


def make_batch(
    docs: Sequence[DocLike], limits: Limits, structure: DocStructure | None = None
) -> Batch:
    """Read the documents once and plan how they are computed.

    structure: structure of the documents; ``None``: the sequence of their tokens.
    """
    lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
    words, keys, word_of = distinct_words(docs)
    if structure is None:
        buckets = plan_buckets(docs, lengths, limits)
    else:
        nodes = [structure.read(doc) for doc in docs]
        counts = (
            len(doc) if n.n_items is None else n.n_items for doc, n in zip(docs, nodes, strict=True)
        )
        lengths = np.fromiter(counts, np.int64, len(docs))
        buckets = _plan_nodes(nodes, lengths, limits)
    return Batch(docs, lengths, words, keys, word_of, buckets)


def distinct_words(docs: Sequence[DocLike]) -> tuple[Words, np.ndarray, np.ndarray]:
    """Return the distinct words of the documents, a key for each, and the word index of each token.

    A word is an ORTH together with its NORM, which tokenizer exceptions may set for one token.
    """
    columns = [doc.to_array(_COLUMNS) for doc in docs if len(doc)]
    table = np.concatenate(columns) if columns else np.zeros((0, len(_COLUMNS)), dtype=np.uint64)
    token_keys = table[:, 0] ^ (table[:, 1] * _MIX)  # wraps around, as a hash may
    keys, first, word_of = np.unique(token_keys, return_index=True, return_inverse=True)
    vocab = docs[0].vocab if docs else None
    orth, norm, prefix, suffix, shape = table[first].T
    return Words(orth, norm, prefix, suffix, shape, vocab), keys, word_of


def take_words(words: Words, rows: np.ndarray) -> Words:
    """Select some of the words."""
    return Words(
        words.orth[rows],
        words.norm[rows],
        words.prefix[rows],
        words.suffix[rows],
        words.shape[rows],
        words.vocab,
    )


def plan_buckets(docs: Sequence[DocLike], lengths: np.ndarray, limits: Limits) -> list[Bucket]:
    """Group documents by length, and longer ones one by one in windows."""
    starts = np.cumsum(lengths) - lengths
    buckets = [
        _windowed(docs[i], i, int(starts[i]), limits)
        for i in np.flatnonzero(lengths > limits.max_length).tolist()
    ]
    short = np.flatnonzero(lengths <= limits.max_length)
    order = short[np.argsort(-lengths[short], kind="stable")]
    for documents in partition(order, lengths, limits.max_padded_tokens):
        size = int(lengths[documents].max(initial=0))
        steps = np.arange(size)
        inside = steps < lengths[documents, None]
        tokens = np.where(inside, starts[documents, None] + steps + 1, 0)  # (B, T)
        buckets.append(Bucket(documents, lengths[documents], tokens, lengths[documents]))
    return buckets


def _plan_nodes(nodes: Sequence[DocNodes], lengths: np.ndarray, limits: Limits) -> list[Bucket]:
    """Group documents by number of nodes, as many together as possible: padding costs little where
    nodes are computed by level, not by position. Structures are never split."""
    starts = np.cumsum(lengths) - lengths
    sizes = np.array([len(n.tokens) for n in nodes], dtype=np.int64)
    buckets = []
    rest = np.argsort(-sizes, kind="stable")
    while len(rest):
        most = max(1, limits.max_padded_tokens // max(1, int(sizes[rest[0]])))
        documents, rest = rest[:most], rest[most:]
        chosen = [nodes[i] for i in documents]
        tokens = np.zeros((len(chosen), int(sizes[documents].max(initial=0))), dtype=np.int64)
        for row, start, doc_nodes in zip(tokens, starts[documents], chosen, strict=True):
            own = doc_nodes.tokens
            row[: len(own)] = np.where(own < 0, 0, start + own + 1)
        labelled = np.array([len(n.labelled) for n in chosen], dtype=np.int64)
        buckets.append(Bucket(documents, labelled, tokens, sizes[documents], nodes=chosen))
    return buckets


def partition(order: np.ndarray, lengths: np.ndarray, cap: int) -> list[np.ndarray]:
    """Split documents, sorted by decreasing length, into runs of least total cost, none above the
    cap.

    A run of n documents of up to T tokens costs ``T * (overhead + n)``: exact dynamic programming
    over the distinct lengths (Bellman's segmentation), a few dozen in practice.
    """
    if not len(order):
        return []
    sizes, counts = np.unique(-lengths[order], return_counts=True)
    sizes = -sizes  # falling
    upto = np.concatenate([[0], np.cumsum(counts)])
    best = np.zeros(len(sizes) + 1)
    cut = np.zeros(len(sizes) + 1, dtype=np.int64)
    for end in range(1, len(sizes) + 1):
        n = upto[end] - upto[:end]
        cost = best[:end] + sizes[:end] * (_STEP_OVERHEAD + n)
        cost[:-1][(sizes[:end] * n > cap)[:-1]] = np.inf  # one length alone is split below
        cut[end] = np.argmin(cost)
        best[end] = cost[cut[end]]
    runs: list[np.ndarray] = []
    end = len(sizes)
    while end:
        run = order[upto[cut[end]] : upto[end]]
        most = max(1, cap // max(1, int(sizes[cut[end]])))  # documents of this length in a bucket
        runs.extend(np.array_split(run, -(-len(run) // most)))
        end = int(cut[end])
    return runs[::-1]


def _windowed(doc: DocLike, position: int, start: int, limits: Limits) -> Bucket:
    windows = plan_windows(len(doc), sentence_starts(doc), limits.max_length, limits.overlap)
    size = max(end - begin for begin, end, _ in windows)
    tokens = np.zeros((len(windows), size), dtype=np.int64)
    stitch = np.empty(len(doc), dtype=np.int64)
    for row, (begin, end, keep) in enumerate(windows):
        tokens[row, : end - begin] = np.arange(start + begin + 1, start + end + 1)
        # Later windows overwrite from where they keep: each token is taken from the last that does.
        stitch[keep:end] = row * size + np.arange(keep - begin, end - begin)
    row_lengths = np.array([end - begin for begin, end, _ in windows])
    return Bucket(np.array([position]), np.array([len(doc)]), tokens, row_lengths, stitch)


def sentence_starts(doc: Any) -> np.ndarray:
    """Return the first tokens of the document's sentences; empty if no boundaries are set."""
    if not doc.has_annotation("SENT_START"):
        return np.zeros(0, dtype=np.int64)
    return np.array([sent.start for sent in doc.sents], dtype=np.int64)


def plan_windows(
    length: int, starts: np.ndarray, max_length: int, overlap: int
) -> list[tuple[int, int, int]]:
    """Return ``(begin, end, keep)`` of each window: it reads ``begin:end`` and its states are used
    from ``keep`` to the next window's ``keep``.

    Whole sentences are packed into a window as long as they fit. A longer sentence, or a document
    without sentence boundaries, is split into overlapping windows.
    """
    windows: list[tuple[int, int, int]] = []
    edges = [0, *(int(s) for s in starts if 0 < s < length), length]
    begin = 0
    for edge, following in zip(edges[1:], [*edges[2:], length], strict=True):
        if edge < length and following - begin <= max_length:
            continue  # the next sentence still fits
        windows.extend(_overlapping(begin, edge, max_length, overlap))
        begin = edge
    return windows


def _overlapping(begin: int, end: int, size: int, overlap: int) -> Iterable[tuple[int, int, int]]:
    keep = begin
    while end - begin > size:
        yield begin, begin + size, keep
        begin += size - overlap
        keep = begin + overlap // 2
    yield begin, end, keep
