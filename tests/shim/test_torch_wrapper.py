"""Other people's torch modules in spaCy, as docs/shim.md shows it."""

import re
import runpy

import numpy as np
import spacy
import torch
from helpers.paths import ROOT
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam

PAGE = (ROOT / "docs" / "shim.md").read_text(encoding="utf8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(block, tmp_path):
    path = tmp_path / "page.py"
    path.write_text(block, encoding="utf8")
    runpy.run_path(str(path))


def test_the_pages_code_runs(tmp_path):
    assert len(BLOCKS) == 2
    for block in BLOCKS:
        run(block, tmp_path)


def test_every_check_on_the_page_names_tests():
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf8"), re.MULTILINE)
    }
    table = PAGE.split("\n## ")[1].splitlines()
    checks = [line.split("|")[-2] for line in table if line.startswith("|")]
    words = [
        word
        for check in checks
        for quoted in re.findall(r"`([a-z_ ]+)`", check)
        for word in quoted.split(" or ")
    ]
    assert len(words) > 12
    for word in words:
        assert any(word in name for name in tests), word


TAGGER = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 8,
            "attrs": ["NORM"],
            "rows": [50],
            "include_static_vectors": False,
        },
        "encode": {"@architectures": "acme.FeedForward.v1", "width": 8},
    },
}


def test_a_foreign_module_in_spacys_tagger(tmp_path):
    run(BLOCKS[0], tmp_path)  # registers acme.FeedForward.v1
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger", config={"model": TAGGER})
    words, tags = ["a", "dog", "sees", "me"], ["DT", "NN", "VB", "PR"]
    examples = [Example(nlp.make_doc("a dog sees me"), Doc(nlp.vocab, words=words, tags=tags))] * 4
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.05, use_averages=True)
    for _ in range(30):
        nlp.update(examples, drop=0.2, sgd=optimizer)
    (shim,) = (shim for node in nlp.get_pipe("tagger").model.walk() for shim in node.shims)
    weights = {name: p.detach().clone() for name, p in shim.module.named_parameters()}
    with nlp.use_params(optimizer.averages):  # as spacy train does to evaluate and to save
        assert not any(torch.equal(p, weights[n]) for n, p in shim.module.named_parameters())
        assert [token.tag_ for token in nlp("a dog sees me")] == tags
        scores = nlp.get_pipe("tagger").predict([nlp.make_doc("a dog sees me")])
        nlp.to_disk(tmp_path / "saved")
    assert all(torch.equal(p, weights[n]) for n, p in shim.module.named_parameters())
    loaded = spacy.load(tmp_path / "saved").get_pipe("tagger")
    again = loaded.predict([nlp.make_doc("a dog sees me")])
    np.testing.assert_array_equal(again[0], scores[0])
