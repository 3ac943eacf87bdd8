from pathlib import Path

import spacy
from rnnpipe_extras.filters import Eta, TopNSigma
from spacy.tokens import DocBin
from spacy.training import Example

from rnnpipe.api import decoders
from rnnpipe.testing import check_config

REVIEWS = {"1": "Dreadful .", "2": "rather dull", "3": "all right", "4": "Good !", "5": "SUPERB"}


def test_the_config_trains(tmp_path):
    nlp, docs = spacy.blank("en"), []
    for rating, text in REVIEWS.items():
        docs.append(nlp.make_doc(text))
        docs[-1].cats = {other: float(other == rating) for other in REVIEWS}
    path = tmp_path / "reviews.spacy"
    DocBin(docs=docs * 8, store_user_data=True).to_disk(path)
    config = Path(__file__).parents[1] / "configs" / "ratings.cfg"
    check_config(config, tmp_path, {"train": path, "dev": path}, texts=[*REVIEWS.values(), ""])


def test_a_language_model_with_a_mixture_writes_through_the_filters():
    nlp = spacy.blank("en")
    model = {"output": {"@rnnpipe_outputs": "extras.MixtureOfSoftmaxes.v1", "mixtures": 2}}
    nlp.add_pipe("rnn_lm", name="lm", config={"model": {**model, "width": 16}})
    doc = nlp.make_doc("abcdefgh")
    optimizer = nlp.initialize(lambda: [Example(doc, doc)])
    optimizer.learn_rate = 0.03
    for _ in range(60):
        nlp.update([Example(doc, doc)], sgd=optimizer)

    search = decoders.get("rnnpipe.Sampler.v1")(
        filters={"eta": Eta(epsilon=0.1), "sigma": TopNSigma(n=0.5)}, seed=1
    )
    assert nlp.get_pipe("lm").generate("a", search) == "bcdefgh"
