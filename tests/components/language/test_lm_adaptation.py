"""The language model adapts to documents, rehearses, and survives an interruption."""

from itertools import count

import numpy as np
import pytest
import spacy
from helpers.paths import CONFIGS
from spacy.cli.train import train as run_training
from spacy.training import Example
from spacy.util import fix_random_seed

from rnnpipe.components.language.rnn_lm import RnnLanguageModel
from rnnpipe.errors import SettingsError
from rnnpipe.parts.adaptations.dynamic_evaluation import DynamicEvaluation
from rnnpipe.parts.adaptations.neural_cache import NeuralCache

TEXTS = ["a rose is a rose is a rose", "", "to be or not to be", "x"]
CONFIG = CONFIGS / "char_lm.cfg"
SETTINGS = {"size": 50, "share": 0.5, "sharpness": 30.0}
CACHE = {"@rnnpipe_adaptations": "rnnpipe.NeuralCache.v1", **SETTINGS}


def pipeline(**model):
    nlp = spacy.blank("en")
    model = {
        "@architectures": "rnnpipe.LanguageModel.v1",
        "symbols": {"@rnnpipe_symbols": "rnnpipe.Characters.v1"},
        "encoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 16},
        "output": {"@rnnpipe_outputs": "rnnpipe.FullSoftmax.v1"},
        "width": 16,
        **model,
    }
    nlp.add_pipe("rnn_lm", name="lm", config={"model": model})
    return nlp


def examples(nlp, texts=TEXTS):
    return [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]


def train(nlp, steps=10):
    fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.03
    for _ in range(steps):
        nlp.update(examples(nlp), sgd=optimizer)
    return optimizer


@pytest.mark.parametrize("adaptation", [NeuralCache(**SETTINGS), DynamicEvaluation()])
def test_documents_are_adapted_to_one_by_one(adaptation):
    nlp = pipeline()
    train(nlp)
    pipe, docs = nlp.get_pipe("lm"), [nlp.make_doc(text * 9) for text in TEXTS]
    weights, plain = pipe.model.to_bytes(), pipe.predict(docs)
    adapted = pipe.likelihoods(docs, adaptation)
    assert adapted[0].total > plain[0].total + 1.0
    for i in (3, 0, 2, 1):
        (alone,) = pipe.likelihoods([docs[i]], adaptation)
        np.testing.assert_array_equal(alone.tokens, adapted[i].tokens)
        assert (alone.end, alone.symbols) == (adapted[i].end, adapted[i].symbols)
    assert pipe.model.to_bytes() == weights
    assert [result.total for result in pipe.predict(docs)] == [result.total for result in plain]


def test_an_adaptation_in_the_config_is_for_scores_alone(tmp_path):
    plain, cached = pipeline(), pipeline(adaptation=CACHE)
    for nlp in (plain, cached):
        train(nlp)
    assert plain.get_pipe("lm").model.to_bytes() == cached.get_pipe("lm").model.to_bytes()
    text = TEXTS[0] * 9
    assert cached(text)._.log_probability > plain(text)._.log_probability + 1.0
    texts = [nlp.get_pipe("lm").generate("a ro", max_length=9, seed=0) for nlp in (plain, cached)]
    assert texts[0] == texts[1]
    # One that was trained without is loaded with it.
    plain.to_disk(tmp_path)
    again = spacy.load(tmp_path, config={"components.lm.model.adaptation": CACHE})
    assert again(text)._.log_probability == cached(text)._.log_probability


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"adaptation": {**CACHE, "share": 1.0}}, "lm.model.adaptation.share: expected a number"),
        ({"sampling_ramp": 9}, "lm.model.sampling_ramp: expected 1 without scheduled_sampling"),
        ({"word_dropout": 1.0}, "lm.model.word_dropout: expected a number of at least 0 and less"),
        ({"temporal_regularisation": -1}, "temporal_regularisation: expected a number of at least"),
    ],
)
def test_settings_that_make_no_sense(settings, text):
    with pytest.raises(SettingsError, match=text):
        pipeline(**settings)


def test_scheduled_sampling_goes_on_where_it_was_saved():
    settings = {"scheduled_sampling": 0.5, "sampling_ramp": 20}
    nlp = pipeline(**settings)
    train(nlp, 7)
    again = pipeline(**settings).from_bytes(nlp.to_bytes())
    for one in (nlp, again):
        module = one.get_pipe("lm").model.shims[0].module
        assert module.sampling.updates == 7


def test_rehearsal_keeps_what_was_known():
    nlp = pipeline()
    train(nlp, 60)
    before = nlp(TEXTS[0])._.log_probability
    forgotten = []
    for rehearse in (False, True):
        learner = pipeline().from_bytes(nlp.to_bytes())
        fix_random_seed(0)
        optimizer = learner.resume_training()
        optimizer.learn_rate = 0.01
        for _ in range(15):
            learner.update(examples(learner, ["be to not or be to"]), sgd=optimizer)
            if rehearse:
                losses = learner.rehearse(examples(learner), sgd=optimizer)
                assert losses["lm"] > 0
        forgotten.append(before - learner(TEXTS[0])._.log_probability)
    assert forgotten[1] < 0.5 * forgotten[0]


def test_there_is_nothing_to_rehearse_before_training_is_resumed():
    nlp = pipeline()
    optimizer = train(nlp, 1)
    weights = nlp.get_pipe("lm").model.to_bytes()
    assert nlp.get_pipe("lm").rehearse(examples(nlp), sgd=optimizer) == {"lm": 0.0}
    assert nlp.get_pipe("lm").model.to_bytes() == weights


def test_an_interrupted_training_leaves_a_pipeline_that_loads(tmp_path, monkeypatch, ctrl_c):
    (tmp_path / "text").write_text("to be or not to be, that is the question. " * 400)
    small = {
        **{f"paths.{part}": str(tmp_path / "text") for part in ("train", "dev")},
        "components.lm.model.encoder.width": 8,
        "corpora.train.streams": 4,
        "corpora.dev.streams": 2,
        "training.eval_frequency": 2,
    }
    update, calls = RnnLanguageModel.update, count()

    def interrupted(*args, **settings):
        if next(calls) == 3:
            ctrl_c()
        return update(*args, **settings)

    monkeypatch.setattr(RnnLanguageModel, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_training(CONFIG, tmp_path, overrides=small)
    nlp = spacy.load(tmp_path / "model-last")
    assert np.isfinite(nlp("to be")._.log_probability)
    assert isinstance(nlp.get_pipe("lm").generate("to", max_length=5), str)
