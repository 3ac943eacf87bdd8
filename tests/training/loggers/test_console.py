"""``rnnpipe.Console.v1`` under spaCy's own training loop."""

import io
import json

import pytest
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config_from_str, registry

from rnnpipe.errors import SettingsError
from rnnpipe.training.loggers.terminal import Bar, duration, number, share

CONFIG = """
[nlp]
lang = "en"
pipeline = ["tagger","other"]

[components]

[components.tagger]
factory = "rnn_tagger"

[components.tagger.model]
@architectures = "rnnpipe.Network.v1"

[components.tagger.model.embedding]
@rnnpipe_embeddings = "rnnpipe.Words.v1"
width = 4

[components.tagger.model.encoder]
@rnnpipe_encoders = "rnnpipe.LSTM.v1"
width = 4

[components.tagger.model.decoder]
@rnnpipe_decoders = "rnnpipe.Softmax.v1"

[components.other]
factory = "tagger"

[components.other.model]
@architectures = "spacy.Tagger.v2"

[components.other.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
width = 4
depth = 1
embed_size = 10
window_size = 1
maxout_pieces = 2
subword_features = false
pretrained_vectors = null

[corpora]

[corpora.train]
@readers = "test.FewSentences.v1"

[corpora.dev]
@readers = "test.FewSentences.v1"

[vars]
steps = 5

[training]
seed = 0
gpu_allocator = null
max_steps = ${vars.steps}
eval_frequency = 2

[training.logger]
@loggers = "rnnpipe.Console.v1"

[training.optimizer]
@optimizers = "Adam.v1"
grad_clip = 0.0001

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.1
warmup_steps = 10
total_steps = 100

[training.score_weights]
tag_acc = 1.0
pos_acc = null
morph_acc = null
"""


@registry.readers("test.FewSentences.v1")
def few_sentences():
    def read(nlp):
        for _ in range(20):
            doc = nlp.make_doc("a rose is a rose")
            yield Example.from_dict(doc, {"tags": ["D", "N", "V", "D", "N"]})

    return read


def log(overrides=None, stderr=None):
    """A short training run: what it prints."""
    config = load_config_from_str(CONFIG, overrides=overrides or {}, interpolate=False)
    nlp = init_nlp(config)
    stdout = io.StringIO()
    train(nlp, stdout=stdout, stderr=stderr or io.StringIO())
    return stdout.getvalue()


def test_a_row_for_each_evaluation_and_a_line_of_the_file(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    stderr = io.StringIO()
    printed = log({"training.logger.path": str(path)}, stderr).splitlines()
    header = next(line for line in printed if line.lstrip().startswith("E "))
    assert (
        " ".join(header.split())
        == "E # LOSS TAGGER NORM TAGGER CLIP TAGGER LOSS OTHER TAG_ACC SCORE W/S LEFT"
    )
    rows = [line.split() for line in printed[printed.index(header) + 2 :]]
    assert [row[1] for row in rows] == ["0", "2", "4"]
    # The other component has no module of ours, and no gradient to tell of.
    assert all(len(row) == 10 for row in rows)
    assert stderr.getvalue() == ""  # no terminal, no bar

    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["step"] for record in records] == [0, 2, 4]
    for record, row, steps in zip(records, rows, (1, 2, 2), strict=True):
        gradients = record["gradients"]["tagger"]
        assert gradients["steps"] == steps
        assert 0.0 < gradients["norm"] <= gradients["largest"]
        assert gradients["clipped"] == 1.0
        assert row[3:5] == [number(gradients["norm"]), "100%"]
        assert set(record["losses"]) == {"tagger", "other"}
        assert set(record["scores"]) == {"tag_acc"}
        assert record["score"] == pytest.approx(record["scores"]["tag_acc"] / 100)
    # warmup_linear.v1: of the last step before, counted from 0.
    rates = [record["gradients"]["tagger"]["learn_rate"] for record in records]
    assert rates == pytest.approx([0.0, 0.02, 0.04])
    assert [record["words"] for record in records] == sorted({r["words"] for r in records})
    assert records[0]["words_per_second"] is None  # the first step is evaluated at once
    assert records[1]["words_per_second"] > 0
    assert records[0]["seconds_left"] > records[2]["seconds_left"] > 0


def test_what_is_not_asked_for_is_not_told(tmp_path):
    quiet = {"training.logger.console_output": False, "training.logger.progress_bar": False}
    assert "TAG_ACC" not in log(quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_log_is_not_overwritten(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("precious")
    with pytest.raises(SettingsError) as error:
        log({"training.logger.path": str(path)})
    assert str(error.value) == (
        f"training.logger.path {path}: expected a new file, got 'an existing file'. Choose "
        f"another file, or set training.logger.overwrite."
    )
    assert path.read_text() == "precious"
    log({"training.logger.path": str(path), "training.logger.overwrite": True})
    assert len(path.read_text().splitlines()) == 3


def test_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="expected a writable file, got .*Choose another"):
        log({"training.logger.path": str(tmp_path / "file" / "log.jsonl")})


def test_a_bar_where_there_is_a_terminal(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    stderr = io.StringIO()
    assert "TAG_ACC" in log(stderr=stderr)
    assert "gradient norm" in stderr.getvalue()
    assert "100% clipped" in stderr.getvalue()
    assert " left" in stderr.getvalue()


def test_a_bar_without_an_end():
    bar = Bar(io.StringIO(), None)
    bar.move(3, "")
    bar.close()


def test_numbers_are_short():
    assert [number(x) for x in (None, 0.041, -3.0, 12345.6)] == ["-", "0.04", "-3.00", "12346"]
    assert [share(x) for x in (None, 0.256)] == ["-", "26%"]
    assert [duration(x) for x in (None, 129.6)] == ["-", "0:02:10"]


def test_watching_changes_nothing():
    weights = []
    for logger in ("rnnpipe.Console.v1", "spacy.ConsoleLogger.v3"):
        nlp = init_nlp(load_config_from_str(CONFIG.replace("rnnpipe.Console.v1", logger)))
        train(nlp, stdout=io.StringIO(), stderr=io.StringIO())
        weights.append(nlp.get_pipe("tagger").model.to_bytes())
    assert weights[0] == weights[1]
