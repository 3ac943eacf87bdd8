"""What plugins and programs import is public: ``rnnpipe.api`` and ``rnnpipe.testing``."""

import ast
import importlib
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from rnnpipe import api
from rnnpipe.contracts.moved import MOVED, new_path

PUBLIC = {"rnnpipe.api", "rnnpipe.testing"}
TEMPLATES = ROOT / "rnnpipe" / "cli" / "templates"
FILES = [
    path
    for folder in (ROOT / "plugins", TEMPLATES)
    for path in sorted(folder.rglob("*.py"))
    if not {"build", ".venv"} & set(path.relative_to(folder).parts)
]


def imported(path):
    """The modules of ours that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        yield from (name for name in names if name.partition(".")[0] == "rnnpipe")


def test_plugins_and_templates_import_what_is_public():
    assert len(FILES) > 30
    found = {str(path): set(imported(path)) - PUBLIC for path in FILES}
    assert {path: names for path, names in found.items() if names} == {}
    assert set().union(*map(imported, FILES)) == PUBLIC


def test_everything_public_is_there():
    assert len(api.__all__) == len(set(api.__all__))
    assert all(hasattr(api, name) for name in api.__all__)


@pytest.mark.parametrize("old", MOVED)
def test_old_paths_lead_to_the_same_module_and_warn(old, monkeypatch):
    for name in [name for name in sys.modules if new_path(name)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.warns(DeprecationWarning) as seen:
        module = importlib.import_module(f"rnnpipe.{old}")
    assert module is importlib.import_module(f"rnnpipe.{MOVED[old]}")
    said = f"rnnpipe.{old} has moved to rnnpipe.{MOVED[old]}; the old path goes with rnnpipe 0.3."
    assert any(str(warning.message).startswith(said) for warning in seen)


def test_an_old_path_of_a_name_and_of_a_submodule():
    code = (
        "from rnnpipe.encoders.cell import Cell\n"
        "from rnnpipe.embeddings.builder import Builder\n"
        "from rnnpipe import api\n"
        "assert Cell is api.Cell and Builder is api.Builder\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "rnnpipe.encoders.cell has moved to" in result.stderr


def test_what_has_not_moved_has_no_new_path():
    assert new_path("rnnpipe.errors") is None
    assert new_path("rnnpipe") is None and new_path("spacy.cli") is None
    with pytest.raises(ModuleNotFoundError, match="rnnpipe.nothing"):
        importlib.import_module("rnnpipe.nothing")
