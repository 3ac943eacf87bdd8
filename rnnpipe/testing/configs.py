"""Whether a config trains, and what it trained comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnpipe.testing.promises import BrokenPromise

#: Sentences of the sample data, enough to see every label.
SAMPLE = {"train": 200, "dev": 20}
TEXTS = ("Will it rain in Berlin tomorrow ?", "play it again", "", "a\u3000😀 xyzzy")


def check_config(
    config: Path,
    output: Path,
    paths: Mapping[str, Path] | None = None,
    *,
    steps: int = 4,
    texts: Sequence[str] = TEXTS,
) -> None:
    """Train a config for a few steps through ``spacy train``, and load what was trained, from disk
    and from bytes. Raises BrokenPromise if the answers are not equal.

    output: a folder to work in.
    paths: the values of the config's ``[paths]``; by default sample data of requests to an
        assistant, with entities and categories, as ``train`` and ``dev``.
    steps: of training; the config is evaluated after every second.
    texts: that the pipelines are asked about.
    """
    import spacy
    from spacy.cli.train import train

    chosen = paths if paths is not None else _sample(output)
    overrides: dict[str, Any] = {f"paths.{name}": str(path) for name, path in chosen.items()}
    overrides |= {"training.max_steps": steps, "training.eval_frequency": 2}
    train(config, output / "out", overrides=overrides)
    first, second = (spacy.load(output / "out" / "model-best") for _ in range(2))
    want = _answers(first, texts)
    untrained = spacy.util.load_model_from_config(first.config)
    others = {"loaded again": second, "loaded from bytes": untrained.from_bytes(first.to_bytes())}
    for how, nlp in others.items():
        if _answers(nlp, texts) != want:
            raise BrokenPromise(f"{config.name}: expected the same answers when {how}, got others.")


def _sample(folder: Path) -> dict[str, Path]:
    import spacy
    from spacy.tokens import DocBin

    from rnnpipe.training.corpora.sample import sample_docs, sample_requests

    nlp, requests, paths = spacy.blank("en"), sample_requests(), {}
    for part, size in SAMPLE.items():
        paths[part] = folder / f"{part}.spacy"
        DocBin(docs=sample_docs(nlp, requests[part][:size])).to_disk(paths[part])
    return paths


def _answers(nlp: Any, texts: Sequence[str]) -> list[Any]:
    return [
        (doc.to_json(), {name: round(value, 5) for name, value in doc.cats.items()})
        for doc in nlp.pipe(texts)
    ]
