"""``rnnpipe.train``: from Python what ``spacy train`` does with a config."""

import itertools

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacys_train
from spacy.util import load_config_from_str

import rnnpipe
from rnnpipe.errors import LabelError, SettingsError
from rnnpipe.training.corpora.conll import ConllCorpus

NETWORK = {
    "embedding": {"@rnnpipe_embeddings": "rnnpipe.Words.v1", "width": 8},
    "encoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 8},
}
TAGGER = {"model": NETWORK | {"decoder": {"@rnnpipe_decoders": "rnnpipe.Softmax.v1"}}}
NER = {"model": NETWORK | {"decoder": {"@rnnpipe_decoders": "rnnpipe.CRF.v1"}}}
SPACYS_TAGGER = {
    "model": {
        "@architectures": "spacy.Tagger.v2",
        "tok2vec": {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "width": 4,
            "depth": 1,
            "embed_size": 10,
            "window_size": 1,
            "maxout_pieces": 2,
            "subword_features": False,
            "pretrained_vectors": None,
        },
    }
}
TEXTS = ["Ada met Babbage", "Babbage wrote to Ada", "Ada wrote", "Lovelace met Ada"]
NAMES = {"Ada", "Babbage", "Lovelace"}
#: Enough steps to see learning, few enough to be quick.
SHORT = {
    "max_steps": 6,
    "eval_every": 2,
    "epochs": 100,
    "batch_size": 10,
    "learning_rate": 0.1,
    "score_weights": {"tag_acc": 1.0},
    "progress": False,
}
LONGER = {**SHORT, "max_steps": 30, "eval_every": 10}


def annotations(text):
    tags, entities, start = [], [], 0
    for word in text.split():
        end = start + len(word)
        tags.append("N" if word in NAMES else "V")
        entities += [(start, end, "PERSON")] if word in NAMES else []
        start = end + 1
    return {"tags": tags, "entities": entities, "cats": {"met": float("met" in text)}}


PAIRS = [(text, annotations(text)) for text in TEXTS * 3]


def tagger(name="tagger"):
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_tagger", name=name, config=TAGGER)
    return nlp


def examples(nlp):
    return [Example.from_dict(nlp.make_doc(text), gold) for text, gold in PAIRS]


def docs():
    """Gold documents with a vocabulary of their own."""
    return [example.reference for example in examples(spacy.blank("en"))]


def bytes_of(nlp):
    return nlp.to_bytes(exclude=["vocab", "tokenizer"])


def weights(nlp, name="tagger"):
    return nlp.get_pipe(name).model.to_bytes()


def complaint(nlp, train=PAIRS, dev=PAIRS, **settings):
    with pytest.raises(SettingsError) as error:
        rnnpipe.train(nlp, train, dev, **{**SHORT, **settings})
    return str(error.value)


# -- data --------------------------------------------------------------------------------------


def in_file(folder):
    path = folder / "train.spacy"
    DocBin(docs=docs()).to_disk(path)
    return path


def in_columns(folder):
    rows = [zip(text.split(), gold["tags"], strict=True) for text, gold in PAIRS]
    text = "\n\n".join("\n".join(f"{word} {tag}" for word, tag in row) for row in rows)
    (folder / "train.conll").write_text(text)
    return ConllCorpus(folder / "train.conll", tag_column=1)


KINDS = {
    "pairs": lambda nlp, folder: PAIRS,
    "lists for pairs": lambda nlp, folder: [list(pair) for pair in PAIRS],
    "a generator of pairs": lambda nlp, folder: iter(PAIRS),
    "examples": lambda nlp, folder: examples(nlp),
    "documents": lambda nlp, folder: docs(),
    "documents of the vocabulary": lambda nlp, folder: [x.reference for x in examples(nlp)],
    "a mixture": lambda nlp, folder: PAIRS[:4] + docs()[4:8] + examples(nlp)[8:],
    "a DocBin": lambda nlp, folder: DocBin(docs=docs()),
    "a file": lambda nlp, folder: in_file(folder),
    "the name of a file": lambda nlp, folder: str(in_file(folder)),
    "a folder": lambda nlp, folder: in_file(folder).parent,
    "a reader": lambda nlp, folder: in_columns(folder),
}


