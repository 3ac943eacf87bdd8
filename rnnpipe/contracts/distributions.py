"""Where a function comes from, and whether what a distribution says of it can be right.

Whatever is said here of an entry point is known before anything is imported.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from importlib.metadata import EntryPoint, packages_distributions
from typing import Any

from packaging.requirements import Requirement

from rnnpipe import __version__
from rnnpipe.errors import PluginError, nearest

#: The package and distribution that alone may register names that start with ``rnnpipe.``.
OURS = "rnnpipe"
#: ``acme.QRNN.v1``: whose it is, what it is, its version.
_NAME = re.compile(r"[^.\s]+(\.[^.\s]+)+\.v\d+")


def require_sound(where: str, entry: EntryPoint) -> None:
    """Raises PluginError for an entry point of another distribution whose name is ours or has no
    prefix or version, and for a distribution that is made for another version of this package."""
    if distribution(entry) == OURS:
        return
    if is_reserved(entry.name):
        raise PluginError(reserved(where, entry.name, origin(entry)))
    if not _NAME.fullmatch(entry.name):
        raise PluginError(
            f"{where}: expected a name with a prefix and a version, such as acme.QRNN.v1, got "
            f"{entry.name} from {origin(entry)}. Ask its authors to rename it."
        )
    if wanted := _host_wanted(entry):
        raise PluginError(
            f"{where}: expected a plugin for {OURS} {__version__}, got {origin(entry)}, which is "
            f"for {wanted}. Update {distribution(entry)}, or install {wanted}."
        )


def _host_wanted(entry: EntryPoint) -> str | None:
    """What the distribution requires of this package, such as ``rnnpipe<0.3,>=0.2``, if that is not
    what is installed."""
    for text in (entry.dist.requires if entry.dist else None) or []:
        try:
            wanted = Requirement(text)
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        except ValueError:  # it says nothing that could be understood
            continue
        if (
            wanted.name.lower() == OURS
            and applies
            and not wanted.specifier.contains(__version__, prereleases=True)
        ):
            return f"{OURS}{wanted.specifier}"
    return None


def is_mistaken(group: str, groups: Collection[str]) -> bool:
    """Return whether a group of entry points is none of ours, and looks like one:
    ``rnnpipe_encoder``."""
    if group in groups:
        return False
    return group.startswith(f"{OURS}_") or bool(difflib.get_close_matches(group, groups, 1, 0.8))


def mistaken(entry: EntryPoint, groups: Collection[str]) -> str:
    """Return the error for an entry point of a group that :func:`is_mistaken`."""
    return (
        f"{entry.name}: expected the group of a registry, got {entry.group} from {origin(entry)}. "
        f"{nearest(entry.group, groups, 1)}"
    )


def is_reserved(name: str) -> bool:
    return name.startswith(f"{OURS}.")


def reserved(where: str, name: str, origin: str) -> str:
    return (
        f"{where}: expected a name that starts with the name of its package, got {name} from "
        f"{origin}. "
        f"Names that start with '{OURS}.' are reserved for the distribution {OURS}."
    )


def taken(where: str, name: str, origins: list[str]) -> str:
    return (
        f"{where}: expected {name} to be registered once, got it from {' and from '.join(origins)}."
        " Uninstall or rename one of them."
    )


def distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"


def origin(entry: EntryPoint) -> str:
    version = entry.dist.version if entry.dist else ""
    return f"{distribution(entry)} {version} ({entry.value})"


def package_of(target: str) -> str:
    """``"acme"`` of ``"acme.qrnn:QRNN"``."""
    return target.partition(":")[0].partition(".")[0]


def owners(package: str) -> list[str]:
    """Return the distributions that an importable package belongs to."""
    return packages_distributions().get(package, [])


def home(function: Callable[..., Any]) -> str:
    """Which distribution, or this process, a function was written in."""
    module, name = identity(function)
    names = " or ".join(owners(package_of(module))) or "this process"
    return f"{names} ({module}:{name})"


def identity(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
