"""Two threads and then two processes; and precision, from the setting to the matrix products."""

import os
import signal
import subprocess
import sys

import pytest
import spacy
import torch
from helpers.handful import examples_for, fresh_docs, pipeline, train
from helpers.paths import ROOT
from helpers.products import Products

#: Seconds after which a child process that waits for threads it has not is given up.
PATIENCE = 300
FORKING = """
import torch
from helpers.handful import annotations, pipeline, train

torch.set_num_threads(2)
nlp = pipeline("rnn_tagger", encoder={"@rnnpipe_encoders": "rnnpipe.BiGRU.v1", "width": 128})
train(nlp, steps=0)
assert torch.randn(400, 400).exp().sum() > 0  # now both threads have been at work
docs = [nlp.make_doc("I like London and Berlin . " * 20) for _ in range(16)]
alone, forked = (
    [annotations("rnn_tagger", doc) for doc in nlp.pipe([d.copy() for d in docs], **workers)]
    for workers in ({"batch_size": 8}, {"batch_size": 8, "n_process": 2})
)
assert torch.get_num_threads() == 2
assert forked == alone
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_processes_that_are_forked_from_one_with_two_threads():
    """In a process of its own, as the threads of this one are one."""
    command = [sys.executable, "-c", FORKING]
    pipes = {"stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT / "tests", start_new_session=True, **pipes) as process:
        try:
            _, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # it and those that it has forked
            pytest.fail(f"the processes were not done after {PATIENCE} seconds")
    assert process.returncode == 0, errors


LSTM = {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 4}
SOFTMAX = {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"}
CHARACTERS = {"@rnnpipe_symbols": "rnnpipe.Characters.v1"}
MODELS = {
    "rnn_tagger": None,
    "rnn_lm": {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": CHARACTERS,
        "encoder": LSTM,
        "output": SOFTMAX,
    },
    "rnn_seq2seq": {
        "@architectures": "rnnpipe.Seq2Seq.v1",
        "source": CHARACTERS,
        "target": CHARACTERS,
        "encoder": LSTM,
        "decoder": LSTM,
        "attention": {"@rnnpipe_attentions": "rnnpipe.General.v1"},
        "output": SOFTMAX,
    },
}


def made(factory, precision):
    if MODELS[factory] is None:
        return pipeline(factory, precision=precision)
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config={"model": {**MODELS[factory], "precision": precision}})
    return nlp


def examples_of(factory, nlp):
    examples = examples_for(nlp)
    for eg in examples:
        if factory == "rnn_seq2seq":
            eg.reference._.translation = eg.text
    return examples


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("factory", MODELS)
def test_all_matrix_products_of_a_component_are_in_its_precision(factory, precision):
    """In training, forward and backward, and in prediction."""
    nlp = made(factory, precision)
    nlp.initialize(lambda: examples_of(factory, nlp))
    examples, docs = examples_of(factory, nlp), fresh_docs(nlp)
    pipe = nlp.get_pipe(factory)
    for act in (lambda: pipe.update(examples), lambda: list(pipe.pipe(docs))):
        with Products() as products:
            act()
        assert products.found
        assert all(dtypes == {getattr(torch, precision)} for dtypes in products.found)


def test_words_that_are_kept_follow_the_precision():
    """Of a network that is read in one precision and then in the other."""
    nlp = pipeline("rnn_tagger")
    train(nlp, steps=1)
    seen = []
    module = nlp.get_pipe("rnn_tagger").model.shims[0].module
    module.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float()))
    for low in (False, True, False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            list(nlp.pipe(fresh_docs(nlp)))
    assert [torch.equal(x, seen[0]) for x in seen] == [True, False, True, False]
