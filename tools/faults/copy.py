"""A copy of the project in which tests run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faults.compiled import frozen
from faults.plugin import FOREIGN
from faults.sites import Fault

#: Of a project: the code, and the tests that are run.
PACKAGE, TESTS = "rnnpipe", "tests"
_TOOLS = Path(__file__).parents[1]
_PYTEST = "-m pytest -q --tb=line -p faults.plugin -p no:cacheprovider"


class Copy:
    """A copy of a project: its tests import the package from here, and write here."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = folder / "project"
        self.scratch = folder / "scratch"
        self.chosen = folder / "chosen.json"
        shutil.copytree(root, self.root, ignore=_ignored)
        self.numba = folder / "numba"
        self.frozen = frozen(self.root, PACKAGE)
        self.process: subprocess.Popen[str] | None = None

    @contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """Hold a fault in the copy.

        Nothing that was compiled before hides it: what Python compiles is never written, and what
        numba compiles is kept only without a fault in what a compiled function uses.
        """
        path, numba = self.root / fault.path, self.numba
        source = path.read_bytes()
        if fault.path in self.frozen:
            self.numba = self.scratch / "numba"
        try:
            path.write_bytes(fault.planted(source))
            yield
        finally:
            path.write_bytes(source)
            self.numba = numba

    def pytest(self, *arguments: str, **settings: object) -> tuple[int, str]:
        """Run tests; return the exit status, that of ``SIGALRM`` after a hang, and the output.

        Settings are those of :mod:`faults.plugin`.
        """
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        path = [str(self.root), str(_TOOLS), os.environ.get("PYTHONPATH", "")]
        environment = {
            "OMP_NUM_THREADS": "1",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "true",  # hypothesis draws the same examples each time
            "NUMBA_CACHE_DIR": str(self.numba),
            "TMPDIR": str(self.scratch),
            "FAULTS_ROOT": str(self.root),
            "FAULTS_PACKAGE": PACKAGE,
            **{f"FAULTS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = subprocess.Popen(
            [sys.executable, *_PYTEST.split(), *arguments],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output = self.process.communicate()[0]
        finally:
            self.stop()
        if self.process.returncode == FOREIGN:
            raise RuntimeError(f"{output}\nThe tests did not run on the copy in {self.root}.")
        return self.process.returncode, output

    def stop(self) -> None:
        """End the tests that run, and what they have started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Return what a copy goes without: hidden and compiled files, and environments."""
    return {
        name
        for name in names
        if name.startswith(".")
        or name == "__pycache__"
        or Path(folder, name, "pyvenv.cfg").is_file()
    }
