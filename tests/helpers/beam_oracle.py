"""Beam search as Python lists, without stopping before the longest text."""

import torch

from helpers.toy_models import next_log_probabilities
from rnnpipe.parts.decoders.generation.phrases import Endings, Limits


def penalty(kind, alpha, length):
    return {"none": 1.0, "average": length, "gnmt": ((5 + length) / 6) ** alpha}[kind]


def search(
    model,
    start,
    alphabet,
    beam_size,
    max_length,
    min_length=0,
    stop=(),
    filters=(),
    kind="none",
    alpha=0.6,
    chosen_before=None,
    strength=0.0,
):
    """Every finished text with its score, the best first; end symbols are part of them.

    chosen_before: for each step, the symbols that earlier groups chose; this one's are added.
    """
    endings = Endings.of(alphabet, Limits(min_length, max_length, list(stop)), "test")
    finished, open_texts = [], [((), 0.0)]
    for length in range(1, max_length + 1):
        candidates = []
        for text, total in open_texts:
            log_p = next_log_probabilities(model, start, text)
            if length <= min_length and alphabet.end is not None:
                log_p[alphabet.end] = -torch.inf
            for keep in filters:
                log_p = keep(log_p, torch.tensor(text, dtype=torch.int64))
            for symbol, value in enumerate(log_p.tolist()):
                seen = chosen_before[length].count(symbol) if chosen_before else 0
                if value > float("-inf"):
                    key = total + value - strength * seen
                    candidates.append((key, (*text, symbol), total + value))
        candidates.sort(key=lambda candidate: -candidate[0])
        over = [endings.of_text(list(text)) is not None for _, text, _ in candidates]
        for (_, text, total), is_over in list(zip(candidates, over, strict=True))[:beam_size]:
            if is_over:
                finished.append((text, total / penalty(kind, alpha, length)))
        if chosen_before is not None:
            chosen_before[length] += [text[-1] for _, text, _ in candidates[:beam_size]]
        going_on = [c for c, is_over in zip(candidates, over, strict=True) if not is_over]
        open_texts = [(text, total) for _, text, total in going_on[:beam_size]]
    return sorted(finished, key=lambda found: -found[1])
