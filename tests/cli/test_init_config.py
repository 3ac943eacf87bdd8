"""``spacy rnn init-config``: what it makes trains, and what cannot be is told at once."""

import io

import pytest
from helpers.commands import fails, works
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_config_from_str, registry

from rnnpipe.cli.config_check import check_config, made_up_examples
from rnnpipe.cli.config_choices import SIZES, Choices, config_for
from rnnpipe.cli.config_text import ConfigText, shipped_config
from rnnpipe.cli.tasks import TASKS
from rnnpipe.errors import RnnpipeError

ENCODERS = {
    "treecat": ["TreeGRU", "NaryTreeLSTM"],
    "lm": ["GRU", "RNN"],
    "word_lm": ["CIFG"],
    "seq2seq": ["GRU", "BiGRU"],
    "translate": ["BiMGU"],
    "image_model": ["RowLSTM", "DiagonalBiLSTM"],
}


def choices(task, parts=None, lang=None, size="small", gpu=False, vectors=None, data=None):
    return Choices(task, lang, parts or {}, size, gpu, vectors, data)


def read(text):
    return load_config_from_str(text, interpolate=True)


@registry.readers("test.MadeUp.v1")
def made_up():
    return lambda nlp: iter(made_up_examples(nlp))


def trained(text):
    """One step on two made-up documents, with all of the config but its readers."""
    config = load_config_from_str(text)
    config["corpora"] = {part: {"@readers": "test.MadeUp.v1"} for part in ("train", "dev")}
    config["initialize"] = {}
    config["training"].pop("batcher")
    config["training"] |= {"max_steps": 1, "max_epochs": 0, "eval_frequency": 1}
    config["training"]["optimizer"]["learn_rate"] = 0.01
    nlp = init_nlp(config)
    stdout = io.StringIO()
    train(nlp, stdout=stdout, stderr=io.StringIO())
    return nlp, stdout.getvalue().splitlines()


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_trains(task):
    text = config_for(choices(task), "my.cfg")
    registry.resolve(read(text)["training"])
    nlp, printed = trained(text)
    (name,) = nlp.pipe_names
    scores = nlp.config["training"]["score_weights"]
    header = next(x for x in printed if x.lstrip().startswith("E "))
    for column in ("NORM", "LEFT", *(s.upper()[:10] for s, w in scores.items() if w is not None)):
        assert column in header
    assert f"[components.{name}.model.encoder]\n# " in text
    assert "#   spacy train my.cfg --paths.train TRAIN --paths.dev DEV --output out\n" in text


@pytest.mark.parametrize("task", sorted(TASKS))
def test_encoders_can_be_chosen(task):
    for encoder in ENCODERS.get(task, ["BiGRU", "rnnpipe.LSTM.v1"]):
        text = config_for(choices(task, {"encoder": encoder}), "my.cfg")
        assert f'"rnnpipe.{encoder}.v1"' in text or f'"{encoder}"' in text
        check_config(text)


