"""What pytest does in a copy: it runs the chosen tests, and notes what each of them executes.

``FAULTS_ROOT`` and ``FAULTS_PACKAGE`` say which package, and where it has to come from;
``FAULTS_CHOSEN`` is a JSON file of the tests in their order, with their seconds, ``FAULTS_LIMIT``
the seconds after which something hangs, and ``FAULTS_PART`` a folder for what was noted.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import sys
from collections import defaultdict
from pathlib import Path

import pytest

#: The exit status when the package was imported from elsewhere.
FOREIGN = 99
#: A fault may allocate without end: beyond this many bytes there is a MemoryError.
_MEMORY = 8 * 2**30
#: A test may take the limit and this many times what it took without a fault.
_SLOWER = 5


def pytest_configure(config: pytest.Config) -> None:
    """Bound the memory and the time; begin to note what is executed, if it is to be noted."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = _MEMORY if hard == resource.RLIM_INFINITY else min(_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    _end_after(0)
    distributes = getattr(config.option, "dist", "no") != "no" and not hasattr(
        config, "workerinput"
    )
    if "FAULTS_PART" in os.environ and not distributes:
        config.pluginmanager.register(Notes(Path(os.environ["FAULTS_PART"])))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the chosen tests, in the order of the choice."""
    if "FAULTS_CHOSEN" in os.environ:
        chosen = _chosen()
        place = {test: number for number, test in enumerate(chosen)}
        config.hook.pytest_deselected(items=[i for i in items if i.nodeid not in place])
        kept = [item for item in items if item.nodeid in place]
        items[:] = sorted(kept, key=lambda item: place[item.nodeid])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Give the test its time."""
    _end_after(_SLOWER * _chosen().get(item.nodeid, 0.0))


def pytest_sessionfinish() -> None:
    """Exit with an error if a module of the package is not of the copy."""
    root, package = Path(os.environ["FAULTS_ROOT"]), os.environ["FAULTS_PACKAGE"]
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if name.split(".")[0] == package and origin and root not in Path(origin).parents:
            pytest.exit(f"{name} is imported from {origin}, not from {root}", FOREIGN)


@functools.cache
def _chosen() -> dict[str, float]:
    chosen: dict[str, float] = {}
    if "FAULTS_CHOSEN" in os.environ:
        chosen = json.loads(Path(os.environ["FAULTS_CHOSEN"]).read_text())
    return chosen


def _end_after(seconds: float) -> None:
    """End the process by SIGALRM so many seconds after the limit, if there is one."""
    if "FAULTS_LIMIT" in os.environ:
        signal.setitimer(signal.ITIMER_REAL, float(os.environ["FAULTS_LIMIT"]) + seconds)


class Notes:
    """Notes which lines each test executes, and how long each test that passes takes."""

    def __init__(self, folder: Path) -> None:
        from coverage import Coverage

        self.path = folder / os.environ.get("PYTEST_XDIST_WORKER", "main")
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self.coverage = Coverage(
            data_file=str(self.path),
            config_file=False,
            source=[os.environ["FAULTS_PACKAGE"]],
            messages=False,
        )
        self.coverage.set_option("run:relative_files", True)
        self.coverage.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Note what follows for this test."""
        self.coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add to the test's time."""
        self.seconds[report.nodeid] += report.duration
        if report.outcome != "passed":
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write the notes."""
        self.coverage.stop()
        self.coverage.save()
        passed = {test: s for test, s in self.seconds.items() if test not in self.failed}
        self.path.with_suffix(".json").write_text(json.dumps(passed))
