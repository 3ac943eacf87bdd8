"""What a config can name, described: settings, text, origin."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import Any

import catalogue
from spacy.language import Language
from spacy.util import registry as spacy_registry
from thinc.api import Config

import rnnpipe.components.factories  # noqa: F401 - makes our registries and factories spaCy's
from rnnpipe.contracts.distributions import OURS
from rnnpipe.contracts.registry import REGISTRIES, Registry
from rnnpipe.contracts.settings import describe_settings
from rnnpipe.errors import PluginError, SettingsError, UnknownComponentError, expected, nearest

FACTORIES = "factories"
#: spaCy's registries with names of ours in them.
SPACYS = ("architectures", "readers", "batchers", "scorers", "loggers")


@dataclass(frozen=True)
class Setting:
    """kind: what it may be, in words. default: as a config has it; ``None``: it must be set."""

    name: str
    kind: str
    default: str | None


@dataclass(frozen=True)
class Part:
    """Something that a config can name.

    registry: by which key: ``@registry = "name"``; for a component, ``factory = "name"``.
    distribution, version: of the package it comes from.
    """

    registry: str
    name: str
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        return f"{self.distribution} {self.version}"

    @cached_property
    def error(self) -> str | None:
        """Why it cannot be used, if so."""
        try:
            self._load()
        except PluginError as error:
            return str(error)
        return None

    @cached_property
    def documentation(self) -> str:
        """Its docstring and those of the classes to which that refers, code in double backticks."""
        documented = self._component() if self.registry == FACTORIES else self._load()
        return _whole(inspect.getdoc(documented) or "", documented.__module__)

    @property
    def text(self) -> str:
        """The documentation as plain text."""
        return self.documentation.replace("``", "")

    @property
    def summary(self) -> str:
        """The first sentence of its docstring; its error if it cannot be used."""
        return self.error or first_sentence(self.text)

    @cached_property
    def settings(self) -> list[Setting]:
        function = inspect.unwrap(self._load())
        defaults = self._defaults(function)
        kinds = describe_settings(self.name, function)
        if self.registry == FACTORIES:
            kinds = {key: kinds[key] for key in defaults}
        return [
            Setting(key, kind, _shown(defaults[key]) if key in defaults else None)
            for key, kind in kinds.items()
        ]

    @property
    def example(self) -> str:
        """How a config names it: the whole default block of a component, or one that only has the
        settings that must be set."""
        if self.registry == FACTORIES:
            block = {"factory": self.name, **self._defaults(self._load())}
            return str(Config({"components": {"NAME": block}}).to_str()).split("\n\n", 1)[1]
        required = [f"{s.name} = …" for s in self.settings if s.default is None]
        return "\n".join([f'@{self.registry} = "{self.name}"', *required])

    def _load(self) -> Callable[..., Any]:
        registry = getattr(spacy_registry, self.registry)
        # Ours has a get of its own, which needs the annotations to be in order.
        function: Callable[..., Any]
        function = (registry.load if isinstance(registry, Registry) else registry.get)(self.name)
        return function

    def _component(self) -> type:
        return type(Language().add_pipe(self.name))

    def _defaults(self, function: Callable[..., Any]) -> dict[str, Any]:
        if self.registry == FACTORIES:
            return dict(Language.get_factory_meta(self.name).default_config or {})
        parameters = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}


def registries() -> list[str]:
    """The keys by which a config names something of ours."""
    return [FACTORIES, *(r.group for r in REGISTRIES), *SPACYS]


def find_registry(given: str) -> str:
    """``"encoders"``, ``"rnnpipe_encoders"`` or ``"@rnnpipe_encoders"`` to the second of these.

    Raises SettingsError for another."""
    name = given.removeprefix("@")
    known = registries()
    for registry in (name, f"{OURS}_{name}"):
        if registry in known:
            return registry
    short = [registry.removeprefix(f"{OURS}_") for registry in known]
    want = "one of " + ", ".join(short)
    raise SettingsError(expected("REGISTRY", want, given, nearest(name, short)))


def parts_of(registry: str) -> list[Part]:
    """What is registered there by us and, in our registries, by others; sorted."""
    if registry == FACTORIES:
        names = [name for name in spacy_registry.factories.get_all() if name.startswith("rnn_")]
        version = import_module(OURS).__version__
        return [Part(registry, name, OURS, version) for name in sorted(names)]
    if registry in SPACYS:
        entries = _entries(f"spacy_{registry}")
        return [_part(registry, e) for e in entries if e.name.startswith(f"{OURS}.")]
    return [_part(registry, entry) for entry in _entries(registry)]


def find_parts(given: str) -> list[Part]:
    """What is registered under a name, ``"rnnpipe.LSTM.v1"``, or under one that has it in the
    middle, ``"LSTM"``: in several registries, perhaps.

    Raises UnknownComponentError if there is nothing."""
    everything = [part for registry in registries() for part in parts_of(registry)]
    found = [part for part in everything if part.name == given]
    found = found or [part for part in everything if short_name(part.name) == given]
    if not found:
        names = {name for part in everything for name in (part.name, short_name(part.name))}
        do = f"{nearest(given, names)} 'spacy rnn list' shows all names."
        raise UnknownComponentError(expected("NAME", "a registered name", given, do.strip()))
    return found


def find_part(registry: str, where: str, given: str) -> Part:
    """The part of one registry that is registered under a name, or has it in the middle.

    where: what was given, for the error. Raises UnknownComponentError if there is no such part."""
    parts = parts_of(registry)
    for part in parts:
        if given in (part.name, short_name(part.name)):
            return part
    near = nearest(given, {name for part in parts for name in (part.name, short_name(part.name))})
    do = near or f"'spacy rnn list {registry}' shows all names."
    raise UnknownComponentError(expected(where, f"a name of @{registry}", given, do))


def short_name(name: str) -> str:
    """``"LSTM"`` of ``"rnnpipe.LSTM.v1"``."""
    return name.split(".")[-2] if name.count(".") > 1 else name


def first_sentence(text: str) -> str:
    paragraph = " ".join(text.partition("\n\n")[0].split())
    # A point ends it unless it stands after "et al" or is a product: v . tanh(x).
    end = r"(?<!et al\.)(?<! \.)(?<=\.)\s(?=[A-Z])|: see |::"
    return re.split(end, paragraph, maxsplit=1)[0].removesuffix(".") + "."


def _entries(group: str) -> list[EntryPoint]:
    entries = catalogue.AVAILABLE_ENTRY_POINTS.select(group=group)
    # Of two with one name, the registry refuses both; one row says so.
    return sorted({entry.name: entry for entry in entries}.values(), key=_name)


def _name(entry: EntryPoint) -> str:
    return entry.name


def _part(registry: str, entry: EntryPoint) -> Part:
    name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "")
    return Part(registry, entry.name, name, version)


_REFERENCE = re.compile(r":(?:class|func|data|meth|mod):`~?([\w.]+)`")


def _whole(text: str, module: str) -> str:
    """Return a docstring with those of the classes it refers to; their names become code."""
    seen = dict.fromkeys(_documented(re.findall(r"see\s+:class:`~?([\w.]+)`", text), module))
    paragraphs = "\n\n".join([text, *seen]).split("\n\n")
    whole = "\n\n".join(sorted(paragraphs, key=lambda p: p.startswith("Raises:")))
    return _REFERENCE.sub(lambda match: f"``{match[1].rpartition('.')[2]}``", whole).strip()


def _documented(paths: Iterable[str], module: str) -> Iterator[str]:
    for path in paths:
        home, _, name = path.rpartition(".")
        yield inspect.getdoc(getattr(import_module(home or module), name)) or ""


def _shown(value: Any) -> str:
    """A default as a config has it."""
    if isinstance(value, dict):
        named = [v for key, v in value.items() if key.startswith("@")]
        return f"a block with {named[0]}" if named else "a block"
    text = Config({"section": {"key": value}}).to_str() if _is_plain(value) else repr(value)
    return text.partition("key = ")[2] if _is_plain(value) else text


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, tuple))
