"""The registries of the parts of networks and searches, and the plugins that add to them.

A function or a dataclass is registered by an entry point of the group that is named like the
registry, and is imported when a config names it. The decorator (``@encoders("acme.QRNN.v1")``)
registers it when its module is imported; that alone serves a file given to ``spacy train --code``.
"""

from __future__ import annotations

import configparser
import functools
import inspect
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, version
from typing import Any, TypeVar

import catalogue

from rnnpipe.contracts.distributions import (
    OURS,
    distribution,
    home,
    identity,
    is_mistaken,
    is_reserved,
    mistaken,
    origin,
    owners,
    package_of,
    require_sound,
    reserved,
    taken,
)
from rnnpipe.contracts.settings import checked, config_path
from rnnpipe.errors import PluginError, UnknownComponentError, expected, nearest

F = TypeVar("F", bound=Callable[..., Any])


class Registry(catalogue.Registry):  # type: ignore[misc]
    """Functions and dataclasses by name, each :func:`~rnnpipe.contracts.settings.checked` against
    its annotations.

    Names resolve through the entry points that ``importlib.metadata`` found when Python started,
    then through what was registered in this process.
    """

    def __init__(self, group: str) -> None:
        super().__init__((group,), entry_points=True)
        self.group = group

    def __call__(self, name: str, func: Any = None) -> Callable[[F], F]:
        return self.register(name, func=func)

    def register(self, name: str, *, func: Any = None) -> Callable[[F], F]:
        """Register a function or a dataclass. Raises PluginError if its name is reserved or
        taken."""

        def decorate(function: F) -> F:
            self._refuse_second(name, function)
            catalogue.REGISTRY[self.group, name] = function
            return function

        return decorate if func is None else decorate(func)

    def names(self) -> list[str]:
        """Return every registered name, sorted. Nothing is imported."""
        advertised = catalogue.AVAILABLE_ENTRY_POINTS.select(group=self.group).names
        return sorted(advertised | {key[-1] for key in catalogue.REGISTRY if key[0] == self.group})

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def get(self, name: str) -> Callable[..., Any]:
        """The function of that name. Raises UnknownComponentError, or PluginError if it cannot be
        imported, is registered twice, is misnamed or is for another version of this package."""
        return _checked(self.group, name, self.load(name))

    def get_all(self) -> dict[str, Callable[..., Any]]:
        """Return every function that can be had, by name. :func:`installed_plugins` has the reasons
        of those that cannot."""
        functions = {}
        for name in self.names():
            try:
                functions[name] = self.get(name)
            except PluginError:
                continue
        return functions

    def find(self, name: str) -> dict[str, str | int | None]:
        """Where the function is written; ``spacy debug config --show-functions`` prints it, and
        ``spacy package`` finds the distributions to depend on by it.

        Raises catalogue.RegistryError for an unknown name: spaCy asks for ``en.<name>`` first.
        """
        try:
            function = self.load(name)
        except UnknownComponentError as error:
            raise catalogue.RegistryError(str(error)) from error
        return {
            "module": function.__module__,
            "file": inspect.getsourcefile(function),
            "line_no": inspect.getsourcelines(function)[1],
            "docstring": inspect.getdoc(function),
        }

    def load(self, name: str) -> Callable[..., Any]:
        """Return the function as it was registered; raises what ``get`` raises."""
        where = config_path(self.group, name)
        entries = self._advertised(name)
        if len(entries) > 1:
            raise PluginError(taken(where, name, [origin(entry) for entry in entries]))
        if not entries:
            try:
                return catalogue.REGISTRY[self.group, name]  # type: ignore[no-any-return]
            except KeyError:
                raise UnknownComponentError(self._unknown(where, name)) from None
        (entry,) = entries
        require_sound(where, entry)
        try:
            return entry.load()  # type: ignore[no-any-return]
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{where}: expected {name} to be importable, got {type(error).__name__}: {error}. "
                f"Repair, update or uninstall {origin(entry)}."
            ) from error

    def _advertised(self, name: str) -> list[EntryPoint]:
        return list(catalogue.AVAILABLE_ENTRY_POINTS.select(group=self.group, name=name))

    def _refuse_second(self, name: str, function: Callable[..., Any]) -> None:
        where, package = config_path(self.group, name), package_of(function.__module__)
        if is_reserved(name) and package != OURS:
            raise PluginError(reserved(where, name, home(function)))
        first = catalogue.REGISTRY.get((self.group, name))
        # A module that is imported again registers what it registered before.
        if first is not None and identity(first) != identity(function):
            raise PluginError(taken(where, name, [home(first), home(function)]))
        for entry in self._advertised(name):
            if package != package_of(entry.value) and distribution(entry) not in owners(package):
                raise PluginError(taken(where, name, [origin(entry), home(function)]))

    def _unknown(self, where: str, name: str) -> str:
        hints = [
            f"The name is registered in @{other.group}." for other in REGISTRIES if name in other
        ]
        if not hints:
            hints = self._meant(name)
        if broken := [plugin.error for plugin in installed_plugins() if plugin.error]:
            hints.append("Plugins that cannot be used:\n  " + "\n  ".join(broken))
        return expected(where, f"a name of @{self.group}", name, " ".join(filter(None, hints)))

    def _meant(self, name: str) -> list[str]:
        """What may be done about a name that nothing has."""
        if "." not in name:
            return [nearest(f"{OURS}.{name}.v1", self.names())]
        package, unversioned = name.split(".")[0], name.rpartition(".")[0]
        same = [repr(known) for known in self.names() if known.rpartition(".")[0] == unversioned]
        if same:
            newer = (
                f"If the config was made with a newer version of {package!r}, install that version."
            )
            return [f"Installed is {' or '.join(same)}.", newer]
        hints = [nearest(name, self.names())]
        if not is_reserved(name):
            hints.append(
                f"Install the plugin that provides it, by convention the package {package!r} or "
                f"'rnnpipe-{package}', or pass the file that registers it with --code."
            )
        return hints


