import subprocess
import sys

from typer.testing import CliRunner

from rnnpipe.cli import app
from rnnpipe.contracts.registry import Plugin

WORKING = Plugin("rnnpipe_encoders", "acme.QRNN.v1", "acme.qrnn:QRNN", "acme-rnn", "1.2", None)
BROKEN = Plugin(
    "rnnpipe_poolers", "bad.Min.v1", "bad:Min", "bad", "0.1", "bad.Min.v1: no module named 'gone'"
)


def run(monkeypatch, installed):
    monkeypatch.setattr("rnnpipe.contracts.registry.installed_plugins", lambda: installed)
    return CliRunner().invoke(app, ["plugins"])


def test_plugins_are_listed(monkeypatch):
    result = run(monkeypatch, [WORKING])
    assert result.exit_code == 0
    assert "acme.QRNN.v1   rnnpipe_encoders   acme-rnn 1.2   works" in result.stdout


def test_a_broken_plugin_is_reported_and_fails(monkeypatch):
    result = run(monkeypatch, [WORKING, BROKEN])
    assert result.exit_code == 1
    assert "bad.Min.v1     rnnpipe_poolers    bad 0.1        broken" in result.stdout
    assert "no module named 'gone'" in result.output


def test_no_plugins(monkeypatch):
    result = run(monkeypatch, [])
    assert result.exit_code == 0
    assert "No plugins are installed" in result.stdout


def test_commands_load_nothing_heavy():
    code = "import sys, rnnpipe.cli; print({'torch', 'spacy', 'numpy'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
