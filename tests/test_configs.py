"""Every config trains on a slice of its data through spaCy's `train`, and comes back from disk."""

import os
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from helpers.paths import CONFIGS
from spacy.cli.convert import convert
from spacy.cli.train import train
from spacy.training import Example
from spacy.util import load_config
from spacy.vectors import Vectors

from rnnpipe.training.corpora import sample

DATA = os.environ.get("RNNPIPE_DATA")


def head(source, target, n_lines):
    """Copy the first lines of a file."""
    with source.open("rb") as lines:
        target.write_bytes(b"".join(islice(lines, n_lines)))
    return target


def sample_slice(folder):
    paths = sample.write_sample(folder, spacy.blank("en"))
    return {"train": paths["train"], "dev": paths["dev"]}


def ewt_slice(folder):
    paths = {}
    for part in ("train", "dev"):
        source = Path(DATA) / "ud-en-ewt" / f"en_ewt-ud-{part}.conllu"
        text = source.read_text(encoding="utf8").split("\n\n")[:60]
        (folder / source.name).write_text("\n\n".join(text) + "\n\n", encoding="utf8")
        convert(folder / source.name, folder, file_type="spacy", converter="conllu")
        paths[part] = folder / f"{source.stem}.spacy"
    return paths


def ewt_slice_and_vectors(folder):
    return {**ewt_slice(folder), "vectors": some_vectors(folder)}


def wnut17_slice(folder):
    source = Path(DATA) / "wnut17"
    return {
        "train": head(source / "wnut17train.conll", folder / "train.conll", 2000),
        "dev": head(source / "emerging.dev.conll", folder / "dev.conll", 1000),
        "vectors": some_vectors(folder),
    }


def snips_slice(folder):
    for part in ("train", "valid"):
        for end in ("seq.in", "seq.out", "label"):
            source = Path(DATA) / "snips" / f"{part}.{end}"
            head(source, folder / source.name, 150)
    return {"train": folder / "train", "dev": folder / "valid"}


def subj_slice(folder):
    for source in (Path(DATA) / "subj").glob("*.5000"):
        head(source, folder / source.name, 120)
    return {"train": folder, "dev": folder, "vectors": some_vectors(folder)}


def some_vectors(folder):
    words = ["the", "of", "film", "london", "a"]
    nlp = spacy.blank("en")
    rows = np.random.default_rng(0).standard_normal((len(words), 50), dtype=np.float32)
    keys = [nlp.vocab.strings.add(word) for word in words]
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=rows, keys=keys, attr="LOWER")
    nlp.to_disk(folder / "vectors")
    return folder / "vectors"


def shakespeare_slice(folder):
    source = Path(DATA) / "tinyshakespeare" / "input.txt"
    text = head(source, folder / source.name, 1000)
    return {"train": text, "dev": text}


def raw_text_slice(folder):
    source = Path(DATA) / "ud-en-ewt" / "en_ewt-ud-train.conllu"
    lines = source.read_text(encoding="utf8").splitlines()
    texts = [line[9:] for line in lines if line.startswith("# text = ")][:120]
    paths = {"train": folder / "train.txt", "dev": folder / "dev.txt"}
    for path, part in zip(paths.values(), (texts[:100], texts[100:]), strict=True):
        path.write_text("\n".join(part), encoding="utf8")
    return paths


def ewt_slice_and_language_models(folder):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm", name="lm", config={"model": {"width": 256}})
    docs = [nlp.make_doc("Bad weather prevented us from departing.")]
    nlp.initialize(lambda: [Example(doc, doc) for doc in docs])
    models = {name: folder / name for name in ("forward", "backward")}
    for path in models.values():
        nlp.to_disk(path)
    return {**ewt_slice(folder), **models}


def g2p_slice(folder):
    source = Path(DATA) / "sigmorphon2020-g2p"
    return {
        part: head(source / f"fre_{part}.tsv", folder / f"{part}.tsv", 60)
        for part in ("train", "dev")
    }


def tatoeba_slice(folder):
    text = head(Path(DATA) / "tatoeba-fra-eng" / "fra.txt", folder / "fra.txt", 300)
    return {"train": text, "dev": text}


