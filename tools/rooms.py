"""Count the rooms of the package and the imports between them: ``python tools/rooms.py [ROOT]``.

A room is a package or a top-level module; an arrow, one room that imports another, imports for
type checkers left out. Circles are rooms that import each other, at any distance, among the
children of one package; code lines are those of Python that are neither blank nor a comment.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import grimp


def room_of(module: str, packages: set[str]) -> str:
    """Return the package that a module lies in, or the module itself at the top level."""
    if module in packages or module.count(".") == 1:
        return module
    return module.rpartition(".")[0]


def circles(arrows: set[tuple[str, str]], packages: set[str]) -> list[tuple[str, str]]:
    """Return the pairs of siblings that reach each other."""
    found = []
    for package in sorted(packages):
        depth = package.count(".") + 1
        prefix = f"{package}."
        inside = {
            (".".join(a.split(".")[: depth + 1]), ".".join(b.split(".")[: depth + 1]))
            for a, b in arrows
            if a.startswith(prefix) and b.startswith(prefix)
        }
        reach = {(a, b) for a, b in inside if a != b}
        grown = True
        while grown:
            more = {(a, d) for a, b in reach for c, d in reach if b == c} - reach
            reach |= more
            grown = bool(more)
        found += [(a, b) for a, b in sorted(reach) if a < b and (b, a) in reach]
    return found


def code_lines(root: Path) -> int:
    lines = (
        line.strip()
        for path in root.rglob("*.py")
        if "templates" not in path.parts
        for line in path.read_text(encoding="utf8").splitlines()
    )
    return sum(1 for line in lines if line and not line.startswith("#"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1])
    root = parser.parse_args().root.resolve()
    sys.path.insert(0, str(root))
    os.chdir(root)
    graph = grimp.build_graph("rnnpipe", exclude_type_checking_imports=True, cache_dir=None)
    packages = {module for module in graph.modules if graph.find_children(module)}
    imports = {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    top = {tuple(m.split(".")[1] for m in pair if "." in m) for pair in imports}
    rooms = {room_of(module, packages) for module in graph.modules}
    arrows = {(room_of(a, packages), room_of(b, packages)) for a, b in imports}
    entries = [m for m in graph.find_children("rnnpipe") if not m.endswith("__")]
    print(f"entries at the top level  {len(entries)}")
    print(f"arrows between them       {sum(len(pair) == 2 and pair[0] != pair[1] for pair in top)}")
    print(f"rooms at any depth        {len(rooms)}")
    print(f"arrows between them       {sum(a != b for a, b in arrows)}")
    print(f"circles                   {len(circles(imports, packages))}")
    print(f"lines of code             {code_lines(root / 'rnnpipe')}")


if __name__ == "__main__":
    main()