embeddings = Registry("rnnpipe_embeddings")
encoders = Registry("rnnpipe_encoders")
poolers = Registry("rnnpipe_poolers")
decoders = Registry("rnnpipe_decoders")
filters = Registry("rnnpipe_filters")
symbols = Registry("rnnpipe_symbols")
outputs = Registry("rnnpipe_outputs")
pixel_outputs = Registry("rnnpipe_pixel_outputs")
attentions = Registry("rnnpipe_attentions")
adaptations = Registry("rnnpipe_adaptations")
structures = Registry("rnnpipe_structures")
edges = Registry("rnnpipe_edges")
REGISTRIES = (
    embeddings,
    encoders,
    poolers,
    decoders,
    filters,
    symbols,
    outputs,
    pixel_outputs,
    attentions,
    adaptations,
    structures,
    edges,
)


@dataclass(frozen=True)
class Plugin:
    """A function that another distribution registers.

    registry: where, ``"rnnpipe_encoders"``.
    name: how a config names it, ``"acme.QRNN.v1"``.
    target: what it is, ``"acme.qrnn:QRNN"``.
    error: why it cannot be used, or ``None``.
    """

    registry: str
    name: str
    target: str
    distribution: str
    version: str
    error: str | None


def installed_plugins() -> list[Plugin]:
    """What other distributions register, each imported to see whether it works, and what they meant
    to."""
    listing = _listing()
    plugins = [
        Plugin(registry.group, name, target, whose, release, _fault(registry, name))
        for registry in REGISTRIES
        for group, name, target, whose, release in listing
        if group == registry.group and whose != OURS
    ]
    groups = [registry.group for registry in REGISTRIES]
    return plugins + [
        Plugin(group, entry.name, *_whose(entry), mistaken(entry, groups))
        for group in sorted(catalogue.AVAILABLE_ENTRY_POINTS.groups)
        if is_mistaken(group, groups)
        for entry in catalogue.AVAILABLE_ENTRY_POINTS.select(group=group)
    ]


def _fault(registry: Registry, name: str) -> str | None:
    if name not in registry:
        return f"{name}: installed after Python started. Restart Python."
    try:
        registry.load(name)
    except PluginError as error:
        return str(error)
    return None


def _listing() -> list[tuple[str, str, str, str, str]]:
    """Group, name, target, distribution and version of every entry point of the registries."""
    import entrypoints

    groups = [registry.group for registry in REGISTRIES]
    try:
        found = [
            (group, entrypoints.EntryPoint.from_string(target, name, whose))
            for config, whose in entrypoints.iter_files_distros()
            for group in groups
            if group in config
            for name, target in config[group].items()
        ]
    except (
        configparser.Error,
        entrypoints.BadEntryPoint,
        zipfile.BadZipFile,
        OSError,
        ValueError,
    ):
        # One malformed entry_points.txt, of whatever package, stops it.
        return [
            (group, entry.name, *_whose(entry))
            for group in groups
            for entry in catalogue.AVAILABLE_ENTRY_POINTS.select(group=group)
        ]
    return [
        (
            group,
            entry.name,
            f"{entry.module_name}:{entry.object_name}",
            _hyphens(entry.distro.name),
            # A folder that "setup.py egg_info" was run in does not say it in its name.
            entry.distro.version or version(entry.distro.name),
        )
        for group, entry in found
    ]


def _whose(entry: EntryPoint) -> tuple[str, str, str]:
    """Target, distribution and version."""
    return entry.value, distribution(entry), entry.dist.version if entry.dist else ""


@functools.cache
def _checked(group: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return checked(group, name)(function)


def _hyphens(name: str) -> str:
    return name.replace("_", "-")
