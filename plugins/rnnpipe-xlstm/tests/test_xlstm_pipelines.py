from pathlib import Path

import pytest
import spacy
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.testing import check_config


def test_the_config_trains(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("to be, or not to be, that is the question\n" * 60)
    config = Path(__file__).parents[1] / "configs" / "xlstm_lm.cfg"
    check_config(config, tmp_path, {"train": text, "dev": text})


@pytest.mark.parametrize("name", ["xlstm.SLSTM.v1", "xlstm.MLSTM.v1"])
def test_a_language_model_learns_a_text_and_writes_it(name):
    nlp = spacy.blank("en")
    encoder = {"@rnnpipe_encoders": name, "width": 32, "heads": 2}
    nlp.add_pipe("rnn_lm", name="lm", config={"model": {"encoder": encoder, "width": 16}})
    fix_random_seed(0)
    doc = nlp.make_doc("abcdefgh")
    optimizer = nlp.initialize(lambda: [Example(doc, doc)])
    optimizer.learn_rate = 0.03
    for _ in range(60):
        nlp.update([Example(doc, doc)], sgd=optimizer)
    assert nlp.get_pipe("lm").generate("a", temperature=0.0) == "bcdefgh"
