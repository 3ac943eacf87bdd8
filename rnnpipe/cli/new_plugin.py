"""``spacy rnn new-plugin``: a package that adds a part of networks, to begin with.

``templates/`` holds it in the names of ``rnnpipe-acme``: ``shared`` is what every package has, the
other folders what is particular to a kind of parts. Its config is a shipped one, with the part in.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import rnnpipe
from rnnpipe.cli.config_text import ConfigText, commented, shipped_config
from rnnpipe.cli.files import replaced
from rnnpipe.cli.output import say
from rnnpipe.contracts.distributions import OURS
from rnnpipe.errors import SettingsError, expected, nearest

_TEMPLATES = Path(__file__).with_name("templates")
_CONFIG = "example.cfg"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Example:
    """part: what is registered as ``acme.PART.v1``. module: the file that it is in.

    config: the shipped one that is trained with it. data: what it is trained on.
    blocks: what is put there, in the names of the template.
    """

    part: str
    module: str
    config: str
    data: str
    blocks: Mapping[str, Mapping[str, str]]


_REQUESTS = (
    "Its data, in spaCy's format, has entities and categories; `spacy rnn quickstart sample` makes "
    "some up and leaves it in sample/."
)
_SPELLINGS = (
    "Its data are files of two columns with a tab between them: a word's spelling, and its "
    "phonemes with spaces between them."
)
EXAMPLES = {
    "encoder": Example(
        "LeakyRNN",
        "leaky_rnn",
        "quickstart",
        _REQUESTS,
        {
            "components.ner.model.encoder": {
                "@rnnpipe_encoders": '"acme.LeakyRNN.v1"',
                "width": "96",
            }
        },
    ),
    "pooler": Example(
        "ScaledSum",
        "scaled_sum",
        "quickstart",
        _REQUESTS,
        {"components.textcat.model.pooler": {"@rnnpipe_poolers": '"acme.ScaledSum.v1"'}},
    ),
    "decoder": Example(
        "Focal",
        "focal",
        "quickstart",
        _REQUESTS,
        {"components.textcat.model.decoder": {"@rnnpipe_decoders": '"acme.Focal.v1"'}},
    ),
    "embedding": Example(
        "WordLength",
        "word_length",
        "quickstart",
        _REQUESTS,
        {
            "components.ner.model.embedding": {"@rnnpipe_embeddings": '"rnnpipe.Concat.v1"'},
            "components.ner.model.embedding.parts": {},
            "components.ner.model.embedding.parts.words": {
                "@rnnpipe_embeddings": '"rnnpipe.WordChar.v1"',
                "width": "64",
                "char_width": "48",
            },
            "components.ner.model.embedding.parts.length": {
                "@rnnpipe_embeddings": '"acme.WordLength.v1"'
            },
        },
    ),
    "filter": Example(
        "Epsilon",
        "epsilon",
        "g2p",
        _SPELLINGS,
        {
            "components.g2p.search": {
                "@rnnpipe_decoders": '"rnnpipe.Sampler.v1"',
                "seed": "0",
                "max_length": "60",
            },
            "components.g2p.search.filters": {},
            "components.g2p.search.filters.epsilon": {"@rnnpipe_filters": '"acme.Epsilon.v1"'},
        },
    ),
}


def new_plugin(name: str, kind: str, output: Path | None) -> None:
    """Write a package, whole or not at all, and say what to do with it.

    name: of the distribution, ``"rnnpipe-acme"``; what it registers begins with ``acme.``.
    kind: one of ``EXAMPLES``.
    output: the folder that it becomes, by default one of its name.

    Raises SettingsError for what is wrong with name, kind or output.
    """
    if kind not in EXAMPLES:
        do = nearest(kind, EXAMPLES)
        raise SettingsError(expected("--kind", "one of " + ", ".join(EXAMPLES), kind, do))
    _require_name(name)
    folder = output or Path(name)
    if folder.exists():
        do = "Name another with --output."
        raise SettingsError(expected(f"output {folder}", "a new folder", "one that is there", do))
    with replaced(folder) as unfinished:
        _write(unfinished, name, kind)
    say(f"Wrote {folder}, with {_prefix(name)}.{EXAMPLES[kind].part}.v1. Install it and test it:")
    say(f"  pip install -e '{folder}[test]' && pytest {folder}")
    say("Its README says what to change.")


def _require_name(name: str) -> None:
    where, module = "NAME", _module(name)
    if not _NAME.fullmatch(name):
        want = "a name of small letters, digits and hyphens, such as rnnpipe-acme"
        raise SettingsError(expected(where, want, name))
    if OURS in (name, _prefix(name)):
        want = f"a name of its own; '{OURS}.' begins the names of {OURS} itself"
        raise SettingsError(expected(where, want, name, "Call it rnnpipe-acme, for instance."))
    if keyword.iskeyword(module) or find_spec(module) is not None:
        do = "Choose a name that nothing else has."
        want = "a name whose module is not there yet"
        raise SettingsError(expected(where, want, module, do))


def _prefix(name: str) -> str:
    return name.removeprefix(f"{OURS}-")


def _module(name: str) -> str:
    return name.replace("-", "_")


def _write(folder: Path, name: str, kind: str) -> None:
    example = EXAMPLES[kind]
    major, minor = map(int, rnnpipe.__version__.split(".")[:2])
    renamed = {
        "rnnpipe-acme": name,
        "rnnpipe_acme": _module(name),
        "acme.": f"{_prefix(name)}.",
        "HOST": f"{OURS}>={major}.{minor},<{major}.{minor + 1}",
        "GROUP": f"{OURS}_{kind}s",
        "KIND": kind,
        "PART": example.part,
        "MODULE": example.module,
    }
    files = {f"configs/{_CONFIG}": _config(example)}
    for part in ("shared", kind):
        for path in (_TEMPLATES / part).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                place = path.relative_to(_TEMPLATES / part).as_posix()
                files[place] = path.read_text(encoding="utf8")
    for place, text in files.items():
        target = folder / _rename(place, renamed)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_rename(text, renamed), encoding="utf8")


def _rename(text: str, names: Mapping[str, str]) -> str:
    """All names at once, so that none is found in another's place."""
    known = "|".join(map(re.escape, names))
    return re.sub(rf"(?<![A-Za-z])({known})", lambda match: names[match[1]], text)


def _config(example: Example) -> str:
    config = ConfigText.read(shipped_config(example.config))
    head = [line for line in config.head if line.startswith("#   ")]
    config.head = [
        *commented(f"{example.config}.cfg of {OURS}, with acme.{example.part}.v1. {example.data}"),
        "# To train it:",
        *(line.replace(f"configs/{example.config}.cfg", f"configs/{_CONFIG}") for line in head),
    ]
    after = ""
    for name, settings in example.blocks.items():
        config.put(name, settings, after=after)
        after = name
    return str(config)
