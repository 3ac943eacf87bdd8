"""``spacy rnn quickstart``: sample data, ``spacy train``, scores, and a look at the answers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rnnpipe.errors import SettingsError, expected

if TYPE_CHECKING:
    from spacy.language import Language

#: How many sentences are shown with what was found in them.
N_SHOWN = 6


def quickstart(
    output: Annotated[Path, typer.Argument(help="Folder for data and pipeline")] = Path(
        "quickstart"
    ),
    force: Annotated[
        bool,
        typer.Option("--force", "-F", help="Permission to replace the files of an earlier run"),
    ] = False,
) -> None:
    """Train a pipeline on a small sample data set, score it and show its predictions.

    The sample is generated: requests to an assistant, with entities and categories.
    """
    import spacy
    import torch
    from spacy.cli.evaluate import evaluate
    from spacy.cli.train import train
    from wasabi import msg

    from rnnpipe.cli.config_text import shipped_config
    from rnnpipe.cli.files import beside
    from rnnpipe.training.corpora.sample import write_sample

    _check_output(output, force)
    torch.set_num_threads(1)  # so small a network gains nothing from more
    # Moved to its place when it is finished, so that an interrupted run leaves nothing behind.
    with beside(output) as scratch:
        work = Path(scratch) / output.name
        work.mkdir()
        parts = write_sample(work, spacy.blank("en"))
        msg.good("Generated a sample data set (requests to an assistant; not real data)")
        paths = {f"paths.{part}": str(parts[part]) for part in ("train", "dev")}
        train(shipped_config("quickstart"), work, overrides=paths)
        msg.divider("Scores on sentences whose patterns or names do not occur in training")
        evaluate(str(work / "model-best"), parts["test"], silent=False)
        msg.divider("Predictions for some of them, with probabilities")
        _show(spacy.load(work / "model-best"), parts["test"])
        _move(work, output)
    msg.good(f"Your pipeline: spacy.load({str(output / 'model-best')!r})")


def _show(nlp: Language, data: Path) -> None:
    """Print a few documents of a ``.spacy`` file with what the pipeline makes of their texts."""
    from spacy.tokens import DocBin

    gold = list(DocBin().from_disk(data).get_docs(nlp.vocab))[:N_SHOWN]
    for doc in nlp.pipe(reference.text for reference in gold):
        category, share = max(doc.cats.items(), key=lambda item: item[1])
        findings = [(category, share, "the sentence")]
        findings += [(ent.label_, ent._.probability, ent.text) for ent in doc.ents]
        print(doc.text)
        for label, probability, text in findings:
            print(f"    {label:10} {probability:.2f}   {text}")


def _check_output(output: Path, force: bool) -> None:
    where = f"quickstart {output}"
    if output.exists() and not output.is_dir():
        raise SettingsError(expected(where, "a folder", "a file", "Choose another folder."))
    if output.exists() and any(output.iterdir()) and not force:
        do = "Choose another folder, or pass --force to replace the files of an earlier run."
        raise SettingsError(expected(where, "a new or empty folder", "a folder with files", do))


def _move(work: Path, output: Path) -> None:
    """Put the finished files where they belong, and tell the saved configs where that is."""
    for config in work.glob("*/config.cfg"):
        text = config.read_text(encoding="utf8")
        config.write_text(text.replace(str(work), str(output)), encoding="utf8")
    output.mkdir(exist_ok=True)
    for item in work.iterdir():
        target = output / item.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(item, target)
