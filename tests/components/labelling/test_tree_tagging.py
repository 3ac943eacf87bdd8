"""The tagger over given dependency trees, by its config."""

import spacy
from helpers.paths import CONFIGS
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin

CONFIG = CONFIGS / "tree_tagger.cfg"


def test_the_config_trains_on_gold_trees(tmp_path):
    nlp = spacy.blank("en")
    doc = Doc(
        nlp.vocab,
        words=["we", "saw", "the", "film"],
        pos=["PRON", "VERB", "DET", "NOUN"],
        heads=[1, 1, 3, 1],
        deps=["nsubj", "ROOT", "det", "obj"],
    )
    DocBin(docs=[doc] * 4).to_disk(tmp_path / "trees.spacy")
    overrides = {
        **{f"paths.{part}": str(tmp_path / "trees.spacy") for part in ("train", "dev")},
        "training.max_steps": 8,
        "training.eval_frequency": 4,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }
    train(CONFIG, tmp_path / "out", overrides=overrides)
    tagger = spacy.load(tmp_path / "out" / "model-best")
    assert tagger.meta["performance"]["pos_acc"] == 1.0
    given = Doc(nlp.vocab, words=["we", "saw", "the", "film"], heads=[1, 1, 3, 1], deps=["x"] * 4)
    assert [token.pos_ for token in tagger(given)] == ["PRON", "VERB", "DET", "NOUN"]
