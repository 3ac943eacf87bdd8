"""Which tests execute which line."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from coverage import CoverageData

from faults.copy import PACKAGE, TESTS, Copy
from faults.sites import Fault, body_lines


class LineMap:
    """The lines that each test executes and the time it takes, kept in a folder.

    Only tests that pass without a fault are in it.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        self.folder.mkdir(exist_ok=True)
        self.facts = folder / "facts.json"
        facts = json.loads(self.facts.read_text()) if self.facts.exists() else {}
        self.files = [file for file in facts.get("files", []) if (root / file).exists()]
        self.seconds: dict[str, float] = {
            test: seconds
            for test, seconds in facts.get("seconds", {}).items()
            if test.split("::")[0] in self.files
        }
        #: Of each source file that was mapped; ``None`` where it changed from one time to another.
        self.digests: dict[str, str | None] = facts.get("digests", {})
        self._lines = functools.cache(self._read_lines)

    def missing(self, paths: Iterable[str]) -> list[str]:
        """Return the test files that mirror the source files and are not in the map."""
        places = {place for path in set(paths) for place in mirrors(self.root, path)}
        return sorted(set(test_files(self.root, places)).difference(self.files))

    def add(self, copy: Copy, files: list[str], processes: int) -> int:
        """Run test files, and add what they execute; return how many tests passed."""
        parallel = [f"-n{processes}", "--dist=loadfile"] if processes > 1 else []
        with tempfile.TemporaryDirectory() as part:
            status, output = copy.pytest(*parallel, *files, part=part)
            if status not in (0, 1, 5):
                raise RuntimeError(f"{output}\nThe tests could not be run without a fault.")
            data = self._data()
            passed: dict[str, float] = {}
            for notes in Path(part).glob("*.json"):
                passed |= json.loads(notes.read_text())
                other = CoverageData(str(notes.with_suffix("")))
                other.read()
                data.update(other)
            data.write()
        self.seconds |= passed
        self.files = sorted({*self.files, *files})
        for path in (self.root / PACKAGE).rglob("*.py"):
            name, digest = path.relative_to(self.root).as_posix(), _digest(path)
            self.digests[name] = digest if self.digests.get(name, digest) == digest else None
        facts = {"seconds": self.seconds, "files": self.files, "digests": self.digests}
        self.facts.write_text(json.dumps(facts))
        self._lines.cache_clear()
        return len(passed)

    def changed(self, path: str) -> bool:
        """Whether a file is not the one whose lines are in the map."""
        return self.digests.get(path) != _digest(self.root / path)

    def tests(self, fault: Fault) -> dict[str, float]:
        """Return the tests that execute what is changed, and their seconds.

        Where the lines do not say it, as those of compiled functions and of what runs at import,
        these are the tests that execute anything of the file, else those that mirror it.
        """
        found: set[str] = set()
        if fault.in_function and not self.changed(fault.path):
            found = self._executing(fault.path, range(fault.first, fault.last + 1))
        if not found:
            source = (self.root / fault.path).read_bytes()
            found = self._executing(fault.path, body_lines(source))
        if not found:
            places = [p.relative_to(self.root).as_posix() for p in mirrors(self.root, fault.path)]
            found = {
                test
                for test in self.seconds
                if any(test.startswith((f"{place}/", f"{place}::")) for place in places)
            }
        return {test: self.seconds[test] for test in sorted(found)}

    def _executing(self, path: str, lines: Iterable[int]) -> set[str]:
        of_line = self._lines(path)
        return {test for line in lines for test in of_line.get(line, ()) if test in self.seconds}

    def _read_lines(self, path: str) -> dict[int, list[str]]:
        return self._data().contexts_by_lineno(path)

    def _data(self) -> CoverageData:
        data = CoverageData(str(self.folder / "lines"))
        data.read()
        return data


def mirrors(root: Path, path: str) -> list[Path]:
    """Return the tests of a source file by its place: ``tests/a/b`` for ``a/b/c.py`` of the
    package, or where there is none, folders named ``b``, then ``a``, at any depth."""
    tests = root / TESTS
    folders = Path(path).parts[1:-1]
    for depth in range(len(folders), 0, -1):
        if (mirror := tests.joinpath(*folders[:depth])).is_dir():
            return [mirror]
        named = sorted(folder for folder in tests.rglob(folders[depth - 1]) if folder.is_dir())
        if named:
            return named
    single = tests / f"test_{Path(path).stem}.py"
    return [single if single.is_file() else tests]


def test_files(root: Path, places: Iterable[Path]) -> list[str]:
    """Return the test files at places, relative to the root."""
    files = {
        file.resolve().relative_to(root).as_posix()
        for place in places
        for file in ([place] if place.is_file() else place.rglob("test_*.py"))
    }
    return sorted(files)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
