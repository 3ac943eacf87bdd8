"""What ``spacy rnn new-plugin`` writes is a package that works as it is, or nothing."""

import os
import re
import subprocess
import sys

import pytest
from helpers.commands import fails, run

from rnnpipe.cli import new_plugin
from rnnpipe.cli.plugin_examples import EXAMPLES
from rnnpipe.contracts.registry import REGISTRIES
from rnnpipe.errors import SettingsError


def python(folder, *arguments):
    """What Python says in a folder, with the packages in it on its path."""
    packages = os.pathsep.join(str(setup.parent) for setup in folder.rglob("setup.py"))
    result = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": packages, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def written(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_a_package_of_each_kind_passes_its_own_tests(tmp_path):
    for kind, example in EXAMPLES.items():
        folder, toy = tmp_path / kind, f"toy-{kind.replace('_', '-')}"
        name = f"{toy}.{example.part}.v1"
        result = run("new-plugin", f"rnnpipe-{toy}", "--kind", kind, "--output", folder)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == (
            f"Wrote {folder}, with {name}. Install it and test it:\n"
            f"  pip install -e '{folder}[test]' && pytest {folder}\n"
            "Its README explains what to change.\n"
        )
        python(folder, "setup.py", "-q", "egg_info")
    # All at once: to start Python takes longer than a package's tests.
    told = python(tmp_path, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-W", "error")
    assert re.search(r"^=+ \d+ passed in [^,]+ =+$", told, re.MULTILINE), told
    for kind in EXAMPLES:
        for tests in ("config", "equation", "promises"):
            assert f"{kind}/tests/test_rnnpipe_toy_{kind}_{tests}.py::" in told


@pytest.mark.parametrize("kind", EXAMPLES)
def test_nothing_of_the_template_is_left(kind, tmp_path):
    new_plugin.new_plugin("my-own", kind, tmp_path / "package")
    files = written(tmp_path / "package")
    example = EXAMPLES[kind]
    assert {
        "README.md",
        "setup.py",
        "configs/example.cfg",
        "my_own/__init__.py",
        "my_own/py.typed",
        f"my_own/{example.module}.py",
        "tests/test_my_own_config.py",
        "tests/test_my_own_equation.py",
        "tests/test_my_own_promises.py",
    } == set(files)
    for place, text in files.items():
        assert not re.search("acme|HOST|GROUP|KIND|PART|MODULE", place + text), place
    assert f'"my-own.{example.part}.v1"' in files["configs/example.cfg"]
    assert (
        f'"my-own.{example.part}.v1 = my_own.{example.module}:{example.part}",' in files["setup.py"]
    )
    assert 'install_requires=["rnnpipe>=0.2,<0.3"],' in files["setup.py"]


def test_every_registry_has_a_kind():
    assert {f"rnnpipe_{kind}s" for kind in EXAMPLES} == {r.group for r in REGISTRIES}


def test_by_default_the_folder_is_named_like_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("new-plugin", "acme", "--kind", "filter").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["acme"]


MISTAKES = {
    "rnnpipe-acme --kind encodr": (
        "--kind: expected one of encoder, pooler, decoder, embedding, filter, attention, "
        "output, symbol, structure, edge, pixel_output, adaptation, got 'encodr'. "
        "Did you mean 'encoder' or 'decoder'?"
    ),
    "Acme --kind pooler": (
        "NAME: expected a name of lowercase letters, digits and hyphens, such as rnnpipe-acme, got "
        "'Acme'."
    ),
    "../acme --kind pooler": (
        "NAME: expected a name of lowercase letters, digits and hyphens, such as rnnpipe-acme, got "
        "'../acme'."
    ),
    "rnnpipe-rnnpipe --kind pooler": (
        "NAME: expected another name, since the prefix 'rnnpipe.' is reserved for rnnpipe "
        "itself, got "
        "'rnnpipe-rnnpipe'. Choose a name such as rnnpipe-acme."
    ),
    "json --kind pooler": (
        "NAME: expected a name whose module does not exist yet, got 'json'. Choose a unique name."
    ),
    "class --kind pooler": (
        "NAME: expected a name whose module does not exist yet, got 'class'. Choose a unique name."
    ),
    "rnnpipe-acme --kind pooler --output there": (
        "output there: expected a new folder, got 'an existing folder'. Choose another with "
        "--output."
    ),
    "rnnpipe-acme --kind pooler --output there/file/acme": (
        "output there/file/acme: expected a writable path, got 'File exists'. Choose another path."
    ),
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistakes_are_told_and_write_nothing(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    assert fails("new-plugin", *arguments.split()) == f"Error: {MISTAKES[arguments]}"
    assert written(tmp_path) == {"there/file": "mine"}


def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    rename = new_plugin._rename

    def stop(text, names):
        if text.startswith('"""'):
            raise SettingsError("interrupted")
        return rename(text, names)

    monkeypatch.setattr(new_plugin, "_rename", stop)
    with pytest.raises(SettingsError, match="interrupted"):
        new_plugin.new_plugin("rnnpipe-acme", "pooler", tmp_path / "package")
    assert list(tmp_path.iterdir()) == []
