"""The encoders in a config, in a language model that writes, and in a translator that searches."""

from pathlib import Path

import spacy
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.testing import check_config

CONFIGS = Path(__file__).parents[1] / "configs"
ENCODER = {"@rnnpipe_encoders": "scan.MinGRU.v1", "width": 32}


def test_the_config_trains(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("to be, or not to be, that is the question\n" * 60)
    check_config(CONFIGS / "min_gru_lm.cfg", tmp_path, {"train": text, "dev": text})


def trained(nlp, examples, steps):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.03
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return nlp


def test_a_language_model_learns_a_text_and_writes_it():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm", name="lm", config={"model": {"encoder": ENCODER, "width": 16}})
    docs = [nlp.make_doc("abcdefgh")]
    trained(nlp, [Example(doc, doc) for doc in docs], 60)
    assert nlp.get_pipe("lm").generate("a", temperature=0.0) == "bcdefgh"


def test_a_translator_learns_words_and_spells_them():
    nlp = spacy.blank("xx")
    model = {
        "encoder": {**ENCODER, "@rnnpipe_encoders": "scan.BiMinLSTM.v1"},
        "decoder": {**ENCODER, "@rnnpipe_encoders": "scan.MinLSTM.v1"},
        "width": 24,
    }
    nlp.add_pipe("rnn_seq2seq", config={"model": model})
    examples = []
    for word in ("abc", "cab", "bca", "b"):
        reference = nlp.make_doc(word)
        reference._.translation = word[::-1]
        examples.append(Example(nlp.make_doc(word), reference))
    trained(nlp, examples, 80)
    assert [doc._.translation for doc in nlp.pipe(["abc", "b", "cab"])] == ["cba", "b", "bac"]
