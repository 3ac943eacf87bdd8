"""A handful of annotated sentences and images, written for this: what the stored pipelines learn
from, and what they are asked about."""

from typing import Any

#: What a document is given, and what is to be learnt of it.
Sentence = tuple[dict[str, Any], dict[str, Any]]


def sentence(
    text: str,
    tags: str,
    heads: list[int],
    deps: str,
    constituents: list[tuple[int, int, str]],
    mentions: list[tuple[int, int]],
    ents: list[tuple[int, int, str]],
    **gold: Any,
) -> Sentence:
    words = text.split()
    spans = {
        "constituents": [[start, end, ""] for start, end, _ in constituents],
        "mentions": [[start, end, ""] for start, end in mentions],
        "coreference": [[start, end, "it"] for start, end in mentions],
    }
    given = {
        "words": words,
        "heads": heads,
        "deps": deps.split(),
        "lemmas": [word.lower() for word in words],
        "spans": spans,
    }
    labelled = [list(constituent) for constituent in constituents]
    pos = tags.split()
    learnt = {
        **given,
        "spans": {**spans, "constituents": labelled},
        "tags": [tag.lower() for tag in pos],
        "pos": pos,
        "morphs": ["Number=Sing" if tag in ("NOUN", "PROPN") else "" for tag in pos],
        "ents": [list(ent) for ent in ents],
        **gold,
    }
    return given, learnt


SENTENCES = [
    sentence(
        "Ada saw London and the river",
        "PROPN VERB PROPN CCONJ DET NOUN",
        [1, 1, 1, 5, 5, 2],
        "nsubj ROOT obj cc det conj",
        [(4, 6, "NP"), (2, 6, "NP"), (1, 6, "VP"), (0, 6, "S")],
        [(0, 1), (2, 3)],
        [(0, 1, "PERSON"), (2, 3, "GPE")],
        cats={"travel": 1.0, "dull": 0.0},
        _={"translation": "ada vit londres"},
    ),
    sentence(
        "we met Ada Lovelace in Paris",
        "PRON VERB PROPN PROPN ADP PROPN",
        [1, 1, 1, 2, 5, 1],
        "nsubj ROOT obj flat case obl",
        [(2, 4, "NP"), (4, 6, "PP"), (1, 6, "VP"), (0, 6, "S")],
        [(2, 4), (5, 6)],
        [(2, 4, "PERSON"), (5, 6, "GPE")],
        cats={"travel": 1.0, "dull": 0.0},
        _={"translation": "ada est à paris"},
    ),
    sentence(
        "nothing happens .",
        "PRON VERB PUNCT",
        [1, 1, 1],
        "nsubj ROOT punct",
        [(0, 2, "VP"), (0, 3, "S")],
        [(0, 1), (1, 2)],
        [],
        cats={"travel": 0.0, "dull": 1.0},
        _={"translation": "rien"},
    ),
    sentence(
        "rain again and again !",
        "NOUN ADV CCONJ ADV PUNCT",
        [0, 0, 3, 1, 0],
        "ROOT advmod cc conj punct",
        [(1, 4, "NP"), (0, 4, "NP"), (0, 5, "S")],
        [(1, 2), (3, 4)],
        [],
        cats={"travel": 0.0, "dull": 1.0},
        _={"translation": "il pleut"},
    ),
]
#: With words that are in no sentence above.
UNSEEN = sentence(
    "Grace met nothing in London again",
    "PROPN VERB PRON ADP PROPN ADV",
    [1, 1, 1, 4, 1, 1],
    "nsubj ROOT obj case obl advmod",
    [(3, 5, "PP"), (2, 6, "NP"), (1, 6, "VP"), (0, 6, "S")],
    [(0, 1), (4, 5)],
    [],
)
#: Pixels of two levels: a bar in one of three rows.
BARS = [[[[int(row == bar)]] * 4 for row in range(3)] for bar in range(3)]
IMAGES: list[Sentence] = [
    (
        {"words": ["."], "_": {"image": bar}},
        {
            "words": ["."],
            "tags": ["bar"],
            "cats": {"top": float(not number), "below": float(number > 0)},
            "_": {"image": bar, "caption": name},
        },
    )
    for number, (bar, name) in enumerate(zip(BARS, ("top", "middle", "end"), strict=True))
]
#: Two bars.
UNSEEN_IMAGE = {"words": ["."], "_": {"image": [BARS[0][0], BARS[0][1], BARS[0][0]]}}