@pytest.fixture(scope="module")
def from_pairs():
    return weights(rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_data_in_any_form_makes_the_same_weights(kind, tmp_path, from_pairs):
    nlp = tagger()
    data = [KINDS[kind](nlp, tmp_path) for _ in ("train", "dev")]
    assert weights(rnnpipe.train(nlp, *data, **SHORT)) == from_pairs
    assert nlp.meta["performance"]["tag_acc"] > 0.5


def test_a_language_model_needs_no_annotation():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_lm")
    plain = [nlp.make_doc(text) for text in TEXTS]
    rows = []
    settings = {**SHORT, "score_weights": None, "learning_rate": 0.01}
    rnnpipe.train(nlp, plain, [(text, {}) for text in TEXTS], **settings, on_evaluation=rows.append)
    assert rows[-1].scores["lm_nats"] < rows[0].scores["lm_nats"]


# -- the run -----------------------------------------------------------------------------------


def test_spacy_train_makes_the_same_weights_from_the_config(tmp_path):
    """Two components of spaCy's and ours, which are given annotation; no setting by default."""
    nlp = tagger()
    nlp.add_pipe("tagger", name="spacys", config=SPACYS_TAGGER)
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    path = in_file(tmp_path)
    trained = rnnpipe.train(
        nlp,
        path,
        path,
        output=tmp_path / "ours",
        epochs=3,
        eval_every=3,
        patience=3,
        batch_size=9,
        learning_rate=0.02,
        dropout=0.2,
        seed=7,
        score_weights={"ents_f": 0.5, "tag_acc": 0.5},
        annotating=["tagger"],
        progress=False,
    )
    trained.config.to_disk(tmp_path / "config.cfg")
    config = load_config_from_str((tmp_path / "config.cfg").read_text(), interpolate=False)
    (tmp_path / "spacys").mkdir()
    spacys_train(init_nlp(config), tmp_path / "spacys")
    for part in ("model-best", "model-last"):
        ours, spacys = (spacy.load(tmp_path / by / part) for by in ("ours", "spacys"))
        for name in nlp.pipe_names:
            assert weights(ours, name) == weights(spacys, name)
        shown = [key for key in ours.meta["performance"] if not key.endswith("_loss")]
        assert {"ents_f", "tag_acc"} <= set(shown)
        for key in shown:
            assert ours.meta["performance"][key] == spacys.meta["performance"][key]


def test_it_returns_what_spacy_loads(tmp_path):
    nlp = tagger()
    (tmp_path / "model-best").mkdir()
    (tmp_path / "model-best" / "old").write_text("of an earlier run")
    trained = rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT, output=str(tmp_path))
    assert trained is nlp
    assert bytes_of(trained) == bytes_of(spacy.load(tmp_path / "model-best"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model-best", "model-last"]
    assert not (tmp_path / "model-best" / "old").exists()


def test_seeds():
    def train(seed):
        return weights(rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT, seed=seed))

    assert train(1) == train(1) != train(2)


class Falling:
    """A scorer whose scores are given."""

    def __init__(self, scores):
        self.scores = iter(scores)

    def __call__(self, examples, **_):
        return {"tag_acc": next(self.scores)}


def test_the_best_weights_are_kept_and_training_ends_early(tmp_path):
    nlp = tagger()
    nlp.get_pipe("tagger").scorer = Falling([0.1, 0.5, 0.4, 0.3, 0.2, 0.1])
    rows, seen = [], []

    def tell(row):
        rows.append(row)
        seen.append(weights(spacy.load(tmp_path / "model-last")))

    settings = {**SHORT, "max_steps": 1000, "patience": 2, "output": tmp_path}
    rnnpipe.train(nlp, PAIRS, PAIRS, **settings, on_evaluation=tell)
    assert [row.step for row in rows] == [0, 2, 4, 6]
    assert [row.score for row in rows] == [0.1, 0.5, 0.4, 0.3]
    assert [row.best for row in rows] == [True, True, False, False]
    assert weights(nlp) == seen[1] == weights(spacy.load(tmp_path / "model-best"))
    assert seen[1] != seen[3] == weights(spacy.load(tmp_path / "model-last"))
    assert nlp.meta["performance"]["tag_acc"] == 0.5


def test_without_patience_training_goes_on():
    nlp = tagger()
    nlp.get_pipe("tagger").scorer = Falling([0.5] + [0.1] * 10)
    rows = []
    settings = {**SHORT, "max_steps": 13, "patience": 0}
    rnnpipe.train(nlp, PAIRS, PAIRS, **settings, on_evaluation=rows.append)
    # The last evaluation that fits: step 13 would be trained for nothing.
    assert [row.step for row in rows] == [0, 2, 4, 6, 8, 10, 12]


def test_history():
    rows = []
    rnnpipe.train(tagger(), PAIRS, PAIRS, **LONGER, on_evaluation=rows.append)
    assert [row.epoch for row in rows] == [0, 2, 5, 7]
    assert rows[0].losses.keys() == {"tagger"}
    assert rows[1].losses["tagger"] > 0
    assert rows[-1].score == rows[-1].scores["tag_acc"] == 1.0
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(rows))


