"""How deep the loop of a recurrent cell lies below ``nlp.update``: who reads a traceback, or a
profile, goes through every function in between."""

import sys

import pytest
import spacy
from helpers.handful import EMBEDDING, examples_for, model_config

from rnnpipe.parts.encoders.sequence.lstm_cells import LSTMCell

LSTM = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 8}
BILSTM = {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": 8}


def translated(nlp):
    examples = examples_for(nlp)
    for example in examples:
        example.reference._.translation = "so"
    return examples


@pytest.mark.parametrize(
    ("factory", "model", "examples"),
    [
        ("rnn_tagger", model_config("rnn_tagger", embedding=EMBEDDING, encoder=LSTM), None),
        ("rnn_ner", model_config("rnn_ner", embedding=EMBEDDING, encoder=BILSTM), None),
        ("rnn_lm", {"encoder": LSTM}, None),
        ("rnn_seq2seq", {}, translated),
    ],
)
def test_few_functions_lie_between_update_and_the_loop(factory, model, examples, monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": model})
    learnt = (examples or examples_for)(nlp)
    optimizer = nlp.initialize(lambda: learnt)
    found = []
    real = LSTMCell.run

    def counted(*args):
        names, frame = ["run"], sys._getframe(1)  # this is in its place
        while frame is not None:
            if frame.f_globals.get("__name__", "").startswith("rnnpipe."):
                names.insert(0, frame.f_code.co_name)
            frame = frame.f_back
        found.append(names)
        return real(*args)

    monkeypatch.setattr(LSTMCell, "run", counted)
    nlp.update(learnt, sgd=optimizer)
    assert found
    for names in found:
        assert names[:3] == ["update", "_learn", "loss"]
        assert len(names) <= 9, names
