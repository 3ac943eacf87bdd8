"""What every test can rely on: one torch thread, and the real data where there is some."""

import importlib.metadata
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import catalogue
import hypothesis
import pytest
import torch

torch.set_num_threads(1)
# How fast cases are drawn says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile(
    "rnnpipe", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None
)
hypothesis.settings.load_profile("rnnpipe")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora; the test is skipped where there is none."""
    folder = os.environ.get("RNNPIPE_DATA")
    if not folder:
        pytest.skip("needs real data: set RNNPIPE_DATA to the folder of the corpora")
    return Path(folder)


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """What Ctrl-C does in a terminal, also where tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution of one module, as pip would: code and metadata on the path."""

    def install(name: str, version: str, code: str, entry_points: str, *requires: str) -> None:
        site = tmp_path / f"{name}-{version}"
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (site / f"{name.replace('-', '_')}.py").write_text(code)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(site)
        entries = importlib.metadata.entry_points()
        monkeypatch.setattr(catalogue, "AVAILABLE_ENTRY_POINTS", entries)

    return install


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
