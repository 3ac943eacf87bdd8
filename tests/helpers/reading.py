"""The code blocks of a page, and what its reader would have done with them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: A fenced block.
FENCED = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """language: as the fence names it. line: of the page, where the code begins."""

    language: str
    code: str
    line: int


def blocks(page):
    text = page.read_text(encoding="utf8")
    return [
        Block(match[2], match[3], text[: match.start(3)].count("\n") + 1)
        for match in FENCED.finditer(text)
    ]


def commands(code):
    """The lines of a shell block as lists of words; ``a && b`` are two commands."""
    lines = code.replace("\\\n", " ").splitlines()
    for line in lines:
        words = shlex.split(line, comments=True)
        while "&&" in words:
            end = words.index("&&")
            yield words[:end]
            words = words[end + 1 :]
        if words:
            yield words


def whole(code):
    """A fragment of a config with the sections above those that it has."""
    lines, known = [], set()
    for line in code.splitlines():
        if line.startswith("["):
            names = line.strip("[]").split(".")
            paths = [".".join(names[: n + 1]) for n in range(len(names))]
            lines += [f"[{path}]" for path in paths[:-1] if path not in known]
            known.update(paths)
        lines.append(line)
    return "\n".join(lines)
