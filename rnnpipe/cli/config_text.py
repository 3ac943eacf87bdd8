"""A config as its text, so that what is changed in it leaves the comments of the rest."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_WIDTH = 100
#: A space that stays.
_NO_BREAK = "\N{NO-BREAK SPACE}"


def shipped_config(name: str) -> Path:
    """One of ``configs/``: installed inside the package, and beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "configs" / f"{name}.cfg"
    return installed if installed.exists() else package.parent / "configs" / f"{name}.cfg"


@dataclass
class Block:
    """A section: what stands under ``[name]``, line by line, without blank lines."""

    name: str
    lines: list[str] = field(default_factory=list)

    def get(self, key: str) -> str | None:
        """What the config says, in JSON."""
        return next((v for k, v in self.settings() if k == key), None)

    def settings(self) -> Iterator[tuple[str, str]]:
        for line in self.lines:
            key, equals, value = line.partition(" = ")
            if equals and not line.startswith("#"):
                yield key, value

    def set(self, key: str, value: str) -> None:
        line = f"{key} = {value}"
        places = [i for i, old in enumerate(self.lines) if old.startswith(f"{key} = ")]
        if places:
            self.lines[places[0]] = line
        else:
            self.lines.append(line)

    def remove(self, key: str) -> None:
        self.lines = [line for line in self.lines if not line.startswith(f"{key} = ")]

    def comment(self, text: str) -> None:
        """Put a comment above all else."""
        self.lines[:0] = commented(text)


@dataclass
class ConfigText:
    """The blocks of a config in their order, below what is said of it as a whole."""

    head: list[str]
    blocks: list[Block]

    @classmethod
    def read(cls, path: Path) -> ConfigText:
        config = cls([], [])
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                config.blocks.append(Block(line.strip("[]")))
            elif line and config.blocks:
                config.blocks[-1].lines.append(line)
            elif line:
                config.head.append(line)
        return config

    def __str__(self) -> str:
        parts = ["\n".join(self.head)] if self.head else []
        parts += ["\n".join([f"[{block.name}]", *block.lines]) for block in self.blocks]
        return "\n\n".join(parts) + "\n"

    def __contains__(self, name: str) -> bool:
        return any(block.name == name for block in self.blocks)

    def __getitem__(self, name: str) -> Block:
        return next(block for block in self.blocks if block.name == name)

    def inside(self, name: str) -> list[Block]:
        """The block of that name and those below it."""
        return [b for b in self.blocks if b.name == name or b.name.startswith(f"{name}.")]

    def remove(self, name: str) -> None:
        """The block of that name and those below it."""
        inside = self.inside(name)
        self.blocks = [block for block in self.blocks if block not in inside]

    def put(self, name: str, settings: Mapping[str, str], after: str) -> Block:
        """A block in place of the one of that name and those below it; if there is none, after the
        block ``after`` and those below that."""
        block = Block(name, [f"{key} = {value}" for key, value in settings.items()])
        place = next((i for i, b in enumerate(self.blocks) if b.name == name), None)
        if place is None:
            place = 1 + self.blocks.index(self.inside(after)[-1])
        self.remove(name)
        self.blocks.insert(place, block)
        return block


def commented(text: str) -> list[str]:
    """A paragraph as comment lines."""
    lines = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


def together(items: Iterable[str]) -> str:
    """Items for :func:`commented`, none of which is split between lines."""
    return ", ".join(item.replace(" ", _NO_BREAK) for item in items)