def test_without_numbers_there_is_an_evaluation_an_epoch_or_every_20_steps():
    rows = []
    nlp = tagger()
    rnnpipe.train(
        nlp, PAIRS, PAIRS, epochs=30, batch_size=36, progress=False, on_evaluation=rows.append
    )
    assert [row.step for row in rows] == [0, 30]  # of one batch per epoch
    rnnpipe.train(nlp, PAIRS * 8, PAIRS, epochs=2, batch_size=9, progress=False)
    training = nlp.config["training"]
    assert training["max_steps"] == 2 * training["eval_frequency"] > 40
    assert training["patience"] == 10 * training["eval_frequency"]


def test_frozen_components_stay_as_they_are():
    nlp = rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT)
    before = weights(nlp)
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    rows = []
    rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT, frozen=["tagger"], on_evaluation=rows.append)
    assert weights(nlp) == before
    assert rows[-1].losses.keys() == {"ner"}
    assert nlp.config["training"]["frozen_components"] == ["tagger"]
    assert nlp("Ada met Babbage")[0].tag_ == "N"


@Language.component("test_sees_tags")
def sees_tags(doc):
    SEEN.append([token.tag_ for token in doc])
    return doc


SEEN = []


def test_annotating_components_annotate_what_others_train_on():
    nlp = tagger()
    nlp.add_pipe("test_sees_tags")
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    for annotating, expected in (((), False), (("tagger", "test_sees_tags"), True)):
        SEEN.clear()
        rnnpipe.train(nlp, PAIRS, PAIRS[:1], **SHORT, annotating=annotating)
        # Each of four evaluations has one document; the rest comes from training.
        assert (len(SEEN) > 4) == expected


def test_a_trained_pipeline_is_trained_further(tmp_path):
    rnnpipe.train(tagger(), PAIRS, PAIRS, **LONGER, output=tmp_path)
    nlp = spacy.load(tmp_path / "model-best")
    # Where the vocabulary came from need not be there any more.
    nlp.config["initialize"]["vectors"] = "gone"
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    before = weights(nlp)
    rows = []
    settings = {**SHORT, "learning_rate": 1e-9}
    rnnpipe.train(nlp, PAIRS, PAIRS, **settings, on_evaluation=rows.append)
    assert rows[0].score == 1.0
    assert weights(nlp) != before
    assert rows[0].losses["tagger"] < 1.0 < rows[0].losses["ner"]
    assert nlp.config["initialize"]["vectors"] == "gone"


def test_a_shared_tok2vec():
    nlp = spacy.blank("en")
    tok2vec = SPACYS_TAGGER["model"]["tok2vec"]
    nlp.add_pipe("tok2vec", config={"model": tok2vec})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 4}
    ours = {"@rnnpipe_embeddings": "rnnpipe.Tok2Vec.v1", "tok2vec": listener}
    nlp.add_pipe(
        "rnn_tagger", name="tagger", config={"model": TAGGER["model"] | {"embedding": ours}}
    )
    rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT)
    shared, own = weights(nlp, "tok2vec"), weights(nlp)
    rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT, frozen=["tok2vec"], annotating=["tok2vec"])
    assert weights(nlp, "tok2vec") == shared
    assert weights(nlp) != own
    rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT)
    assert weights(nlp, "tok2vec") != shared


def test_score_weights_are_all_that_counts():
    nlp = tagger()
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    rows = []
    settings = {**SHORT, "score_weights": {"ents_p": 1.0, "speed": 0.0}}
    rnnpipe.train(nlp, PAIRS, PAIRS, **settings, on_evaluation=rows.append)
    assert rows[0].score == rows[0].scores["ents_p"] != rows[0].scores["tag_acc"]


def test_vectors_of_a_blank_pipeline_are_kept():
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("Ada", np.array([1.0, 2.0], dtype="float32"))
    vectors = {"@rnnpipe_embeddings": "rnnpipe.Vectors.v1"}
    nlp.add_pipe("rnn_tagger", config={"model": TAGGER["model"] | {"embedding": vectors}})
    rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT)
    assert list(nlp.vocab["Ada"].vector) == [1.0, 2.0]


