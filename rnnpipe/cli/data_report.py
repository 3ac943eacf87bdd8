"""What ``spacy rnn debug-data`` prints: facts about corpora, and a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.cli.output import printer
from rnnpipe.cli.pictures.appearance import visible
from rnnpipe.cli.training_config import TrainingConfig
from rnnpipe.components.labelling.base import LabellingPipe
from rnnpipe.components.labelling.network import network_builder
from rnnpipe.components.labelling.rnn_ner import RnnEntityRecognizer
from rnnpipe.components.language.language_model import language_model_builder
from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.components.translation.rnn_seq2seq import RnnSeq2Seq
from rnnpipe.components.translation.seq2seq import seq2seq_builder
from rnnpipe.instruments.corpus_facts import (
    CorpusFacts,
    copy_rate,
    histogram,
    labelled,
    majority_accuracy,
    memory_accuracy,
    share_outside,
    symbol_facts,
)
from rnnpipe.models.translation.images import ImageSource
from rnnpipe.training.corpora.entities import illegal_tags_collected

#: A label with fewer training examples is named as rare.
RARE = 10
#: How many of many things are shown.
_SHOWN = 8
_BINS, _BAR = 10, 30


@dataclass
class Data:
    """The examples of both corpora, and the illegal tag sequences that were met in them."""

    train: list[Example]
    dev: list[Example]
    illegal: list[str]


@dataclass
class Verdict:
    """problems: what training will fail or go wrong on. advice: what should be looked at."""

    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


def print_report(training: TrainingConfig) -> bool:
    """Print what the corpora hold for each component. Returns whether there is no problem.

    Raises CorpusError: a corpus cannot be read."""
    data = _read(training)
    console, verdict = printer(soft_wrap=True), Verdict()
    _show_corpora(console, data, verdict)
    frozen = training.config["training"]["frozen_components"]
    for name, pipe in training.nlp.pipeline:
        if name in frozen:
            continue
        if isinstance(pipe, LabellingPipe):
            _show_labels(console, pipe, data, verdict)
        elif isinstance(pipe, (RnnLanguageModel, RnnSeq2Seq)):
            _show_symbols(console, pipe, data, verdict)
    _show_verdict(console, verdict)
    return not verdict.problems


def _read(training: TrainingConfig) -> Data:
    with illegal_tags_collected() as illegal:
        return Data(training.read(training.train), training.read(training.dev), list(illegal))


def _show_corpora(console: Console, data: Data, verdict: Verdict) -> None:
    train, dev = CorpusFacts.of(data.train), CorpusFacts.of(data.dev)
    table = Table("", "Train", "Dev", box=None, header_style="bold")
    table.add_row("documents", *(str(len(x.lengths)) for x in (train, dev)))
    if train.images:
        table.add_row("images", *(str(x.images) for x in (train, dev)))
    table.add_row("tokens", *(str(sum(x.lengths)) for x in (train, dev)))
    table.add_row("unique words", *(str(len(x.words)) for x in (train, dev)))
    table.add_row("unique characters", *(str(len(x.characters)) for x in (train, dev)))
    console.print(table)
    if train.words:
        console.print(Text.assemble("\n", ("Tokens per document", "bold"), " (train)"))
        _show_histogram(console, train.lengths)
        console.print("\nDev compared with train", style="bold")
        _show_unknown(console, "words", train.words, dev.words)
        _show_unknown(console, "characters", train.characters, dev.characters)
    both = sum(n for content, n in dev.contents.items() if content in train.contents)
    if both:
        verdict.advice.append(
            f"{both} of {len(dev.lengths)} dev documents also occur in train: their scores do "
            f"not measure generalisation."
        )
    if train.repeated:
        verdict.advice.append(f"{train.repeated} train documents are duplicates.")
    if train.empty:
        verdict.advice.append(f"{train.empty} train documents have no tokens.")
    verdict.problems += data.illegal[:_SHOWN]
    if len(data.illegal) > _SHOWN:
        verdict.problems.append(f"and {len(data.illegal) - _SHOWN} more illegal tag sequences")


def _show_histogram(console: Console, lengths: Sequence[int]) -> None:
    ranges = histogram(lengths, _BINS)
    block = "█" if console.encoding.startswith("utf") else "#"
    for low, high, count in ranges:
        bar = block * round(_BAR * count / max(n for *_, n in ranges))
        console.print(f"{low:6d} to {high:6d} {count:8d} {bar}")
    median, most = np.percentile(lengths, [50, 95])
    console.print(f"median {median:.0f}, 95th percentile {most:.0f}, maximum {max(lengths)}")


def _show_unknown(console: Console, what: str, train: Counter[str], dev: Counter[str]) -> None:
    unknown = [visible(key) for key, _ in dev.most_common() if key not in train]
    named = f": {_named(unknown)}" if unknown else ""
    share = share_outside(dev, train)
    console.print(f"{share:.2%} of {what} ({len(unknown)}) are unknown{named}")


def _show_labels(console: Console, pipe: LabellingPipe, data: Data, verdict: Verdict) -> None:
    train, dev = labelled(pipe, data.train), labelled(pipe, data.dev)
    counts = [Counter(label for _, label in pairs) for pairs in (train, dev)]
    console.print(Text.assemble("\n", (pipe.name, "bold"), f": {pipe.annotation}"))
    if not train:
        verdict.problems.append(f"{pipe.name}: no training example has {pipe.annotation}.")
        return
    table = Table("Label", "Train", "Dev", box=None, header_style="bold")
    for label, n in counts[0].most_common():
        table.add_row(label, str(n), str(counts[1][label]))
    console.print(table)
    if isinstance(pipe, RnnEntityRecognizer):
        outside = share_outside(Counter(dev), train)
        console.print(f"{outside:.1%} of dev entities do not occur in train with their label")
    elif pipe.exclusive:
        console.print(f"baseline, most frequent label: {majority_accuracy(train, dev):.1%} correct")
    if not isinstance(pipe, RnnEntityRecognizer) and not pipe.labels_documents:
        console.print(
            f"baseline, most frequent label per word: {memory_accuracy(train, dev):.1%} correct"
        )
    rare = [label for label, n in counts[0].items() if n < RARE]
    if rare:
        verdict.advice.append(f"{pipe.name}: fewer than {RARE} training examples: {_named(rare)}.")
    new = [label for label in counts[1] if label not in counts[0]]
    if new:
        verdict.advice.append(f"{pipe.name}: labels that occur only in dev: {_named(new)}.")
    longest = network_builder(pipe.model).limits.max_length
    cut = sum(len(example.reference) > longest for example in data.train)
    if cut:
        verdict.advice.append(
            f"{pipe.name}: {cut} train documents are truncated to {longest} tokens."
        )


def _show_symbols(
    console: Console, pipe: RnnLanguageModel | RnnSeq2Seq, data: Data, verdict: Verdict
) -> None:
    console.print(Text.assemble("\n", (pipe.name, "bold"), ": symbols"))
    sources = [[example.predicted for example in part] for part in (data.train, data.dev)]
    table = Table("", "Unique", "Train", "Dev", "Unknown in dev", box=None, header_style="bold")
    if isinstance(pipe, RnnLanguageModel):
        table.add_row("text", *_counts(language_model_builder(pipe.model).symbols, *sources))
        console.print(table)
        return
    builder = seq2seq_builder(pipe.model)
    target = builder.target or builder.source
    pairs = [_pairs(pipe, part) for part in (data.train, data.dev)]
    texts = [[text for _, text in part] for part in pairs]
    if not any(texts):
        attribute = pipe.cfg["attribute"]
        verdict.problems.append(f"{pipe.name}: no training example has reference._.{attribute}.")
        return
    if isinstance(builder.source, ImageSource) or isinstance(target, ImageSource):
        table.add_row("target", *_counts(target, *texts))
        console.print(table)
        return
    table.add_row("source", *_counts(builder.source, *sources))
    table.add_row("target", *_counts(target, *texts))
    console.print(table)
    copied = copy_rate(builder.source, target, pairs[0])
    console.print(f"{copied:.1%} of target symbols also occur in their source")


def _counts(builder: Any, train: Sequence[Any], dev: Sequence[Any]) -> tuple[str, ...]:
    facts = symbol_facts(builder, train, dev)
    return str(facts.known), str(facts.train), str(facts.dev), f"{facts.unknown:.2%}"


def _pairs(pipe: RnnSeq2Seq, examples: Sequence[Example]) -> list[tuple[Doc, Doc]]:
    """Each document and what is to be written for it, where that is known."""
    split = Tokenizer(pipe.vocab)
    named = ((eg.predicted, eg.reference._.get(pipe.cfg["attribute"])) for eg in examples)
    return [(doc, split(text)) for doc, text in named if isinstance(text, str)]


def _named(items: Sequence[str]) -> str:
    shown = ", ".join(map(repr, items[:_SHOWN]))
    return shown + (f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else "")


def _show_verdict(console: Console, verdict: Verdict) -> None:
    console.print()
    for line in verdict.advice:
        console.print(Text.assemble(("advice", "yellow"), f"  {line}"))
    for line in verdict.problems:
        console.print(Text.assemble(("problem", "red"), f" {line}"))
    if not verdict.problems:
        console.print(Text.assemble(("ok", "green"), "      No problems found."))
