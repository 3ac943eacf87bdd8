"""Plant faults into copies of the package, one at a time, and say which of them no test catches."""

from __future__ import annotations

import argparse
import json
import queue
import re
import shutil
import signal
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from faults.copy import PACKAGE, TESTS, Copy
from faults.line_map import LineMap, test_files
from faults.sites import KINDS, Fault, find, sample

#: ``hung``, a test not done within the limit, counts as caught; ``untested``: no test executes it.
STATUSES = ("caught", "hung", "survived", "untested")
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What became of a fault, after how many tests, and which of them caught it."""

    status: str
    tests: int
    by: str = ""
    seconds: float = 0.0


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    args = _parser().parse_args(argv)
    root = args.root.resolve()
    faults = sample(_all(root, args.paths), args.sample, args.seed)
    if args.list:
        print("\n".join(map(_shown, faults)))
        return
    folder = root / ".fault_map"
    if args.build_map is not None:
        shutil.rmtree(folder, ignore_errors=True)
    tests = test_files(root, [root / place for place in args.build_map or [TESTS]])
    known = _read(args.output)
    ahead = [fault for fault in faults if _key(asdict(fault)) not in known]
    with tempfile.TemporaryDirectory() as temporary:
        copies = [Copy(root, Path(temporary, str(number))) for number in range(args.processes)]
        line_map = LineMap(root, folder)
        if args.build_map is None:
            tests = line_map.missing(fault.path for fault in ahead)
        if tests:
            print(f"Mapping {len(tests)} test files", flush=True)
            passed = line_map.add(copies[0], tests, args.processes)
            print(f"{passed} tests passed, and are in the map", flush=True)
        if args.build_map is not None:
            return
        changed = {fault.path for fault in ahead if line_map.changed(fault.path)}
        if changed:
            print(f"{len(changed)} files have changed since they were mapped: see --build-map")
        for fault, outcome in plant(line_map, copies, ahead, args.limit):
            known[_key(asdict(fault))] = asdict(fault) | asdict(outcome)
            _write(args.output, known)
            done = sum(_key(asdict(other)) in known for other in faults)
            print(f"[{done}/{len(faults)}] {outcome.status}: {_shown(fault)}", flush=True)
    print(report([known[_key(asdict(fault))] for fault in faults]))


def plant(
    line_map: LineMap, copies: Sequence[Copy], faults: Iterable[Fault], limit: float
) -> Iterator[tuple[Fault, Outcome]]:
    """Yield what became of each fault, as soon as it is known; each copy holds one at a time."""
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def attempt(fault: Fault, tests: dict[str, float]) -> Outcome:
        copy = free.get()
        try:
            return _attempt(copy, fault, tests, limit)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            futures = {
                pool.submit(attempt, fault, in_turn(line_map.tests(fault))): fault
                for fault in faults
            }
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:  # also when interrupted
            pool.shutdown(wait=False, cancel_futures=True)
            for copy in copies:
                copy.stop()


def in_turn(tests: dict[str, float]) -> dict[str, float]:
    """Return tests in the order to run them: the fastest files first.

    The tests of a file stay together, for the sake of what they share.
    """
    of_file: defaultdict[str, float] = defaultdict(float)
    for test, duration in tests.items():
        of_file[test.split("::")[0]] += duration
    order = sorted(tests, key=lambda t: (of_file[t.split("::")[0]], t.split("::")[0], tests[t]))
    return {test: tests[test] for test in order}


def _attempt(copy: Copy, fault: Fault, tests: dict[str, float], limit: float) -> Outcome:
    """Run the tests of a fault until one of them fails."""
    if not tests:
        return Outcome("untested", 0)
    copy.chosen.write_text(json.dumps(tests))
    files = dict.fromkeys(test.split("::")[0] for test in tests)
    begin = time.monotonic()
    with copy.planted(fault):
        status, output = copy.pytest("-x", *files, limit=limit, chosen=copy.chosen)
    word = {-signal.SIGALRM: "hung", 0: "survived", 5: "untested"}.get(status, "caught")
    failed = _FAILED.search(output) if word == "caught" else None
    return Outcome(
        word,
        len(tests),
        by=failed[1] if failed else "",
        seconds=round(time.monotonic() - begin, 1),
    )


def report(records: Sequence[dict[str, Any]]) -> str:
    """Return the faults that no test caught, and how many of each kind were caught."""
    lines = []
    for record in sorted(records, key=lambda record: (record["path"], record["line"])):
        if record["status"] in ("survived", "untested"):
            lines += [
                "{path}:{line} {kind} {status} {tests} tests".format(**record),
                f"    - {record['before']}",
                f"    + {record['after']}",
            ]
    counts = Counter((record["kind"], record["status"]) for record in records)
    lines.append("".join(f"{title:>10}" for title in ("", *STATUSES)))
    for kind in KINDS:
        numbers = [str(counts[kind, status]) for status in STATUSES]
        lines.append("".join(f"{cell:>10}" for cell in (kind, *numbers)))
    return "\n".join(lines)


def _all(root: Path, paths: Iterable[Path]) -> list[Fault]:
    """Return every fault of the files and folders."""
    faults: list[Fault] = []
    for path in paths:
        place = (root / path).resolve()
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            faults += find(file.relative_to(root).as_posix(), file.read_bytes())
    return faults


def _shown(fault: Fault) -> str:
    return f"{fault.path}:{fault.line} {fault.kind}: {fault.before}  ->  {fault.after}"


def _key(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells one fault from another."""
    return tuple(record[name] for name in ("path", "line", "column", "kind", "before", "after"))


def _read(output: Path | None) -> dict[tuple[Any, ...], dict[str, Any]]:
    records = json.loads(output.read_text()) if output and output.exists() else []
    return {_key(record): record for record in records}


def _write(output: Path | None, known: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    if output:
        new = output.with_suffix(".new")
        new.write_text(json.dumps(list(known.values()), indent=1))
        new.replace(output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    here = Path(__file__).resolve().parents[1]
    add("--paths", nargs="+", type=Path, default=[Path(PACKAGE)], help="files or folders to plant")
    add("--sample", type=int, default=200, help="number of faults")
    add("--seed", type=int, default=0, help="random seed of the sample")
    add("--list", action="store_true", help="list of the sample, without a run")
    add("--output", type=Path, help="JSON file of the results; those it holds are not run again")
    add("--processes", type=int, default=1, help="number of copies")
    add("--limit", type=float, default=120, help="seconds after which a test has hung")
    add(
        "--build-map",
        nargs="*",
        metavar="TESTS",
        help="test files or folders whose map is built anew, without a fault planted",
    )
    add("--root", type=Path, default=here, help="folder of the project")
    return parser


if __name__ == "__main__":
    main()
