"""The settings of a config block: checked against the annotations of what it names.

A config names functions, whose parameters are settings, and dataclasses, whose fields are.
confection fills, checks and calls them. It tells them neither where in the config they stand nor,
inside a component, under which name, and its errors do not either. So what is :func:`checked` looks
at the config first, with pydantic, and says where.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic_core import SchemaError

from rnnpipe.contracts.compat import asked_by_confection, config_in_progress
from rnnpipe.errors import PluginError, SettingsError, expected, nearest

F = TypeVar("F", bound=Callable[..., Any])
#: What is wrong with one setting: its name, what was expected, what came, what to do.
Problem = tuple[str, str, object, str]
#: A part of a config that names a function: ``{"@rnnpipe_encoders": "rnnpipe.LSTM.v1", ...}``.
Block = Mapping[str, Any]
#: The registry that a setting of this type (of :mod:`rnnpipe.contracts.types`) is filled from.
REGISTRY_OF = {
    "EmbeddingBuilder": "rnnpipe_embeddings",
    "EncoderBuilder": "rnnpipe_encoders",
    "PoolerBuilder": "rnnpipe_poolers",
    "DecoderBuilder": "rnnpipe_decoders",
    "SymbolsBuilder": "rnnpipe_symbols",
    "OutputBuilder": "rnnpipe_outputs",
    "GridEncoderBuilder": "rnnpipe_encoders",
    "PixelOutputBuilder": "rnnpipe_pixel_outputs",
    "AttentionBuilder": "rnnpipe_attentions",
    "Adaptation": "rnnpipe_adaptations",
    "DocStructure": "rnnpipe_structures",
    "DocEdges": "rnnpipe_edges",
    "SequenceGeneratorBuilder": "rnnpipe_decoders",
    "FilterBuilder": "rnnpipe_filters",
}
#: What tells apart the types that are filled from the same registry.
KIND = {
    "DecoderBuilder": " that labels",
    "SequenceGeneratorBuilder": " that generates text",
    "GridEncoderBuilder": " that reads images",
}


def checked(registry: str, name: str) -> Callable[[F], F]:
    """Decorate a function or a dataclass that a config names as ``@registry = "name"``.

    The result is a function that validates the settings, also when it is called from Python. One
    that is unknown, missing, of the wrong type or out of range raises SettingsError with its config
    path; a SettingsError that the function or ``__post_init__`` raises gets the path too.

    Raises PluginError if it takes ``*args`` or ``**kwargs``, or its annotations cannot be checked.
    """

    def decorate(function: F) -> F:
        return cast(F, _wrap(registry, name, function))

    return decorate


def config_path(registry: str, name: str, settings: Mapping[str, Any] | None = None) -> str:
    """Where the config that is being read names this function with these settings; ``name`` if no
    config is being read."""
    blocks = list(_blocks_naming(registry, name))
    for path, block in blocks:
        if all(_agree(block.get(key, value), value) for key, value in (settings or {}).items()):
            return path
    return blocks[0][0] if blocks else name


def describe_settings(name: str, function: Callable[..., Any]) -> dict[str, str]:
    """Say in words what each setting of a registered function or dataclass may be: ``{"width": "an
    integer greater than 0"}``. Raises PluginError as :func:`checked` does."""
    types = _Contract(name, inspect.unwrap(function)).types
    return {key: kind.description for key, kind in types.items()}


def _wrap(registry: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    contract = _Contract(name, function)

    @functools.wraps(function, updated=())
    def call(*args: Any, **settings: Any) -> Any:
        settings = {**contract.signature.bind_partial(*args).arguments, **settings}
        values, problems = contract.check(settings)
        if problems:
            raise SettingsError(_report(config_path(registry, name, settings), problems))
        try:
            return function(**values)
        except SettingsError as error:
            text = contract.relocate(str(error), config_path(registry, name, settings))
            raise SettingsError(text).with_traceback(error.__traceback__) from None

    def check_config() -> None:
        for path, block in _blocks_naming(registry, name):
            _, problems = contract.check({k: v for k, v in block.items() if not _is_name(k)})
            if problems:
                raise SettingsError(_report(path, problems))

    call.__annotations__ = {}  # confection must leave the types to us: see _Signature
    call.__signature__ = _Signature(contract.signature, check_config)  # type: ignore[attr-defined]
    return call


class _Signature(inspect.Signature):
    """The settings of a function. confection reads them right before it checks a block against
    them: that is when our check runs, so that its errors come first. What confection reads has no
    types; ``help`` shows them."""

    __slots__ = ("_check_config",)

    def __init__(self, signature: inspect.Signature, check_config: Callable[[], None]) -> None:
        super().__init__([*signature.parameters.values()])
        self._check_config = check_config

    @property
    def parameters(self) -> Any:
        parameters = super().parameters
        if not asked_by_confection():
            return parameters
        self._check_config()
        return {k: p.replace(annotation=p.empty) for k, p in parameters.items()}


class _Contract:
    """The settings that a registered function or dataclass takes."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function
        self.signature = inspect.signature(function)
        for parameter in self.signature.parameters.values():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise PluginError(expected(name, "a function of named settings", str(parameter)))

    @functools.cached_property
    def types(self) -> dict[str, _SettingType]:
        try:
            # Of a class that is no dataclass, the parameters are those of __init__.
            bare = isinstance(self.function, type) and not dataclasses.is_dataclass(self.function)
            typed = self.function.__init__ if bare else self.function
            hints = typing.get_type_hints(typed, include_extras=True)
            return {key: _SettingType(hints.get(key, Any)) for key in self.signature.parameters}
        except (NameError, PydanticSchemaGenerationError, SchemaError) as error:
            do = "Import the types of settings at run time, and mark protocols runtime_checkable."
            want = f"{self.name}: expected annotations that pydantic can check, got {error}."
            raise PluginError(f"{want} {do}") from error

    def check(self, settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """Return the settings as the function wants them (1 as 1.0 where a float is due), and what
        is wrong with them."""
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        parameters = self.signature.parameters
        for key in settings:
            if key not in parameters:
                do = nearest(key, parameters.keys() - {"nlp", "name"})
                problems.append((key, f"a setting of {self.name}", key, do))
        for key, parameter in parameters.items():
            if key in settings:
                values[key], wrong = self.types[key].check(key, settings[key])
                problems.extend(wrong)
            elif parameter.default is parameter.empty:
                problems.append((key, self.types[key].description, "no value", f"Set {key}."))
        return values, problems

    def relocate(self, message: str, path: str) -> str:
        """Return a message about a setting, or about the function by name, with the path before
        it."""
        if message.startswith(("components.", path)):
            return message
        message = re.sub(rf"^{re.escape(self.name)}[:,.\s]*", "", message)
        setting = re.match(r"(\w+)[:.\[]", message)
        inside = setting is not None and setting[1] in self.signature.parameters
        return path + ("." if inside else ": ") + message


class _SettingType:
    """What one setting may be."""

    def __init__(self, annotation: Any) -> None:
        self.adapter = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
        part = next(filter(_registry_of, _leaves(annotation)), None)
        self.registry = _registry_of(part)
        self.kind = KIND.get(getattr(part, "__name__", ""), "")

    @functools.cached_property
    def description(self) -> str:
        """In words; '' for a Python object that no config can hold."""
        if self.registry:
            return f"a block with @{self.registry}{self.kind}"
        try:
            return _describe(self.adapter.json_schema())
        except PydanticInvalidForJsonSchema:
            return "a block that makes such an object"

    def check(self, key: str, value: Any) -> tuple[Any, list[Problem]]:
        if blocks := list(_blocks(key, value, nested=False)):
            # What a block makes is checked when it is made; here, that it comes from our registry.
            came = [(path, next(filter(_is_name, block))) for path, block in blocks]
            wrong: list[Problem] = [
                (path, self.description, reference, "") for path, reference in came
            ]
            return value, [w for w in wrong if self.registry and w[2] != f"@{self.registry}"]
        try:
            return self.adapter.validate_python(value), []
        except ValidationError:
            return value, [(key, self.description, value, "")]


def _registry_of(annotation: Any) -> str | None:
    ours = getattr(annotation, "__module__", "").startswith("rnnpipe.contracts.types.")
    return REGISTRY_OF.get(annotation.__name__) if ours else None


def _leaves(annotation: Any) -> Iterator[Any]:
    """``A``, ``B`` and ``C`` of ``dict[A, B] | C``."""
    arguments = typing.get_args(annotation)
    for argument in arguments:
        yield from _leaves(argument)
    if not arguments:
        yield annotation


def _describe(schema: Mapping[str, Any]) -> str:
    """Return a JSON schema in words.

    >>> _describe({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]})
    'an integer greater than 0 or null'
    """
    if "anyOf" in schema:
        return " or ".join(_describe(option) for option in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    if "const" in schema:
        return repr(schema["const"])
    bounds = {
        "minimum": "of at least",
        "exclusiveMinimum": "greater than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    within = " and ".join(f"{text} {schema[k]:g}" for k, text in bounds.items() if k in schema)
    kinds = {
        "integer": f"an integer {within}".strip(),
        "number": f"a number {within}".strip(),
        "boolean": "true or false",
        "string": "text",
        "null": "null",
        "array": "a list",
        "object": "a mapping",
    }
    return kinds.get(schema.get("type", ""), "a value")


def _report(path: str, problems: list[Problem]) -> str:
    return "\n".join(expected(f"{path}.{key}", want, got, do) for key, want, got, do in problems)


def _agree(written: Any, made: Any) -> bool:
    """Return whether a setting may have come from what the config says; what a block makes may."""
    return isinstance(written, Mapping) or written is made or bool(written == made)


def _blocks_naming(registry: str, name: str) -> Iterator[tuple[str, Block]]:
    for path, block in _blocks(*config_in_progress()):
        if block.get(f"@{registry}") == name:
            yield path, block


def _blocks(path: str, value: Any, nested: bool = True) -> Iterator[tuple[str, Block]]:
    """Return every block in a part of a config, with its path; without those inside others if not
    ``nested``."""
    if not isinstance(value, Mapping):
        return
    is_block = any(map(_is_name, value))
    if is_block:
        yield path, value
    if nested or not is_block:
        for key, part in value.items():
            yield from _blocks(f"{path}.{key}" if path else str(key), part, nested)


def _is_name(key: object) -> bool:
    """Return whether a key of a block is the one that names the function."""
    return isinstance(key, str) and key.startswith("@")
