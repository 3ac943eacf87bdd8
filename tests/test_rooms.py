"""Imports go one way, and the networks run without spaCy and thinc."""

import sys
from subprocess import run

from helpers.paths import ROOT
from importlinter.cli import lint_imports

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