def test_the_parts_of_a_network():
    named = {"embedding": "Hashed", "encoder": "BiRNN", "pooler": "Max", "decoder": "Sigmoid"}
    text = config_for(choices("textcat_multilabel", named), "my.cfg")
    (block,) = read(text)["components"].values()
    assert block["factory"] == "rnn_textcat_multilabel"
    model = block["model"]
    assert model["embedding"] == {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1"}
    assert model["encoder"] == {"@rnnpipe_encoders": "rnnpipe.BiRNN.v1", "width": 50}
    assert model["pooler"] == {"@rnnpipe_poolers": "rnnpipe.Max.v1"}
    trained(text)


@pytest.mark.parametrize(("size", "width"), [("small", 128), ("medium", 256), ("large", 512)])
def test_sizes(size, width):
    text = config_for(choices("lm", size=size), "my.cfg")
    encoder = read(text)["components"]["lm"]["model"]["encoder"]
    assert (encoder["width"], encoder["depth"]) == (width, 2)
    assert set(SIZES) == {"small", "medium", "large"}


def test_language_and_device():
    text = config_for(choices("ner", lang="de", gpu=True), "my.cfg")
    config = read(text)
    assert config["nlp"]["lang"] == "de"
    assert config["system"]["gpu_allocator"] == "pytorch"
    assert "--output out --gpu-id 0\n" in text


@pytest.mark.parametrize("task", ["ner", "textcat", "tagger"])
def test_vectors(task):
    without = read(config_for(choices(task), "my.cfg"))
    assert "vectors" not in without["paths"]
    (block,) = without["components"].values()
    assert set(block["model"]["embedding"]["parts"]) == {"words", "chars"}
    assert "norm" not in block["model"]["embedding"]["parts"]["words"]
    text = config_for(choices(task, vectors="my/vectors"), "my.cfg")
    given = read(text)
    assert given["initialize"]["vectors"] == "my/vectors"
    (block,) = given["components"].values()
    assert block["model"]["embedding"]["parts"]["words"]["norm"] == 0
    check_config(text)


def test_the_data():
    spacys = config_for(choices("ner"), "my.cfg")
    assert read(spacys)["corpora"]["dev"] == {
        "@readers": "spacy.Corpus.v1",
        "path": None,
    }
    assert "# The data: Files in spaCy's format, as 'spacy convert' writes them.\n" in spacys
    text = config_for(choices("ner", data="text"), "my.cfg")
    assert read(text)["corpora"]["dev"]["@readers"] == "rnnpipe.ConllCorpus.v1"
    assert "# The data: A token a line with its annotation in columns; a blank line ends" in text
    assert "Train and dev are the same file" in config_for(choices("lm"), "my.cfg")


def test_comments_of_the_shipped_config_stay():
    text = config_for(choices("word_lm"), "my.cfg")
    assert "# A stream of text has no end.\nend_symbol = false" in text
    assert "# The text is streamed in order" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "# Could" not in text.replace("\n# ", " ")  # sentences, wrapped


@pytest.mark.parametrize("path", sorted(shipped_config("ner").parent.glob("*.cfg")))
def test_a_shipped_config_reads_as_it_writes(path):
    written = load_config_from_str(str(ConfigText.read(path)), interpolate=False)
    assert written == load_config(path, interpolate=False)


def test_it_is_printed_or_written(tmp_path):
    printed = works("init-config", "ner", "--encoder", "GRU")
    path = tmp_path / "new" / "my.cfg"
    assert works("init-config", "ner", path, "--encoder", "GRU") == ""
    assert path.read_text() == printed.replace("spacy train config.cfg", f"spacy train {path}")
    assert "got 'an existing file'. Choose another" in fails("init-config", "lm", path)
    assert "rnn_ner" in path.read_text()
    works("init-config", "lm", path, "--force")
    assert "rnn_lm" in path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["my.cfg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nre"], "TASK: expected one of ner, tagger, pos, textcat, textcat_multilabel, relat"),
        (["nre"], "got 'nre'. Did you mean 'ner'"),
        (["ner", "--size", "big"], "--size: expected one of small, medium, large, got 'big'."),
        (["ner", "--lang", "zz"], "--lang: expected a language code, got 'zz'. Use the code"),
        (["ner", "--data", "x"], "--data: expected one of spacy, text, got 'x'. Known: 'spacy'"),
        (["lm", "--data", "spacy"], "--data: expected 'text' for this task, got 'spacy', a"),
        (["lm", "--vectors", "v"], "--vectors: expected no vectors for this task, got 'v'. Omit"),
        (["ner", "--encoder", "LTSM"], "--encoder: expected a name of @rnnpipe_encoders, got 'LT"),
        (["ner", "--encoder", "LTSM"], "Did you mean 'LSTM' or 'BiLSTM'"),
        (["ner", "--embedding", "Vectors"], "rnnpipe.Vectors.v1: expected word vectors in nlp.voc"),
        (["relations", "--data", "spacy"], "--data: expected 'text' for this task"),
        (["lm", "--encoder", "BiLSTM"], "components.lm.model.encoder: expected a causal enc"),
        (
            ["ner", "--encoder", "TreeGRU"],
            "components.ner.model.encoder: expected an encoder that reads",
        ),
        (["tagger", "--pooler", "Max"], "components.tagger.model.pooler: expected no pooler, sin"),
        (["lm", "--pooler", "Max"], "components.lm.model.pooler: expected a setting of rnnpipe.L"),
        (
            ["ner", "--decoder", "Sigmoid"],
            "components.ner.model.decoder: expected a decoder that labels",
        ),
        (["ner", "--decoder", "Beam"], "components.ner.model.decoder"),
        (["textcat", "--decoder", "CRF"], "components.textcat.model.decoder: expected a decoder "),
        (["textcat", "--pooler", "Concat"], "components.textcat.model.pooler.parts: expected a b"),
    ],
)
def test_what_cannot_be(arguments, message):
    assert message in fails("init-config", *arguments)


def test_nothing_is_written_of_what_cannot_be(tmp_path):
    fails("init-config", "lm", tmp_path / "my.cfg", "--encoder", "BiLSTM")
    assert list(tmp_path.iterdir()) == []


def test_every_task_is_named_by_the_help():
    helped = works("init-config", "--help", env={"COLUMNS": "200"})
    assert all(task in helped for task in TASKS)
    with pytest.raises(RnnpipeError, match="TASK"):
        config_for(choices("none"), "my.cfg")
