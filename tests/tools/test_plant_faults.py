"""Faults are found where they can be, and those that no test catches are named."""

import json
import signal
from pathlib import Path

import pytest
from faults.compiled import frozen
from faults.copy import Copy
from faults.line_map import mirrors
from faults.sites import KINDS, body_lines, find, sample
from plant_faults import in_turn, main

ROOT = Path(__file__).parents[2]
SNIPPET = '''\
"""A docstring: 1 + 1 < 2 and not 3."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["f", *["g"][:1]]
Mode = Literal[1, 2]


def f(x: "Literal[3]", mask, n: int = 2) -> Literal[4]:
    """Another: x[:1]."""
    if not n:
        raise ValueError("expected 1 + 1" + f"{n + 1}" + str(n - 1))
    while n < len(x):
        n += 1
    check(x)
    y = torch.where(mask & x, x.blank(n), -n) * n
    y = norm(x, mask=mask)[n:]
    return y if n > 0 or y else x.masked_fill(~mask, -1)
'''


def after(snippet: str, kind: str) -> list[str]:
    return [f.after for f in find("a.py", snippet.encode()) if f.kind == kind]


@pytest.mark.parametrize(
    "kind, line, wanted",
    [
        ("sign", "x = a - b + c", ["x = a + b + c", "x = a - b - c"]),
        ("sign", "x *= -a / b", ["x *= - -a / b", "x *= a / b", "x *= -a / - b"]),
        ("sign", "x = not a", ["x =  a"]),
        ("sign", "x = 'a' + b", []),
        ("bound", "a <= b < c", ["a < b < c", "a <= b <= c"]),
        ("bound", "x = -1", ["x = -2", "x = 0"]),
        ("bound", "x[a:]", ["x[a + 1:]", "x[a - 1:]"]),
        ("bound", "dumps(x, indent=2)", []),
        ("mask", "f(x, mask=m)", ["f(x)"]),
        ("mask", "f(x, lengths)", ["f(x)"]),
        ("mask", "y = s.blank(x + 1, a)", ["y = (x + 1)"]),
        ("mask", "y = where(c, a, b)", ["y = a", "y = b"]),
        ("mask", "y = x.masked_fill(c, a)", ["y = x"]),
        ("mask", "y = a & m", ["y = a", "y = m"]),
        ("mask", "y = x * token_mask", ["y = x"]),
        ("mask", "y = ~m", ["y = m"]),
        ("branch", "if a: b\nelse: c", ["if True: b", "if False: b", "else: pass"]),
        ("branch", "while a: b", ["while False: b"]),
        ("branch", "x = a and b", ["x = a or b"]),
        (
            "branch",
            "if (a := b): c",
            ["if (((a := b)) or True): c", "if (((a := b)) and False): c"],
        ),
        ("branch", "raise a(1)", ["pass"]),
        ("branch", "check(a)", ["pass"]),
        ("branch", "x = [a for a in b if c]", ["x = [a for a in b if True]"]),
    ],
)
def test_faults_of_a_line(kind, line, wanted):
    assert sorted(after(line, kind)) == sorted(wanted)


def test_every_fault_compiles_and_differs():
    sources = {"a.py": SNIPPET.encode()}
    for path in (ROOT / "tools" / "faults" / "copy.py", ROOT / "tools" / "faults" / "nodes.py"):
        sources[str(path)] = path.read_bytes()
    for path, source in sources.items():
        faults = find(path, source)
        planted = [fault.planted(source) for fault in faults]
        assert len({*planted, source}) == len(faults) + 1
        for fault, text in zip(faults, planted, strict=False):
            assert fault.before != fault.after
            compile(text, fault.path, "exec")


def test_what_is_only_read_is_left_alone():
    faults = find("a.py", SNIPPET.encode())
    assert {fault.kind for fault in faults} == set(KINDS)
    lines = {fault.line: fault.after for fault in faults}
    assert min(lines) == 12, "the docstring, TYPE_CHECKING, __all__ and Literal come before"
    assert 13 not in lines, "a docstring"
    assert [fault.after for fault in faults if fault.line == 12] == [
        'def f(x: "Literal[3]", mask, n: int = 1) -> Literal[4]:',
        'def f(x: "Literal[3]", mask, n: int = 3) -> Literal[4]:',
    ]
    assert [fault.after for fault in faults if fault.line == 15] == ["pass"], "an error's text"


def test_a_sample_depends_on_its_seed_and_holds_every_kind():
    faults = find("a.py", SNIPPET.encode())
    drawn = sample(faults, 8, seed=1)
    assert drawn == sample(faults, 8, seed=1) != sample(faults, 8, seed=2)
    assert {fault.kind for fault in drawn} == set(KINDS)
    assert sorted(sample(faults, 1000, seed=1), key=faults.index) == faults


