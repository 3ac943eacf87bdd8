"""The directive ``registered``: all that a config can name in one registry, from its docstrings.

```{registered} encoders
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from mathml import latex, latex_lines
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rnnpipe.cli.parts import Part, find_registry, parts_of, short_name
from rnnpipe.contracts.distributions import OURS

#: A line that says what some settings mean: ``width: of each direction`` or ``locked, skip: ...``.
SETTING = re.compile(r"(\w+(?:, \w+)*): (.+)")
CODE = re.compile("``([^`]+)``")


class Registered(SphinxDirective):
    required_arguments = 1

    def run(self):
        parts = parts_of(find_registry(self.arguments[0]))
        ours = [part for part in parts if part.distribution == OURS]
        text = "\n\n".join(page_section(part) for part in ours)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def page_section(part: Part) -> str:
    """Markdown: the docstring, a table of the settings, and how a config names it."""
    meanings, paragraphs = {}, []
    for paragraph in part.documentation.split("\n\n"):
        said = dict(settings_of(paragraph))
        if said.keys() & {setting.name for setting in part.settings}:
            meanings |= said
        else:
            paragraphs.append(markdown(paragraph))
    rows = [
        f"| `{s.name}` | {cell(meanings.get(s.name, ''))} | {cell(s.kind)} | {default(s.default)} |"
        for s in part.settings
    ]
    table = ["| Setting | Meaning | Allowed values | Default |\n| --- | --- | --- | --- |", *rows]
    return "\n\n".join(
        [
            f"## {short_name(part.name)}",
            *paragraphs,
            "\n".join(table) if rows else "",
            f"```ini\n{part.example}\n```",
        ]
    )


def markdown(paragraph: str) -> str:
    """A paragraph of a docstring, its formulas as mathematics."""
    equations = latex_lines(paragraph.split("\n")) if paragraph.startswith("    ") else None
    if equations:
        return f"$$\n{equations}\n$$"
    if paragraph.startswith("Raises:\n"):
        entries = settings_of(dedent(paragraph.removeprefix("Raises:\n")))
        paragraph = "\n".join(["Raises:\n", *(f"- `{name}`: {when}" for name, when in entries)])
    # What stands indented after a double colon is code in Markdown too.
    return CODE.sub(formula, re.sub("::$", ":", paragraph))


def formula(code: re.Match[str]) -> str:
    written = latex(code[1]) if re.search("[_=+]", code[1]) else None
    return f"${written.strip()}$" if written else code[0]


def settings_of(paragraph: str) -> Iterator[tuple[str, str]]:
    """What a paragraph of a docstring says of settings; nothing if it speaks of other things."""
    entries = re.split(r"\n(?=\S)", paragraph)
    matches = [SETTING.fullmatch(" ".join(entry.split())) for entry in entries]
    if all(matches):
        yield from ((name, m[2]) for m in matches for name in m[1].split(", "))


def cell(text: str) -> str:
    return text.replace("|", r"\|")


def default(value: str | None) -> str:
    return "must be set" if value is None else f"`{cell(value)}`"


def setup(app: Sphinx):
    app.add_directive("registered", Registered)
    return {"parallel_read_safe": True}
