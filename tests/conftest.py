"""What every test can rely on: one torch thread, and the real data where there is some."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


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


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
