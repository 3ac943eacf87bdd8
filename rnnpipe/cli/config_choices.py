"""A config that trains, out of a shipped one and some choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnnpipe.cli.config_text import Block, ConfigText, commented, shipped_config, together
from rnnpipe.cli.parts import FACTORIES, find_part, parts_of, registries
from rnnpipe.cli.tasks import TASKS, Task
from rnnpipe.contracts.distributions import OURS
from rnnpipe.errors import SettingsError, expected, nearest

#: What the widths of the shipped config are multiplied by.
SIZES = {"small": 0.5, "medium": 1.0, "large": 2.0}
_LOGGER = "Set path to a new file to plot the run with 'spacy rnn curves'."


@dataclass(frozen=True)
class Choices:
    """parts: names by the block they go to, ``{"encoder": "BiGRU"}``. vectors: of spaCy's, a path
    or a package. data: ``"spacy"`` for files in its format, ``"text"`` for the shipped config's."""

    task: str
    lang: str | None
    parts: Mapping[str, str]
    size: str
    gpu: bool
    vectors: str | None
    data: str | None


def config_for(choices: Choices, name: str) -> str:
    """Return the text of a config. name: of the file, for the command in its head.

    Raises SettingsError or UnknownComponentError: a choice that does not exist, or does not fit
    the task."""
    task = TASKS[_one_of("TASK", choices.task, TASKS)]
    config = ConfigText.read(shipped_config(task.template))
    where = f"components.{task.component}"
    _keep_component(config, task)
    for below, settings in task.changes.items():
        for key, value in settings.items():
            config[where + below].set(key, value)
    _read(config, task, choices.data)
    _use_vectors(config, where, choices.vectors)
    for part, given in choices.parts.items():
        _choose(config, f"{where}.model.{part}", part, given)
    factor = SIZES[_one_of("--size", choices.size, SIZES)]
    for block in config.inside(f"{where}.model"):
        _scale(block, factor)
    if choices.lang is not None:
        config["nlp"].set("lang", f'"{choices.lang}"')
    if choices.gpu:
        config["system"].set("gpu_allocator", '"pytorch"')
    logger = {"@loggers": '"rnnpipe.Console.v1"', "path": "null"}
    config.put("training.logger", logger, after="training").comment(_LOGGER)
    _explain(config, task)
    config.head = _head(config, task, choices, name)
    return str(config)


def _one_of(where: str, given: str, known: Mapping[str, object]) -> str:
    if given not in known:
        do = nearest(given, known) or "Choose one of them."
        raise SettingsError(expected(where, "one of " + ", ".join(known), given, do))
    return given


def _keep_component(config: ConfigText, task: Task) -> None:
    """Leave one component, and the scores that are its own."""
    for block in list(config.blocks):
        if block.name.startswith("components.") and block.name.split(".")[1] != task.component:
            config.remove(block.name)
    config["nlp"].set("pipeline", f'["{task.component}"]')
    for score, weight in task.scores.items():
        config["training.score_weights"].set(score, weight)


def _read(config: ConfigText, task: Task, data: str | None) -> None:
    """Read files in spaCy's format, unless the task or the user wants the shipped config's own."""
    if data is not None:
        _one_of("--data", data, {"spacy": None, "text": None})
    if task.text and data == "spacy":
        got, do = "'spacy', a format that cannot store its annotation", "Omit the option."
        raise SettingsError(f"--data: expected 'text' for this task, got {got}. {do}")
    if task.text or data == "text":
        return
    for corpus in ("train", "dev"):
        block = config[f"corpora.{corpus}"]
        if block.get("@readers") != '"spacy.Corpus.v1"':
            config.put(
                block.name,
                {"@readers": '"spacy.Corpus.v1"', "path": f"${{paths.{corpus}}}"},
                after="corpora",
            )


def _use_vectors(config: ConfigText, where: str, vectors: str | None) -> None:
    parts = f"{where}.model.embedding.parts"
    if f"{parts}.vectors" not in config:
        if vectors is not None:
            do = "Omit them, or choose another task."
            raise SettingsError(expected("--vectors", "no vectors for this task", vectors, do))
        return
    if vectors is not None:
        config["paths"].set("vectors", f'"{vectors}"')
        return
    config.remove(f"{parts}.vectors")
    config.remove("initialize")
    config["paths"].remove("vectors")
    config[f"{parts}.words"].remove("norm")  # words are then known by their norms


def _choose(config: ConfigText, name: str, part: str, given: str) -> None:
    """Name another part there; settings that both have, of the same kind, stay."""
    old = config[name] if name in config else Block(name)
    key = next((key for key, _ in old.settings() if key.startswith("@")), f"@{OURS}_{part}s")
    registry = key.removeprefix("@")
    found = find_part(registry, f"--{part}", given)
    before = [p for p in parts_of(registry) if f'"{p.name}"' == old.get(key)]
    kinds = {(s.name, s.kind) for p in before for s in p.settings}
    known = {s.name for s in found.settings if (s.name, s.kind) in kinds}
    kept = {key: value for key, value in old.settings() if key in known}
    config.put(name, {key: f'"{found.name}"', **kept}, after=f"{name.rpartition('.')[0]}.encoder")


def _scale(block: Block, factor: float) -> None:
    for key, value in list(block.settings()):
        if key in ("width", "char_width") and factor != 1.0:
            block.set(key, str(max(1, round(int(value) * factor))))


def _explain(config: ConfigText, task: Task) -> None:
    """Say of each part of ours what it is, where it is named first, and what else could be set."""
    config["training.score_weights"].comment(task.judged)
    said: set[str] = set()
    for block in config.blocks:
        for key, value in list(block.settings()):
            if (key == "factory" or key.startswith("@")) and value not in said:
                said.add(value)
                _say(block, FACTORIES if key == "factory" else key[1:], value)


def _say(block: Block, registry: str, value: str) -> None:
    if registry not in registries():
        return
    written = {key for key, _ in block.settings()}
    for part in parts_of(registry):
        if f'"{part.name}"' == value:
            left = [s for s in part.settings if s.name not in written and s.default is not None]
            could = [f"{s.name} = {s.default}" for s in left if not s.kind.startswith("a block")]
            more = f" Other settings: {together(could)}." if could else ""
            block.comment(part.summary + more)


def _head(config: ConfigText, task: Task, choices: Choices, name: str) -> list[str]:
    train = config.inside("corpora.train")
    readers = [block.get("@readers") for block in train]
    found = [part.summary for part in parts_of("readers") if f'"{part.name}"' in readers]
    data = " ".join(found) or "Files in spaCy's format, as 'spacy convert' writes them."
    same = any(block.get("part") or block.get("share") for block in train)
    shares = " Train and dev are the same file; each reads its own share." if same else ""
    gpu = " --gpu-id 0" if choices.gpu else ""
    return [
        *commented(
            f"{task.what}. Made by 'spacy rnn init-config {choices.task}' from {task.template}.cfg "
            "of rnnpipe; 'spacy rnn info NAME' describes a part named here."
        ),
        *commented(f"The data: {data}{shares}"),
        f"#   spacy train {name} --paths.train TRAIN --paths.dev DEV --output out{gpu}",
    ]
