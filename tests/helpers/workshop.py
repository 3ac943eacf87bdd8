"""The folder in which the reader of a page works: the files that its commands name, made small."""

import numpy as np
import spacy
from spacy.tokens import Doc, DocBin

VERSES = (
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n"
    "ROMEO:\nIs the day so young?\n\nJULIET:\nO Romeo, wherefore art thou Romeo?\n\n"
)
SPELLINGS = {"bonjour": "b ɔ̃ ʒ u ʁ", "chat": "ʃ a", "jour": "ʒ u ʁ", "bon": "b ɔ̃", "on": "ɔ̃"}
WORDS = ["Ada", "met", "Babbage", "in", "London"]
TAGS = ["NNP", "VBD", "NNP", "IN", "NNP"]
UPOS = ["PROPN", "VERB", "PROPN", "ADP", "PROPN"]


def furnish(folder):
    """Write every file that some page names."""
    texts = {"input.txt": VERSES * 40, "train.txt": VERSES * 10, "dev.txt": VERSES * 60}
    pairs = "".join(f"{word}\t{sound}\n" for word, sound in SPELLINGS.items())
    texts |= {"train.tsv": pairs * 5, "dev.tsv": pairs}
    rows = "".join(f"{word}\t{tag}\n" for word, tag in zip(WORDS, IOB, strict=True))
    texts |= {"train.conll": f"{rows}\n" * 20, "dev.conll": f"{rows}\n" * 2}
    brackets = "(3 (2 It) (4 (2 's) (3 good)))\n(1 (2 It) (1 (2 is) (0 bad)))\n"
    texts |= {"train.trees": brackets * 10, "dev.trees": brackets}
    for part in ("train", "valid"):
        utterances = [" ".join(WORDS), "set an alarm"] * 10
        texts[f"{part}.seq.in"] = "\n".join(utterances)
        texts[f"{part}.seq.out"] = "\n".join([" ".join(IOB), "O O O"] * 10)
        texts[f"{part}.label"] = "\n".join(["tell", "do"] * 10)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf8")
    docs(20).to_disk(folder / "train.spacy")
    docs(4).to_disk(folder / "dev.spacy")
    bits = np.random.default_rng(0).integers(0, 256, (8, 98), dtype=np.uint8)
    np.savez(folder / "mnist.npz", train=bits, valid=bits)
    vectors = spacy.blank("en")
    for word in WORDS:
        vectors.vocab.set_vector(word, np.linspace(-1, 1, 50, dtype="float32"))
    vectors.to_disk(folder / "vectors")


IOB = ["B-person", "O", "B-person", "O", "B-location"]


def docs(n):
    """Annotated sentences: tags, heads, entities, categories."""
    nlp = spacy.blank("en")
    bin_ = DocBin(store_user_data=True)
    for i in range(n):
        doc = Doc(
            nlp.vocab,
            words=WORDS,
            tags=TAGS,
            pos=UPOS,
            heads=[1, 1, 1, 1, 3],
            deps=["nsubj", "ROOT", "obj", "prep", "pobj"],
            ents=IOB,
        )
        doc.cats = {"good": float(i % 2), "bad": float(1 - i % 2)}
        bin_.add(doc)
    return bin_
