"""Everything that the README and docs/ tell their reader to type works, on small data."""

import importlib.metadata
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import catalogue
import pytest
import spacy
import torch
from helpers.reading import PAGES, ROOT, blocks, commands, whole
from helpers.workshop import furnish
from spacy.cli._util import app as spacy_app
from spacy.cli.train import train
from spacy.util import load_config_from_str, registry
from typer.testing import CliRunner

import rnnpipe.cli.spacy_command  # noqa: F401  - spacy rnn
from rnnpipe.cli import app as rnnpipe_app
from rnnpipe.training.corpora import sample

FEW_STEPS = {"training.max_steps": 4, "training.eval_frequency": 2}
#: Enough for a model that writes anything at all.
MORE_STEPS = {"training.max_steps": 30, "training.eval_frequency": 30}
#: What sets a machine up, which the tests find done, and scripts of the repository.
ELSEWHERE = ("pip install", "python -m venv", "pytest", "python benchmarks/", "git clone", "cd ")
#: The option of a code block that names a file.
CAPTION = re.compile(r":caption: (\S+)\n\n")
#: Programs that a page calls, and what they are here.
PROGRAMS = {"python -m spacy": spacy_app, "spacy": spacy_app, "python -m rnnpipe": rnnpipe_app}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the files that pages name, and the configs. Parts that a page registers
    are those of ``acme``, and gone after it."""
    torch.set_num_threads(1)
    furnish(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sample, "SIZES", {"train": 60, "dev": 20, "test": 20})
    monkeypatch.setattr("spacy.cli.train.train", few_steps)
    yield tmp_path
    for key in [key for key in catalogue.REGISTRY if key[-1].startswith("acme.")]:
        del catalogue.REGISTRY[key]
    for name in [name for name in sys.modules if name.startswith("rnnpipe_acme")]:
        del sys.modules[name]


def few_steps(config, output, *, overrides, **settings):
    train(config, output, overrides={**FEW_STEPS, **overrides}, **settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_says_works(page, folder, monkeypatch):
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in blocks(page):
        try:
            follow(block, vars(module), monkeypatch)
        except BaseException as error:
            raise AssertionError(f"{page.name}, line {block.line}: {error!r}") from error


def follow(block, namespace, monkeypatch):
    if block.language == "python":
        exec(compile(block.code, "<page>", "exec"), namespace)  # noqa: S102 - our own pages
    elif block.language == "bash":
        for command in commands(block.code):
            run(command, monkeypatch)
    elif block.language == "ini":
        assemble(block.code)
    elif caption := CAPTION.match(block.code):  # a file that the page shows
        Path(caption[1]).write_text(block.code[caption.end() :], encoding="utf8")
    else:  # what is printed, and what the page is built with
        assert block.language in ("", "json") or block.language.startswith("{")


def run(command, monkeypatch):
    words = " ".join([command[0].removeprefix(".venv/bin/"), *command[1:]])
    words = words.replace("python3.11", "python")
    package = Path(command[-1].partition("[")[0])
    if package.name.endswith(".tar.gz"):  # dist/name.tar.gz of the folder that it was made of
        package = package.parents[1]
    if (
        words.startswith("pip install ")
        and package != Path(".")
        and (package / "setup.py").exists()
    ):
        install(package.resolve(), monkeypatch)
    if words.startswith("mkdir "):
        Path(command[-1]).mkdir()
    if words.startswith((*ELSEWHERE, "mkdir ")):
        return
    program = next(name for name in PROGRAMS if words.startswith(f"{name} "))
    arguments = command[len(program.split()) :]
    if arguments[0] == "train":
        steps = MORE_STEPS if "g2p" in arguments else FEW_STEPS
        arguments += [str(x) for key, value in steps.items() for x in (f"--{key}", value)]
    if arguments[0] == "package":
        arguments += ["--build", "none"]  # to build needs a network
    with warnings.catch_warnings():
        if arguments[0] == "package":  # spaCy leaves the files that it writes open
            warnings.simplefilter("ignore", ResourceWarning)
        result = CliRunner().invoke(PROGRAMS[program], arguments)
    assert result.exit_code == 0, (words, result.output, result.exception)


def install(package, monkeypatch):
    """As pip does it, without a network: the folder on the path, its metadata beside its code."""
    command = [sys.executable, "setup.py", "-q", "egg_info"]
    subprocess.run(command, cwd=package, check=True, capture_output=True)
    monkeypatch.syspath_prepend(package)
    entries = importlib.metadata.entry_points()
    monkeypatch.setattr(catalogue, "AVAILABLE_ENTRY_POINTS", entries)


def assemble(code):
    """A fragment of a config makes the components, or the parts of them, that it has blocks of, and
    reads its corpora."""
    nlp = spacy.blank("en")
    config = load_config_from_str(whole(code), interpolate=False)
    for name, block in config.get("components", {}).items():
        if "factory" in block:
            nlp.add_pipe(block.pop("factory"), name=name, config=block)
        else:
            registry.resolve(block)
    for reader in registry.resolve(config.get("corpora", {})).values():
        assert list(reader(nlp)), "a corpus that the page shows has no examples"