def test_lines_of_functions():
    assert body_lines(b"a = 1\ndef f(\n    b=2\n):\n    return b\nc = 3\n") == {5}
    inside = {fault.line: fault.in_function for fault in find("a.py", SNIPPET.encode())}
    assert not inside[12] and inside[14]


def test_files_that_mirror_a_module(tmp_path):
    for name in ("tests/b", "tests/c/d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "tests/test_e.py").touch()
    places = {
        "rnnpipe/b/x/e.py": "tests/b",
        "rnnpipe/a/b/e.py": "tests/b",
        "rnnpipe/d/e.py": "tests/c/d",
        "rnnpipe/e.py": "tests/test_e.py",
        "rnnpipe/f.py": "tests",
    }
    assert {p: mirrors(tmp_path, p) for p in places} == {
        path: [tmp_path / place] for path, place in places.items()
    }


def test_the_fastest_files_come_first():
    seconds = {"a::slow": 4.0, "a::fast": 0.1, "b::1": 1.0, "b::2": 2.0}
    assert list(in_turn(seconds)) == ["b::1", "b::2", "a::fast", "a::slow"]


def test_files_that_compiled_functions_use(tmp_path):
    for name, text in {
        "loops": "from rnnpipe.sums import add\n\n@compiled\ndef f(): add()\n",
        "sums": "import rnnpipe.sizes\n",
        "sizes": "N = 3\n",
        "other": "import rnnpipe.loops\n",
    }.items():
        path = tmp_path / "rnnpipe" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert frozen(tmp_path, "rnnpipe") == {
        "rnnpipe/loops.py",
        "rnnpipe/sums.py",
        "rnnpipe/sizes.py",
    }


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A package of one function with a test that does not see the bound."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # none is needed, and each takes time
    root = tmp_path / "project"
    (root / "rnnpipe").mkdir(parents=True)
    (root / "rnnpipe" / "__init__.py").touch()
    source = "def clip(x):\n    if x > 3:\n        return 3\n    return x\n"
    (root / "rnnpipe" / "clips.py").write_text(source)
    (root / "tests").mkdir()
    (root / "tests" / "test_clips.py").write_text(
        "from rnnpipe.clips import clip\n\n"
        "def test_clip():\n    assert (clip(2), clip(9)) == (2, 3)\n\n"
        "def test_broken():\n    assert clip(0) == 1\n"
    )
    return root


def test_a_caught_and_a_surviving_fault(project, tmp_path, capsys):
    output = tmp_path / "faults.json"
    paths = ["--root", str(project), "--paths", "rnnpipe/clips.py"]
    main([*paths, "--list"])
    listed = capsys.readouterr().out.splitlines()
    assert "rnnpipe/clips.py:2 bound: if x > 3:  ->  if x >= 3:" in listed
    command = [*paths, "--sample", "2", "--seed", "1", "--output", str(output)]
    main(command)
    printed = capsys.readouterr().out
    records = {record["after"]: record for record in json.loads(output.read_text())}
    assert {after: record["status"] for after, record in records.items()} == {
        "if x >= 3:": "survived",
        "if False:": "caught",
    }
    assert records["if False:"]["by"] == "tests/test_clips.py::test_clip"
    assert records["if x >= 3:"]["tests"] == 1, "test_broken fails anyway"
    assert "    - if x > 3:\n    + if x >= 3:\n" in printed
    assert "     bound         0         0         1         0\n" in printed
    main(command)  # all of it is known
    again = capsys.readouterr().out
    assert "Mapping" not in again and "[" not in again
    assert again == printed[printed.index("rnnpipe/clips.py:2 bound survived") :]
    assert (project / "rnnpipe/clips.py").read_text().startswith("def clip(x):\n    if x > 3:\n")


def test_a_package_from_elsewhere_is_an_error(project, tmp_path):
    copy = Copy(project, tmp_path / "copy")
    (copy.root / "tests" / "test_clips.py").write_text(
        "import sys, types\n\n"
        "def test_it():\n    sys.modules['rnnpipe.x'] = types.ModuleType('x')\n"
        "    sys.modules['rnnpipe.x'].__file__ = '/elsewhere/x.py'\n"
    )
    with pytest.raises(RuntimeError) as error:
        copy.pytest("tests")
    assert f"rnnpipe.x is imported from /elsewhere/x.py, not from {copy.root}" in str(error.value)


def test_a_hang_ends(project, tmp_path):
    copy = Copy(project, tmp_path / "copy")
    (copy.root / "tests" / "test_clips.py").write_text("while True: pass\n")
    assert copy.pytest("tests", limit=1)[0] == -signal.SIGALRM
