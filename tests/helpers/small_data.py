"""The corpora that the benchmarks read, with the files and formats of the real ones, made small."""

import numpy as np

NAMES = ["Ada", "Emmy", "Grace", "Sofya", "Hypatia"]
VERBS = ["met", "taught", "read", "saw"]
#: The columns of a sentence: form, universal and fine tag, head, relation, entity.
COLUMNS = [
    ("{}", "PROPN", "NNP", 2, "nsubj", "B-person"),
    ("{}", "VERB", "VBD", 0, "root", "O"),
    ("{}", "PROPN", "NNP", 2, "obj", "B-person"),
    ("in", "ADP", "IN", 5, "case", "O"),
    ("London", "PROPN", "NNP", 2, "obl", "B-location"),
]
SENTENCES = [(a, verb, b, "in", "London") for a in NAMES for verb in VERBS for b in NAMES if a != b]
SOUNDS = {"a": "a", "b": "p", "f": "f", "r": "r", "t": "tʰ"}


def write(folder):
    """Write all corpora into a folder, which can stand as RNNPIPE_DATA."""
    for name, text in texts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    for name, arrays in archives(np.random.default_rng(0)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)


def texts():
    lines = [" ".join(words) for words in SENTENCES]
    made = {"tinyshakespeare/input.txt": "\n".join(lines * 5)}
    for part, n in {"train": 30, "dev": 5}.items():
        made[f"ud-en-ewt/en_ewt-ud-{part}.conllu"] = "".join(map(conllu, SENTENCES[:n]))
    for name in ("wnut17train.conll", "emerging.dev.conll"):
        made[f"wnut17/{name}"] = "\n".join(map(conll, SENTENCES[:5]))
    slots = " ".join(column[-1] for column in COLUMNS)
    for part in ("train", "valid"):
        made[f"snips/{part}.seq.in"] = "\n".join(lines[:6])
        made[f"snips/{part}.seq.out"] = "\n".join([slots] * 6)
        made[f"snips/{part}.label"] = "\n".join(["tell", "ask"] * 3)
    made["subj/quote.tok.gt9.5000"] = "\n".join(lines[0::2])
    made["subj/plot.tok.gt9.5000"] = "\n".join(lines[1::2])
    made["semeval2010-8/TRAIN_FILE.TXT"] = "".join(map(relation, range(1, 41), SENTENCES))
    pairs = [f"{line} for the first time in a year\t{line[::-1]}\n" for line in lines]
    made["tatoeba-fra-eng/fra.txt"] = "".join(pairs)
    words = [first + second + "a" for first in SOUNDS for second in SOUNDS]
    sounds = "".join(f"{word}\t{' '.join(SOUNDS[letter] for letter in word)}\n" for word in words)
    for part in ("train", "dev"):
        made[f"sigmorphon2020-g2p/ice_{part}.tsv"] = sounds
    return made


def conllu(words):
    rows = [
        "\t".join([str(i), word, word, upos, xpos, "_", str(head), relation, "_", "_"])
        for i, (word, (_, upos, xpos, head, relation, _)) in enumerate(
            zip(words, COLUMNS, strict=False), start=1
        )
    ]
    return "\n".join([f"# text = {' '.join(words)}", *rows, "", ""])


def conll(words):
    return "".join(f"{word}\t{column[-1]}\n" for word, column in zip(words, COLUMNS, strict=True))


def relation(number, words):
    first, verb, second, *rest = words
    text = " ".join([f"<e1>{first}</e1> {verb} <e2>{second}</e2>", *rest])
    label = "Other" if number % 2 else "Cause-Effect(e1,e2)"
    return f'{number}\t"{text}"\n{label}\nComment:\n\n'


def archives(random):
    digits = random.integers(0, 17, (60, 8, 8), dtype=np.uint8)
    bits = random.integers(0, 256, (3, 98), dtype=np.uint8)
    words = np.array([*NAMES, *VERBS])
    return {
        "digits/digits.npz": {"images": digits, "target": np.arange(60, dtype=np.uint8) % 10},
        "mnist-binarized/binarized.npz": {"train": bits, "valid": bits},
        "glove50/glove50-subset.npz": {
            "words": words,
            "vectors": random.normal(size=(len(words), 50)).astype(np.float16),
        },
    }