# -- what is shown -----------------------------------------------------------------------------


def test_progress(capsys):
    rnnpipe.train(tagger(), PAIRS, PAIRS, **{**SHORT, "progress": True})
    assert "LOSS TAGGER" in capsys.readouterr().out
    rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT)
    assert capsys.readouterr() == ("", "")


# -- interruption ------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["evaluation", "update"])
def test_ctrl_c_returns_the_best_so_far(where, ctrl_c, tmp_path, monkeypatch):
    nlp = tagger()
    pipe = nlp.get_pipe("tagger")
    pipe.scorer = Falling([0.1, 0.5, 0.4, 0.3])
    rows = []

    def interrupted(*args, **settings):
        if len(rows) == 3:
            ctrl_c()
        return original(*args, **settings)

    name = "update" if where == "update" else "predict"
    original = getattr(pipe, name)
    monkeypatch.setattr(type(pipe), name, lambda self, *a, **k: interrupted(*a, **k))
    trained = rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT, output=tmp_path, on_evaluation=rows.append)
    monkeypatch.undo()
    assert trained is nlp
    assert len(rows) == 3
    assert bytes_of(nlp) == bytes_of(spacy.load(tmp_path / "model-best"))
    assert nlp.meta["performance"]["tag_acc"] == 0.5


def test_ctrl_c_before_anything_is_evaluated(ctrl_c, monkeypatch):
    nlp = tagger()
    monkeypatch.setattr(type(nlp.get_pipe("tagger")), "update", lambda *a, **k: ctrl_c())
    with pytest.raises(KeyboardInterrupt):
        rnnpipe.train(nlp, PAIRS, PAIRS, **SHORT)


def test_an_interrupted_save_leaves_the_model_that_was_there(tmp_path, monkeypatch):
    nlp = rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT, output=tmp_path)
    before = bytes_of(nlp)

    def broken(self, path, **_):
        path.mkdir()
        (path / "half").write_text("of a model")
        raise OSError("disk full")

    monkeypatch.setattr(Language, "to_disk", broken)
    with pytest.raises(OSError, match="disk full"):
        rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT, output=tmp_path, seed=1)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model-best", "model-last"]
    assert bytes_of(spacy.load(tmp_path / "model-best")) == before


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["train", "dev"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], ": expected at least one document, got no documents. Check the data and the path."),
        (
            lambda nlp: [],
            (": expected at least one document, got no documents. Check the data and the path."),
        ),
        (
            3,
            (
                ": expected a .spacy file, a DocBin, a reader, or a list of Example, Doc or (text, "
                "annotations), got 3."
            ),
        ),
        (["Ada"], "[0]: expected an Example, a Doc or (text, annotations), got 'Ada'."),
        (
            PAIRS[:1] + [("Ada", ["N"])],
            ("[1]: expected an Example, a Doc or (text, annotations), got ('Ada', ['N'])."),
        ),
        (
            "train.conll",
            (
                ": expected a .spacy file or a folder of them, got 'train.conll'. Convert "
                "it with 'spacy convert', or pass a reader, such as rnnpipe.ConllCorpus.v1."
            ),
        ),
        ("gone.spacy", ": expected a file, got no file gone.spacy. Correct the path."),
        (
            [spacy.blank("en")("Ada met")],
            (
                "[0]: expected an annotated document, got no annotation "
                "of 'Ada met'. Set doc.ents, doc.cats or token.tag_, for instance, or remove the "
                "document."
            ),
        ),
        (
            [("Ada met", {"cats": {}})],
            (
                "[0]: expected an annotated document, got no annotation of "
                "'Ada met'. Set doc.ents, doc.cats or token.tag_, for instance, or remove the "
                "document."
            ),
        ),
        (
            [Doc(spacy.blank("en").vocab)],
            ("[0]: expected a document with words, got no words. Remove the document."),
        ),
    ],
    ids=["empty", "reader", "number", "text", "pair", "columns", "gone", "Doc", "dict", "nothing"],
)
def test_wrong_data(where, data, said):
    assert complaint(tagger(), **{where: data}) == f"rnnpipe.train.{where}{said}"


