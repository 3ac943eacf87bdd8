"""``spacy rnn doctor``: each thing that can be wrong, and what it says to do."""

import importlib.metadata
import shutil

import pytest
import thinc.compat
import torch
from helpers.commands import run, works

from rnnpipe.cli import machine
from rnnpipe.contracts.registry import Plugin

WIDE = {"COLUMNS": "250"}
BROKEN = Plugin("rnnpipe_poolers", "bad.Min.v1", "bad:Min", "bad-one", "0.1", "bad.Min.v1: gone")


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    monkeypatch.setattr(machine, "installed_plugins", list)


@pytest.fixture
def versions(monkeypatch):
    """Other versions than those that are installed; None: not installed."""

    def set_versions(**others):
        true = importlib.metadata.version

        def version(name):
            if name in others and others[name] is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return others.get(name) or true(name)

        monkeypatch.setattr(machine, "version", version)

    return set_versions


def problem(*words):
    """The line that says so, and that there is a problem."""
    result = run("doctor", env=WIDE)
    assert result.exit_code == 1
    assert "1 problem found" in result.stdout
    return line(result.stdout, "problem", *words)


def line(printed, *words):
    (found,) = (x for x in printed.splitlines() if all(word in x for word in words))
    return " ".join(found.split())


def test_all_is_in_order():
    printed = works("doctor", env=WIDE)
    for what in ("Python", "rnnpipe", "torch", "spacy", "numba (fast)", "tokenizers (subwords)"):
        assert f" ok {what} " in " ".join(printed.split())
    assert "safe: rnnpipe sets worker processes to one thread" in printed
    assert line(printed, "plugins") == "ok plugins none"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            {"spacy": "3.5.0"},
            "problem spacy 3.5.0, not <3.9,>=3.8.13 pip install 'spacy<3.9,>=3.8.13'",
        ),
        ({"wasabi": None}, "problem wasabi not installed pip install 'wasabi>=1.1.1'"),
        ({"rnnpipe": "0.0.1"}, "installed as 0.0.1 Install it again: pip install -e ."),
        ({"numba": "0.1"}, "numba (fast) 0.1, not >=0.60 For CRFs and LSTMs compiled for a CPU: p"),
    ],
)
def test_versions(versions, others, said):
    versions(**others)
    (name,) = others
    assert said in problem(name)


def test_an_extra_is_only_advised(versions):
    versions(matplotlib=None)
    printed = works("doctor", env=WIDE)
    assert line(printed, "matplotlib") == (
        "advice matplotlib (plots) not installed For pictures: pip install 'rnnpipe[plots]'"
    )


def test_a_compiler_that_does_not_start(monkeypatch):
    def refuse(name):
        raise ImportError("numpy is too new")

    monkeypatch.setattr(machine.importlib, "import_module", refuse)
    assert "cannot be imported: numpy is too new" in problem("numba")


def test_too_many_threads(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(machine, "_cores", lambda: 2)
    printed = works("doctor", env=WIDE | {"OMP_NUM_THREADS": "8"})
    assert line(printed, "torch threads") == (
        "advice torch threads 8 on 2 cores; OMP_NUM_THREADS is 8 Threads compete for cores. Set "
        "OMP_NUM_THREADS=2 before Python starts."
    )


def test_a_gpu_that_torch_cannot_see(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "is built for CPUs Install a build for CUDA" in line(works("doctor", env=WIDE), " GPU ")
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    assert "torch does not see it Check that the driver supports CUDA 12.6 or" in problem(" GPU ")


@pytest.mark.parametrize("cupy", [True, False])
def test_a_gpu_needs_cupy(monkeypatch, cupy):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "A card")
    monkeypatch.setattr(torch.version, "cuda", "12.6")
    monkeypatch.setattr(thinc.compat, "has_cupy_gpu", cupy)
    if cupy:
        printed = works("doctor", env=WIDE)
        assert line(printed, " GPU ", "card") == "ok GPU A card, CUDA 12.6"
        assert line(printed, " cupy ") == "ok cupy sees the GPU"
    else:
        assert "pip install cupy-cuda12x" in problem("cupy")


def test_broken_plugins(monkeypatch):
    monkeypatch.setattr(machine, "installed_plugins", lambda: [BROKEN])
    assert problem("bad-one") == (
        "problem plugin bad-one 0.1 bad.Min.v1: gone Repair, update or uninstall bad-one."
    )
