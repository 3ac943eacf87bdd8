"""Draw the tree that a trained ``rnn_treeparser`` builds over a sentence.

python parse.py parser/model-best "She reads the letters of an old friend ." parse.svg
"""

import sys
from html import escape
from pathlib import Path

import spacy

STEP, LEVEL, EDGE = 86, 44, 30


def draw(doc) -> str:
    # By first token and end: where a node stands, and how many joins are below it.
    x = {(i, i + 1): EDGE + STEP * (i + 0.5) for i in range(len(doc))}
    height = dict.fromkeys(x, 0)
    spans = doc.spans["constituents"]
    edges, nodes = [], [(key, doc[key[0]].text, "word") for key in x]
    for span in spans:  # children before parents
        key = span.start, span.end
        inside = [(a, b) for a, b in x if key[0] <= a and b <= key[1] and (a, b) != key]
        children = [c for c in inside if not any(covers(other, c) for other in inside)]
        x[key] = sum(x[child] for child in children) / len(children)
        height[key] = 1 + max(height[child] for child in children)
        edges += [(key, child) for child in children]
        nodes.append((key, span.label_, "label"))
    top = max(height.values())
    y = {key: EDGE + LEVEL * (top - h) for key, h in height.items()}
    width, tall = 2 * EDGE + STEP * len(doc), 2 * EDGE + LEVEL * top
    lines = [f'<path d="M{x[a]:.0f} {y[a] + 8:.0f}L{x[b]:.0f} {y[b] - 14:.0f}"/>' for a, b in edges]
    texts = [
        f'<text x="{x[key]:.0f}" y="{y[key]:.0f}" class="{kind}">{escape(text)}</text>'
        for key, text, kind in nodes
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {tall}" role="img">',
            "<style>text{font:15px sans-serif;text-anchor:middle;fill:#1b1f24}",
            ".label{font-size:12px;font-weight:bold;fill:#1d4ed8}path{stroke:#8a94a3}</style>",
            '<rect width="100%" height="100%" rx="8" fill="#fff"/>',
            *lines,
            *texts,
            "</svg>\n",
        ]
    )


def covers(outer, inner) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


if __name__ == "__main__":
    model, sentence, path = sys.argv[1:]
    Path(path).write_text(draw(spacy.load(model)(sentence)), encoding="utf8")
