"""``spacy rnn list`` and ``spacy rnn info``"""

import pytest
from helpers.commands import fails, works

from rnnpipe.cli.parts import Part, first_sentence, parts_of, registries

WIDE = {"COLUMNS": "200"}
ENTRY = "[rnnpipe_poolers]\n{} = {}:Middle\n"
MIDDLE = '''
from rnnpipe.contracts.registry import poolers


@poolers("acme.Middle.v1")
def Middle(offset: int = 0):
    """The node in the middle. It has no paper."""
'''


@pytest.fixture
def plugin(install):
    install("acme-middle", "1.5", MIDDLE, ENTRY.format("acme.Middle.v1", "acme_middle"))
    install("acme-torn", "0.1", "import gone", ENTRY.format("acme.Torn.v1", "acme_torn"))


@pytest.mark.parametrize("registry", registries())
def test_every_part_is_described(registry):
    for part in parts_of(registry):
        assert part.error is None
        assert first_sentence(part.text) == part.summary != "."
        assert "``" not in part.text
        assert all(setting.kind for setting in part.settings)
        assert part.name in part.example


def test_names_by_registry():
    listed = works("list", env=WIDE)
    assert "factory\nrnn_" in listed
    assert "\n@rnnpipe_poolers\n" in listed
    assert "rnnpipe.Attention.v1" in listed
    assert "rnnpipe.ConllCorpus.v1" in listed


@pytest.mark.parametrize("given", ["poolers", "rnnpipe_poolers", "@rnnpipe_poolers"])
def test_one_registry(given):
    listed = " ".join(works("list", given, env=WIDE).split())
    assert "rnnpipe.Max.v1 rnnpipe 0.2.0 The maximum of each feature over the" in listed
    assert "LSTM" not in listed
    assert "rnnpipe.Attention.v1 " in works("list", given, env={"COLUMNS": "40"})


def test_plugins_are_listed_and_the_broken_ones_say_why(plugin):
    assert "acme.Middle.v1 (acme-middle)" in works("list", env=WIDE)
    listed = " ".join(works("list", "poolers", env=WIDE).split())
    assert "acme.Middle.v1 acme-middle 1.5 The node in the middle." in listed
    assert "broken: acme.Torn.v1: expected acme.Torn.v1 to be importable, got Module" in listed
    torn = works("info", "acme.Torn.v1", env=WIDE)
    assert "This part cannot be used. acme.Torn.v1: expected" in torn
    assert "offset an integer 0" in " ".join(works("info", "Middle", env=WIDE).split())


@pytest.mark.parametrize("name", ["LSTM", "rnnpipe.LSTM.v1"])
def test_all_there_is_to_know(name):
    shown = works("info", name, env=WIDE)
    assert shown.startswith("rnnpipe.LSTM.v1, from rnnpipe 0.2.0\n\nLong short-term memory (Hoch")
    assert "depth: how many layers.\n" in shown
    assert "width              an integer greater than 0                       (required" in shown
    assert "dropout            a number of at least 0 and less than 1 or null  null" in shown
    assert '\n@rnnpipe_encoders = "rnnpipe.LSTM.v1"\nwidth = …\n' in shown


def test_what_the_text_refers_to_is_told_too():
    assert "p = tanh(V x + c^T T c + W c + b)" in works("info", "RNTN")
    assert "a = softmax_t(v . tanh(W h(t) + b))" in works("info", "rnnpipe.Attention.v1")


def test_one_name_in_two_registries():
    shown = works("info", "rnnpipe.Concat.v1")
    assert '@rnnpipe_embeddings = "rnnpipe.Concat.v1"' in shown
    assert '@rnnpipe_poolers = "rnnpipe.Concat.v1"' in shown


def test_a_component_with_its_default_network():
    shown = works("info", "rnn_ner")
    assert "A named entity recognizer" in shown
    assert 'factory = "rnn_ner"\nscheme = "BIOES"' in shown
    assert '[components.NAME.model.encoder]\n@rnnpipe_encoders = "rnnpipe.BiLSTM.v1"' in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "LTSM"], "NAME: expected a registered name, got 'LTSM'. Did you mean 'LSTM' or"),
        (["info", "rnn_nre"], "got 'rnn_nre'. Did you mean 'rnn_ner'"),
        (["info", "?9"], "got '?9'. 'spacy rnn list' shows all names."),
        (["list", "encoder"], "REGISTRY: expected one of factories, embeddings, encoders, pool"),
        (["list", "encoder"], "got 'encoder'. Did you mean 'encoders' or"),
    ],
)
def test_unknown_names(arguments, message):
    assert message in fails(*arguments)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One (Cho et al. 2014). Two.", "One (Cho et al. 2014)."),
        ("score = v . tanh(x), and\nmore. Then", "score = v . tanh(x), and more."),
        ("The net: see Cell.\n\nwidth: of it.", "The net."),
        ("A softmax::\n\n    p(x)", "A softmax."),
    ],
)
def test_the_first_sentence(text, sentence):
    assert first_sentence(text) == sentence


def test_a_part_of_a_broken_plugin_has_an_error(plugin):
    part = Part("rnnpipe_poolers", "acme.Torn.v1", "acme-torn", "0.1")
    assert "No module named 'gone'" in part.error == part.summary
