"""`pytest -p rnnpipe.testing.plugin --rnnpipe` makes tests of what is registered."""

import sys
from subprocess import run

import pytest

PLUGIN = """
import torch
from rnnpipe.contracts.registry import filters, poolers
from rnnpipe.contracts.types import FilterBuilder, PoolerBuilder, PositiveInt

@poolers("acme.First.v1")
def First() -> PoolerBuilder:
    return FirstPooler

class FirstPooler(torch.nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.n_out = n_in

    def forward(self, encoded):
        return encoded.states[:, 0]

@poolers("acme.Odd.v1")
def Odd() -> PoolerBuilder:
    return 3

@filters("acme.None.v1")
def NoFilter(text: str) -> FilterBuilder:
    assert text == "a"
    return Whole

class Whole:
    def __init__(self, alphabet):
        pass

    def __call__(self, log_probabilities, history):
        return log_probabilities
"""
CONFTEST = """
def pytest_rnnpipe_settings(kind, name):
    if name == "acme.None.v1":
        return {"text": "a"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "acme_parts.py").write_text(PLUGIN)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    info = tmp_path / "acme_parts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-parts\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rnnpipe_poolers]\nacme.First.v1 = acme_parts:First\nacme.Odd.v1 = acme_parts:Odd\n"
        "[rnnpipe_filters]\nacme.None.v1 = acme_parts:NoFilter\n"
    )
    return tmp_path


def checked(folder, *options):
    command = [sys.executable, "-m", "pytest", "-p", "rnnpipe.testing.plugin", "-q", *options]
    return run(command, check=False, capture_output=True, text=True, cwd=folder)


def test_the_parts_of_a_distribution_are_checked(folder):
    chosen = "filter-acme or shapes or names or built"
    result = checked(folder, "--rnnpipe", "acme_parts", "-k", chosen)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "2 failed, 5 passed, 8 deselected" in result.stdout
    told = "acme.First.v1 breaks a promise of every pooler: Vectors are of the width that it decla"
    assert told in result.stdout
    assert "Smallest case found: lengths = []" in result.stdout
    assert "TypeError: expected a builder of the kind 'pooler', got int." in result.stdout
    assert "IndexError: index 0 is out of bounds for dimension 1 with size 0" in result.stdout


def test_a_distribution_without_parts(folder):
    result = checked(folder, "--rnnpipe", "acme")
    assert result.returncode == 4
    assert "ERROR: acme: expected a distribution that registers parts of networks (" in (
        result.stderr
    )


def test_nothing_happens_unasked(folder):
    result = checked(folder)
    assert result.returncode == 5
    assert "no tests ran" in result.stdout
