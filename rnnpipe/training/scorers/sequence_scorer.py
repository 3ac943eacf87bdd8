"""Scorers of ``rnn_seq2seq``: how near the texts that are written come to those that should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from spacy.training import Example

from rnnpipe.contracts.settings import checked
from rnnpipe.errors import SettingsError, expected

Scores: TypeAlias = dict[str, float | None]
Scorer: TypeAlias = Callable[..., Scores]


@checked("scorers", "rnnpipe.sequence_scorer.v1")
def sequence_scorer() -> Scorer:
    """Error rates, as shares; ``None`` where there is nothing to score.

    sequence_error_rate: of the texts that are not exactly right: the word error rate of spelling to
        sound.
    symbol_error_rate: the insertions, deletions and substitutions that make the texts right, by the
        number of right symbols; a symbol is what stands between spaces: the phoneme error rate of
        spelling to sound, the word error rate of sentences.
    sequence_accuracy, symbol_accuracy: 1 minus these, and at least 0; the higher the better, as
        spaCy's training loop wants it.
    """
    return score_sequences


@checked("scorers", "rnnpipe.translation_scorer.v1")
def translation_scorer() -> Scorer:
    """BLEU (Papineni et al. 2002) and chrF (Popović 2015) of the whole corpus by sacrebleu with its
    default settings (Post 2018), divided by 100: ``bleu`` and ``chrf``, from 0 to 1; ``None`` where
    there is nothing to score.

    Raises SettingsError, when it scores, if sacrebleu is not installed."""
    return score_translations


def score_sequences(
    examples: Iterable[Example], *, attribute: str = "translation", **_: Any
) -> Scores:
    pairs = [(text.split(), right.split()) for text, right in _texts(examples, attribute)]
    edits = sum(edit_distance(text, right) for text, right in pairs)
    n_symbols = sum(len(right) for _, right in pairs)
    wrong = sum(text != right for text, right in pairs)
    of_sequences = wrong / len(pairs) if pairs else None
    of_symbols = edits / n_symbols if n_symbols else None
    return {
        "sequence_accuracy": None if of_sequences is None else 1.0 - of_sequences,
        "sequence_error_rate": of_sequences,
        "symbol_accuracy": None if of_symbols is None else max(0.0, 1.0 - of_symbols),
        "symbol_error_rate": of_symbols,
    }


def score_translations(
    examples: Iterable[Example], *, attribute: str = "translation", **_: Any
) -> Scores:
    try:
        import sacrebleu
    except ImportError:
        do = "Install rnnpipe[translation], or use rnnpipe.sequence_scorer.v1."
        where = "rnnpipe.translation_scorer.v1"
        raise SettingsError(
            expected(where, "the package sacrebleu", "no such package", do)
        ) from None
    pairs = _texts(examples, attribute)
    if not pairs:
        return {"bleu": None, "chrf": None}
    texts, right = [text for text, _ in pairs], [[right for _, right in pairs]]
    return {
        "bleu": sacrebleu.corpus_bleu(texts, right).score / 100,
        "chrf": sacrebleu.corpus_chrf(texts, right).score / 100,
    }


def _texts(examples: Iterable[Example], attribute: str) -> list[tuple[str, str]]:
    """What was written and what is right, where that is known."""
    return [
        (eg.predicted._.get(attribute) or "", eg.reference._.get(attribute))
        for eg in examples
        if eg.reference._.get(attribute) is not None
    ]


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many insertions, deletions and substitutions turn one into the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, symbol in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, start=1):
            substituted = diagonal + (symbol != right)
            diagonal = row[j]
            row[j] = min(substituted, row[j] + 1, row[j - 1] + 1)
    return row[-1]
