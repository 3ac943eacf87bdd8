"""The benchmark runs, on two short documents."""

import runpy
import sys
from pathlib import Path

import torch

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "training.py"


def test_the_benchmark_runs(monkeypatch, capsys):
    torch.set_num_threads(1)
    arguments = ["--rounds", "1", "--documents", "2", "--lengths", "4"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == "4"
