"""Which files numba's cache could hide a fault of."""

from __future__ import annotations

import ast
import re
from pathlib import Path

_COMPILES = re.compile(rb"^\s*@.*(jit|compil|vectorize)", re.MULTILINE)


def frozen(root: Path, package: str) -> set[str]:
    """Return the files that hold compiled functions, and what these files import.

    A compiled function keeps what it calls and the constants it names, also those of other files,
    and numba compiles it anew only when its own file has changed.
    """
    ahead = [p for p in (root / package).rglob("*.py") if _COMPILES.search(p.read_bytes())]
    seen: set[Path] = set()
    while ahead:
        path = ahead.pop()
        if path not in seen:
            seen.add(path)
            ahead += _imported(root, path)
    return {path.relative_to(root).as_posix() for path in seen}


def _imported(root: Path, path: Path) -> list[Path]:
    """Return the files below the root that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    places = [root.joinpath(*name.split(".")) for name in names]
    files = [file for p in places for file in (p.with_name(f"{p.name}.py"), p / "__init__.py")]
    return [file for file in files if file.is_file()]