def digits_slice(folder):
    stored = np.load(Path(DATA) / "digits" / "digits.npz")
    np.savez(folder / "digits.npz", images=stored["images"][:80], target=stored["target"][:80])
    return {"train": folder / "digits.npz", "dev": folder / "digits.npz"}


def mnist_slice(folder):
    stored = np.load(Path(DATA) / "mnist-binarized" / "binarized.npz")
    np.savez(folder / "mnist.npz", train=stored["train"][:60], valid=stored["valid"][:10])
    return {"train": folder / "mnist.npz", "dev": folder / "mnist.npz"}


SLICES = {
    "captions": digits_slice,
    "char_lm": shakespeare_slice,
    "word_lm": shakespeare_slice,
    "contextual_lm": raw_text_slice,
    "contextual_tagger": ewt_slice_and_language_models,
    "digits": digits_slice,
    "g2p": g2p_slice,
    "images": mnist_slice,
    "quickstart": sample_slice,
    "tagger": ewt_slice_and_vectors,
    "ner": wnut17_slice,
    "slots_intents": snips_slice,
    "textcat": subj_slice,
    "translate": tatoeba_slice,
}
#: Configs over images, and their pixels' shape and levels.
IMAGES = {
    "captions": ((8, 8, 1), 17),
    "digits": ((8, 8, 1), 17),
    "images": ((28, 28, 1), 2),
}
#: Configs that other tests train.
ELSEWHERE = {
    "listops",
    "relations",
    "relations_graph",
    "spacy_tagger_parser",
    "tree_parser",
    "tree_tagger",
}


def test_every_config_is_tested():
    assert {path.stem for path in CONFIGS.glob("*.cfg")} == set(SLICES) | ELSEWHERE


@pytest.mark.parametrize("name", sorted(SLICES))
def test_a_config_trains_and_comes_back(name, tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "SIZES", {"train": 100, "dev": 20})
    if DATA is None and name != "quickstart":
        pytest.skip("RNNPIPE_DATA names no data folder")
    torch.set_num_threads(1)
    paths = {f"paths.{key}": str(path) for key, path in SLICES[name](tmp_path).items()}
    few_steps = {"training.max_steps": 4, "training.eval_frequency": 2}
    train(CONFIGS / f"{name}.cfg", tmp_path / "out", overrides={**paths, **few_steps})
    # What was saved stands on its own.
    for source in {"paths.vectors", "paths.forward", "paths.backward"} & set(paths):
        shutil.rmtree(paths[source])
    first, again = (spacy.load(tmp_path / "out" / "model-best") for _ in range(2))
    answers = [annotation(doc) for doc in first.pipe(documents(name, first))]
    assert answers == [annotation(again(doc)) for doc in documents(name, again)]
    docs = first.from_bytes(first.to_bytes()).pipe(documents(name, first))
    assert answers == [annotation(doc) for doc in docs]
    performance = first.meta["performance"]
    weights = load_config(CONFIGS / f"{name}.cfg")["training"]["score_weights"]
    assert all(isinstance(performance[score], float) for score in weights)


def documents(name, nlp):
    """What a pipeline is tried on: texts, or documents with an image."""
    texts = ["When does the film from London start ?", "Play it again", "", "a\u3000😀 xyzzy"]
    docs = [nlp.make_doc(text) for text in texts]
    if name in IMAGES:
        shape, levels = IMAGES[name]
        for doc in docs:
            doc._.image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) % levels
    return docs


def annotation(doc):
    cats = {label: round(value, 5) for label, value in doc.cats.items()}
    translation = doc._.translation if doc.has_extension("translation") else None
    return [(t.tag_, t.pos_, t.ent_iob_, t.ent_type_) for t in doc], cats, translation


@pytest.mark.parametrize("name", sorted(SLICES))
def test_a_config_says_how_to_run_it(name):
    path = CONFIGS / f"{name}.cfg"
    comment = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any(f"spacy train configs/{name}.cfg --paths.train" in line for line in comment)
    assert {"train", "dev"} <= load_config(path)["paths"].keys()
