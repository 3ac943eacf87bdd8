"""A type checker knows the settings of each part, and what the part builds."""

import re
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api", reason="mypy is not installed: pip install 'rnnpipe[lint]'")

#: A part, settings that it has, one that is misspelt, and what it builds.
CASES = {
    "LSTM": ("width=3, forget_bias=0.5", "widht=3", "(3)", "Recurrent"),
    "BiLSTM": ("width=3, depth=2, dropout=0.1", "dropuot=0.1", "(3)", "Bidirectional"),
    "Words": ("width=3, lowercase=True", "lowercased=True", ".build({})", "WordEmbedding"),
    "CRF": ("transitions='states', rank=2", "ranks=2", "(3, Labels(('a',)))", "CRFDecoder"),
    "Mentions": ("pooler=Mean(), count=3", "cuont=3", "(3)", "MentionPooler"),
    "TopK": ("k=3", "K=3", "(alphabet)", "Filter"),
}
IMPORTS = """
from rnnpipe.contracts.types import (
    Alphabet,
    DecoderBuilder,
    EmbeddingBuilder,
    EncoderBuilder,
    FilterBuilder,
    Labels,
    PoolerBuilder,
)
from rnnpipe.parts.decoders.crf import CRF
from rnnpipe.parts.embeddings.words import Words
from rnnpipe.parts.encoders.sequence.bidirectional import BiLSTM
from rnnpipe.parts.encoders.sequence.recurrent import LSTM
from rnnpipe.parts.filters.truncation import TopK
from rnnpipe.parts.poolers.mean import Mean
from rnnpipe.parts.poolers.mentions import Mentions

def built(alphabet: Alphabet) -> None:
"""
#: Each part is what the contract of its kind says.
KINDS = """
encoders: list[EncoderBuilder] = [LSTM(3), BiLSTM(3)]
embeddings: list[EmbeddingBuilder] = [Words()]
decoders: list[DecoderBuilder] = [CRF()]
poolers: list[PoolerBuilder] = [Mentions(Mean())]
filters: list[FilterBuilder] = [TopK(3)]
"""


@pytest.fixture(scope="module")
def messages(tmp_path_factory) -> list[str]:
    """What mypy says of all cases, in one run."""
    right = [
        f"    reveal_type({name}({good}){build})" for name, (good, _, build, _) in CASES.items()
    ]
    wrong = [f"{name}({good}, {bad})" for name, (good, bad, _, _) in CASES.items()]
    path = tmp_path_factory.mktemp("typing") / "settings_in_python.py"
    path.write_text("\n".join([IMPORTS, *right, *wrong, KINDS]))
    root = str(Path(__file__).parent.parent)
    cache = f"--cache-dir={root}/.mypy_cache"
    out, errors, _ = api.run([str(path), f"--config-file={root}/pyproject.toml", cache])
    assert not errors
    return [re.sub(r"^.*?: (?=error|note)", "", line) for line in out.splitlines()]


def test_what_each_part_builds_is_known(messages):
    revealed = [
        re.search(r'"(?:[\w.]+\.)?(\w+)"', line)[1] for line in messages if "Revealed" in line
    ]
    assert revealed == [kind for _, _, _, kind in CASES.values()]


def test_misspelt_settings_and_nothing_else_are_refused(messages):
    refused = [line for line in messages if line.startswith("error")]
    assert len(refused) == len(CASES)
    for line, (name, (_, bad, _, _)) in zip(refused, CASES.items(), strict=True):
        misspelt = bad.partition("=")[0]
        assert line.startswith(f'error: Unexpected keyword argument "{misspelt}" for "{name}"')
