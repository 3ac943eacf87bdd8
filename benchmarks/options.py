"""The options of a benchmark, and whether the peer that it needs is installed."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any


def parser_for(doc: str | None, **sizes: Any) -> argparse.ArgumentParser:
    """Return a parser whose help is a module's docstring, with an option for each size.

    sizes: the default of each option: a number, or shapes such as ``((32, 40, 17), (64, 100, 9))``,
        which are typed ``32x40x17 64x100x9``.
    """
    raw = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser(description=doc, formatter_class=raw)
    for name, default in sizes.items():
        several: dict[str, Any] = {"type": shape, "nargs": "+", "metavar": "NxN"}
        kind = several if isinstance(default, tuple) else {"type": int, "metavar": "N"}
        option = f"--{name.replace('_', '-')}"
        made.add_argument(option, default=default, help=f"default: {typed(default)}", **kind)
    return made


def shape(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split("x")))


def typed(default: Any) -> str:
    """Return a default as it is typed."""
    if isinstance(default, tuple):
        return " ".join("x".join(map(str, sizes)) for sizes in default)
    return str(default)


def has_peer(package: str, module: str) -> bool:
    """Return whether a package is installed; if not, print what to do."""
    found = find_spec(module) is not None
    if not found:
        print(f"{package} is not installed, nothing is measured against it: pip install {package}")
    return found
