"""Make the stored pipelines of this version: ``cd tests && python -m saved.make``.

Writes those that are not there yet into the folder of the installed version, and never one that is.
"""

import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import spacy
import torch
from helpers.saved_documents import answers, differences, make_doc
from saved.pipelines import PIPELINES, Stored, blank
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed

import rnnpipe

FOLDER = Path(__file__).parent


def trained(stored: Stored) -> Language:
    fix_random_seed(0)
    nlp = blank(stored)
    examples = [
        Example(make_doc(nlp.vocab, given), make_doc(nlp.vocab, learnt))
        for given, learnt in stored.sentences
    ]
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.03
    for _ in range(stored.steps):
        nlp.update([Example(eg.x.copy(), eg.y) for eg in examples], sgd=optimizer)
    return nlp


def asked(stored: Stored) -> dict[str, Any]:
    documents = [given for given, _ in stored.sentences]
    keys = ("component", "method", "arguments")
    calls = [dict(zip(keys, call, strict=True)) for call in stored.calls]
    return {"documents": [*documents, stored.unseen], "calls": calls}


def require_clear(folder: Path, expected: dict[str, Any]) -> None:
    """Raise ValueError if weights that are a little different give other labels, texts or images,
    as another processor's rounding might."""
    nlp = spacy.load(folder)
    torch.manual_seed(0)
    for _, pipe in nlp.pipeline:
        for node in pipe.model.walk():
            for shim in node.shims:
                with torch.no_grad():
                    for weights in shim.module.parameters():
                        weights.mul_(1 + 1e-4 * torch.randn_like(weights))
    near = list(differences(said(answers(nlp, expected)), said(expected["answers"])))
    if near:
        raise ValueError("decided by less than rounding may change:\n" + "\n".join(near))


def said(value: Any) -> Any:
    """Return the answer with nothing for floats."""
    if isinstance(value, dict):
        return {key: said(item) for key, item in value.items()}
    if isinstance(value, list):
        return [said(item) for item in value]
    return None if isinstance(value, float) else value


def pack(folder: Path, target: Path) -> None:
    """Write a folder to a zip file, the same bytes for the same files."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                info.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(info, path.read_bytes())


def make(name: str, target: Path) -> None:
    """Train and store one pipeline, by way of the folder ``name``."""
    stored = PIPELINES[name]
    trained(stored).to_disk(name)
    expected = asked(stored)
    expected["answers"] = answers(spacy.load(name), expected)
    require_clear(Path(name), expected)
    pack(Path(name), target / f"{name}.zip")
    text = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
    (target / f"{name}.json").write_text(text + "\n", encoding="utf8")


def make_missing(target: Path) -> None:
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # Configs name other pipelines by their path within it.
        os.chdir(scratch)
        for name in PIPELINES:
            if (target / f"{name}.zip").exists():
                shutil.unpack_archive(target / f"{name}.zip", name)
            else:
                make(name, target)
                print(f"Made {name}.")
        os.chdir(target)


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_missing(FOLDER / ".".join(rnnpipe.__version__.split(".")[:2]))
