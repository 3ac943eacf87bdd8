"""Who has this package installed and does not use it pays next to nothing."""

import json
import sys
from subprocess import run

#: What spaCy may load of ours by itself.
MODULES = (
    "",
    ".components",
    ".components.factories",
    ".contracts",
    ".contracts.compat",
    ".contracts.distributions",
    ".contracts.moved",
    ".contracts.registry",
    ".contracts.settings",
    ".errors",
    ".training",
    ".training.loggers",
    ".training.loggers.console",
)
LIGHT = {f"rnnpipe{module}" for module in MODULES}


def loaded_after(code: str) -> set[str]:
    """The modules that a new Python has loaded after it ran the code."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    result = run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "rnnpipe"}


def test_importing_spacy_loads_nothing_of_ours():
    assert ours(loaded_after("import spacy")) == set()


def test_a_pipeline_without_our_components_loads_only_the_bootstrap():
    code = "import spacy; spacy.blank('en').add_pipe('sentencizer')"
    assert ours(loaded_after(code)) == LIGHT


def test_spacy_commands_load_the_bootstrap_and_our_commands():
    loaded = ours(loaded_after("from spacy.util import registry; registry.cli.get_all()"))
    assert "rnnpipe.components.factories" in loaded
    assert {name for name in loaded - LIGHT if not name.startswith("rnnpipe.cli")} == set()


def test_the_package_loads_neither_torch_nor_spacy():
    assert not loaded_after("import rnnpipe") & {"torch", "numpy", "spacy", "thinc"}


def test_registries_load_neither_torch_nor_spacy():
    assert not loaded_after("import rnnpipe.contracts.registry") & {
        "torch",
        "numpy",
        "spacy",
        "thinc",
    }


def test_a_component_loads_only_the_parts_that_its_config_names():
    config = {
        "model": {
            "embedding": {"@rnnpipe_embeddings": "rnnpipe.Hashed.v1"},
            "encoder": {"@rnnpipe_encoders": "rnnpipe.LSTM.v1", "width": 4},
        }
    }
    code = f"import spacy; spacy.blank('en').add_pipe('rnn_tagger', config={config!r})"
    loaded = ours(loaded_after(code))
    assert {"rnnpipe.components.labelling.rnn_tagger", "rnnpipe.parts.embeddings.hashed"} <= loaded
    assert not loaded & {
        "rnnpipe.components.labelling.rnn_ner",
        "rnnpipe.parts.embeddings.chars",
        "rnnpipe.parts.decoders.crf",
    }


def test_components_that_write_text_are_added_without_a_compiler():
    code = "import spacy; nlp = spacy.blank('en')"
    for factory in ("rnn_lm", "rnn_seq2seq"):
        code += f"; nlp.add_pipe({factory!r})"
    assert "torch._dynamo" not in loaded_after(code)
