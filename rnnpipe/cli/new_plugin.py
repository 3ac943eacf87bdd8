"""``spacy rnn new-plugin``: a package that adds a part of networks, to begin with.

``templates/`` holds it in the names of ``rnnpipe-acme``: ``shared`` is what every package has, the
other folders what is particular to a kind of parts. Its config is a shipped one, with the part in.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import rnnpipe
from rnnpipe.cli.config_text import ConfigText, commented, shipped_config
from rnnpipe.cli.plugin_examples import EXAMPLES, Example
from rnnpipe.errors import SettingsError, expected, nearest

_OURS = rnnpipe.__name__
_TEMPLATES = Path(__file__).with_name("templates")
_CONFIG = "example.cfg"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new_plugin(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the package, such as rnnpipe-acme")
    ],
    kind: Annotated[str, typer.Option(help="Kind of the part: " + ", ".join(EXAMPLES))],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Output folder; by default NAME")
    ] = None,
) -> None:
    """Create a plugin package with a part of your own, which a config can then name.

    The package installs, trains and passes its tests as it is, with an example to replace.

    Try: spacy rnn new-plugin rnnpipe-acme --kind encoder
    """
    from rnnpipe.cli.files import replaced
    from rnnpipe.cli.output import say

    if kind not in EXAMPLES:
        do = nearest(kind, EXAMPLES)
        raise SettingsError(expected("--kind", "one of " + ", ".join(EXAMPLES), kind, do))
    _require_name(name)
    folder = output or Path(name)
    if folder.exists():
        do = "Choose another with --output."
        raise SettingsError(expected(f"output {folder}", "a new folder", "an existing folder", do))
    with replaced(folder) as unfinished:
        _write(unfinished, name, kind)
    say(f"Wrote {folder}, with {_prefix(name)}.{EXAMPLES[kind].part}.v1. Install it and test it:")
    say(f"  pip install -e '{folder}[test]' && pytest {folder}")
    say("Its README explains what to change.")


def _require_name(name: str) -> None:
    where, module = "NAME", _module(name)
    if not _NAME.fullmatch(name):
        want = "a name of lowercase letters, digits and hyphens, such as rnnpipe-acme"
        raise SettingsError(expected(where, want, name))
    if _OURS in (name, _prefix(name)):
        want = f"another name, since the prefix '{_OURS}.' is reserved for {_OURS} itself"
        raise SettingsError(expected(where, want, name, "Choose a name such as rnnpipe-acme."))
    if keyword.iskeyword(module) or find_spec(module) is not None:
        do = "Choose a unique name."
        want = "a name whose module does not exist yet"
        raise SettingsError(expected(where, want, module, do))


def _prefix(name: str) -> str:
    return name.removeprefix(f"{_OURS}-")


def _module(name: str) -> str:
    return name.replace("-", "_")


def _write(folder: Path, name: str, kind: str) -> None:
    example = EXAMPLES[kind]
    major, minor = map(int, rnnpipe.__version__.split(".")[:2])
    renamed = {
        "rnnpipe-acme": name,
        "rnnpipe_acme": _module(name),
        "acme.": f"{_prefix(name)}.",
        "HOST": f"{_OURS}>={major}.{minor},<{major}.{minor + 1}",
        "GROUP": f"{_OURS}_{kind}s",
        "KIND": kind.replace("_", " "),
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
        *commented(f"{example.config}.cfg of {_OURS}, with acme.{example.part}.v1. {example.data}"),
        "# To train it:",
        *(line.replace(f"configs/{example.config}.cfg", f"configs/{_CONFIG}") for line in head),
    ]
    for block, settings in example.blocks.items():
        config.put(block, settings, after=block.rpartition(".")[0])
    return str(config)