@pytest.mark.parametrize(
    ("gold", "cause"),
    [({"tags": ["N"]}, "[E971]"), ({"tag": ["N"]}, "[E983]"), ({"entities": [(0, 1)]}, "")],
)
def test_annotations_that_do_not_fit_the_text(gold, cause):
    said = complaint(tagger(), train=[PAIRS[0], ("Ada met", gold)])
    want = "annotations that fit the text, in the format of Example.from_dict"
    assert said.startswith(f"rnnpipe.train.train[1]: expected {want}, got {gold!r}. {cause}")


def test_no_labels():
    nlp = spacy.blank("en")
    nlp.add_pipe("rnn_ner", name="ner", config=NER)
    with pytest.raises(LabelError, match="components.ner: expected training examples with "):
        rnnpipe.train(nlp, [("Ada met", {"tags": ["N", "V"]})], PAIRS, **SHORT)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, "epochs: expected an integer greater than 0, got 0."),
        ({"max_steps": 0}, "max_steps: expected an integer greater than 0 or null, got 0."),
        ({"eval_every": -1}, "eval_every: expected an integer greater than 0 or null, got -1."),
        ({"patience": -1}, "patience: expected an integer of at least 0, got -1."),
        ({"batch_size": 1.5}, "batch_size: expected an integer greater than 0, got 1.5."),
        ({"learning_rate": 0}, "learning_rate: expected a number greater than 0, got 0."),
        ({"dropout": 1.0}, "dropout: expected a number of at least 0 and less than 1, got 1.0."),
        ({"seed": "x"}, "seed: expected an integer of at least 0, got 'x'."),
        ({"on_evaluation": 1}, "on_evaluation: expected a function of an Evaluation, got 1."),
        ({"frozen": "ner"}, "frozen: expected a list, got 'ner'."),
        (
            {"frozen": ["tager"]},
            ("frozen: expected names of components, got 'tager'. Did you mean 'tagger'?"),
        ),
        (
            {"annotating": ["x"]},
            ("annotating: expected names of components, got 'x'. Known: 'tagger'."),
        ),
        (
            {"frozen": ["tagger"]},
            (
                "frozen: expected trained components, got no weights in "
                "'tagger'. Train it first, or remove it from frozen."
            ),
        ),
        ({"lr": 1}, "lr: expected a setting of rnnpipe.train, got 'lr'."),
        (
            {"score_weights": {"tag_acc": 0.0}},
            (
                "score_weights: expected a score with a weight, got "
                "no scores. Set score_weights={'ents_f': 1.0}, for instance."
            ),
        ),
        (
            {"score_weights": {"tag_acc": 0.5, "tag_ac": 0.5}},
            (
                "score_weights: expected scores for "
                "tag_ac, got no such score in speed, tag_acc, token_acc, token_f, token_p, "
                "token_r. Check score_weights, and that dev has the annotation that is scored."
            ),
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else ",".join(value),
)
def test_wrong_settings(settings, said):
    assert complaint(tagger(), **settings).startswith(f"rnnpipe.train.{said}")


def test_dev_without_what_is_scored():
    said = complaint(tagger(), dev=[("Ada met", {"entities": []})])
    assert said == (
        "rnnpipe.train.score_weights: expected scores for tag_acc, got no such score in speed, "
        "token_acc, token_f, token_p, token_r. Check score_weights, and that dev has the "
        "annotation that is scored."
    )


def test_output_that_is_no_folder(tmp_path):
    file = tmp_path / "model"
    file.write_text("a file")
    want = "rnnpipe.train.output: expected a writable folder"
    do = "Choose another folder."
    assert complaint(tagger(), output=file) == f"{want}, got '{file}: File exists'. {do}"


def test_no_pipeline():
    assert complaint("en") == "rnnpipe.train.nlp: expected a spaCy pipeline, got 'en'."


def test_nothing_to_train():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    assert complaint(nlp) == (
        "rnnpipe.train.nlp: expected a pipeline with a component to train, got no such component "
        "in "
        "['sentencizer']. Add one, such as nlp.add_pipe('rnn_ner')."
    )
    nlp = rnnpipe.train(tagger(), PAIRS, PAIRS, **SHORT)
    assert complaint(nlp, frozen=["tagger"]).startswith("rnnpipe.train.nlp: expected a pipeline ")


# -- the door ----------------------------------------------------------------------------------


def test_the_door_is_found_and_no_other():
    assert "train" in dir(rnnpipe)
    assert "on_evaluation" in rnnpipe.train.__doc__
    with pytest.raises(AttributeError, match="module 'rnnpipe' has no attribute 'tran'"):
        _ = rnnpipe.tran
