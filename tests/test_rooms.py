"""Imports go one way, and the networks run without spaCy and thinc."""

import sys
from importlib.metadata import entry_points
from subprocess import run

from helpers.paths import ROOT
from importlinter.cli import lint_imports

from rnnpipe.contracts.registry import REGISTRIES

CONFIG = ROOT / "pyproject.toml"

WITHOUT_SPACY = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("spacy", "thinc"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Refuse())
for package in ("structures", "contracts", "layers", "parts", "models"):
    path = importlib.import_module(f"rnnpipe.{package}").__path__
    modules = list(pkgutil.walk_packages(path, f"rnnpipe.{package}."))
    assert modules, package
    for module in modules:
        importlib.import_module(module.name)
"""


def test_imports_keep_to_the_layers(capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which the linter adds the working directory
    status = lint_imports(config_filename=str(CONFIG), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_networks_import_neither_spacy_nor_thinc():
    result = run([sys.executable, "-c", WITHOUT_SPACY], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_part_is_where_its_registry_says():
    """``@rnnpipe_X`` finds what lies in ``rnnpipe/parts/X/``."""
    elsewhere = {
        (registry.group, entry.name, entry.module)
        for registry in REGISTRIES
        for entry in entry_points(group=registry.group)
        if entry.name.startswith("rnnpipe.")
        and not entry.module.startswith(f"rnnpipe.parts.{registry.group.removeprefix('rnnpipe_')}.")
    }
    # It loads a trained pipeline, which parts, knowing no spaCy, cannot.
    language_model = "rnnpipe.components.language.language_model_embedding"
    assert elsewhere == {
        ("rnnpipe_embeddings", "rnnpipe.LanguageModelEmbedding.v1", language_model)
    }
    folders = {path.name for path in (ROOT / "rnnpipe" / "parts").iterdir() if path.is_dir()}
    groups = {registry.group.removeprefix("rnnpipe_") for registry in REGISTRIES}
    assert folders - {"__pycache__"} == groups


def test_the_top_level_is_small():
    names = {path.name for path in (ROOT / "rnnpipe").iterdir() if not path.name.startswith("__")}
    assert len(names - {"py.typed"}) <= 13
