"""Every benchmark runs, on a few documents and for a step or two."""

import runpy
import sys
from pathlib import Path

import pytest
from helpers.small_data import write

ROOT = Path(__file__).parents[2]
SCRIPTS = {path.relative_to(ROOT).as_posix() for path in (ROOT / "benchmarks").glob("*.py")}
#: What other benchmarks import; they print nothing of their own.
SHARED = {"benchmarks/interleaved.py", "benchmarks/options.py"}
STEPS = "--training.max_steps 1 --training.eval_frequency 1"
#: Arguments that make a run short, and what it prints.
RUNS = [
    ("benchmarks/accuracy.py", f"ewt --decoder softmax {STEPS}", "pos_acc"),
    ("benchmarks/accuracy.py", f"ewt-trees --encoder bilstm {STEPS}", "pos_acc"),
    ("benchmarks/accuracy.py", f"snips --encoder lstm {STEPS}", "ents_f"),
    ("benchmarks/accuracy.py", f"wnut17 --peer {STEPS}", "ents_f"),
    ("benchmarks/accuracy.py", f"subj {STEPS}", "cats_micro_f"),
    (
        "benchmarks/contextual.py",
        f"--work work --held-out 2 --only forward backward tenth {STEPS}",
        "tag_acc",
    ),
    ("benchmarks/crf.py", "--rounds 1 --sizes 2x3x4", "viterbi"),
    ("benchmarks/encoders.py", "--rounds 1 --shapes 4x2", "/packed"),
    ("benchmarks/flair_ner.py", "--rounds 1 --documents 4 --width 4", "flair"),
    (
        "benchmarks/generation.py",
        "--rounds 1 --loops 4x1x3 4x2x3 --beams 4x3 --steps 3",
        "beam of 8 against greedy, width 4",
    ),
    ("benchmarks/images.py", "--rounds 1 --size 3 --width 2 --batch 2 --drawn 2", "PixelCNN"),
    ("benchmarks/images_accuracy.py", f"digits-diagonal {STEPS}", "cats_micro_f"),
    ("benchmarks/images_accuracy.py", f"captions {STEPS}", "sequence_accuracy"),
    (
        "benchmarks/images_accuracy.py",
        f"rowlstm --drawn 1 --components.image.model.encoder.width 2 {STEPS}",
        "samples.png",
    ),
    ("benchmarks/language_model.py", "--rounds 1 --steps 1 --width 4", "symbols/s"),
    ("benchmarks/listops.py", "work --train 4 --dev 2", ""),
    ("benchmarks/optimizer.py", "--rounds 1 --width 4", "RAdam"),
    ("benchmarks/relations.py", f"all --parser-steps 1 {STEPS}", "macro-F1"),
    ("benchmarks/seq2seq.py", f"g2p --languages ice {STEPS}", "phonemes"),
    ("benchmarks/seq2seq.py", f"translate --attention none {STEPS}", "chrF"),
    (
        "benchmarks/tagger.py",
        "--rounds 1 --documents 4 --width 4 --no-memory",
        "LSTM's own arithmetic",
    ),
    ("benchmarks/tree_parsing.py", f"ewt --loss margin --beam 2 {STEPS}", "Labelled F1"),
    ("benchmarks/tree_parsing.py", f"listops --train 4 --dev 2 --beam 2 {STEPS}", "Labelled F1"),
    ("benchmarks/trees.py", "--rounds 1 --trees 2 --leaves 3 --width 4 --peer", "child-sum"),
]
#: Runs in the fresh processes that others start to measure their memory.
MEMORY = [
    ("benchmarks/language_model.py", "--memory-of {data}/tinyshakespeare/input.txt"),
    ("benchmarks/tagger.py", "--memory-of rnnpipe --documents 4 --width 4"),
]
#: Scripts that measure nothing without another package.
PEERS = {
    "benchmarks/crf.py": ("pytorch-crf", "torchcrf"),
    "benchmarks/flair_ner.py": ("flair", "flair"),
    "benchmarks/generation.py": ("transformers", "transformers"),
    "benchmarks/trees.py": ("pytorch-tree-lstm", "treelstm"),
}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write(folder)
    return folder


@pytest.fixture
def run(corpora, tmp_path, monkeypatch, capsys):
    """Run a script as Python does, in a folder of its own; return what it prints."""
    monkeypatch.setenv("RNNPIPE_DATA", str(corpora))
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)

    def run(script, arguments):
        monkeypatch.syspath_prepend(str((ROOT / script).parent))
        monkeypatch.setattr(sys, "argv", [script, *arguments.format(data=corpora).split()])
        runpy.run_path(str(ROOT / script), run_name="__main__")
        return capsys.readouterr().out

    yield run
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == ROOT / "benchmarks":
            del sys.modules[name]


def test_every_benchmark_is_run():
    assert {script for script, *_ in RUNS} == SCRIPTS - SHARED


@pytest.mark.parametrize(("script", "arguments", "shown"), RUNS)
def test_a_benchmark_runs(script, arguments, shown, run):
    assert shown in run(script, arguments)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(("script", "arguments"), MEMORY)
def test_a_process_prints_its_peak_memory_last(script, arguments, run):
    assert 50 < float(run(script, arguments).splitlines()[-1]) < 50_000


@pytest.mark.parametrize("script", PEERS)
def test_a_peer_that_is_not_installed_is_named(script, run, monkeypatch):
    package, module = PEERS[script]
    monkeypatch.setitem(sys.modules, module, None)
    arguments = next(arguments for name, arguments, _ in RUNS if name == script)
    message = f"{package} is not installed, nothing is measured against it: pip install {package}"
    assert message in run(script, arguments).splitlines()
