"""The directive ``objects``: classes and functions of a module, from their docstrings.

```{objects} rnnpipe.testing
check_encoder
check_pooler
```

A name may have a module of its own before it, ``lm.RnnLanguageModel`` of ``rnnpipe.components``.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from textwrap import dedent

from registered import settings_of
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

#: The fields that the entries of a section become.
SECTIONS = {"Args": "param", "Raises": "raises"}


class Objects(SphinxDirective):
    required_arguments = 1
    has_content = True

    def run(self):
        entries = "\n\n".join(entry(f"{self.arguments[0]}.{name}") for name in self.content)
        return self.parse_text_to_nodes(f"```{{eval-rst}}\n{entries}\n```")


def entry(path: str) -> str:
    """The directive of autodoc that shows an object."""
    module, _, name = path.rpartition(".")
    found = getattr(import_module(module), name)
    if not inspect.isclass(found):
        return f".. autofunction:: {path}"
    lines = [f".. autoclass:: {path}", "   :members:"]
    if is_protocol(found):
        # What a contract asks for may need no words.
        lines += ["   :undoc-members:", "   :special-members: __call__"]
    else:
        # What a base class of ours promises is described there.
        bases = [base for base in found.__mro__[1:] if base.__module__.startswith("rnnpipe.")]
        lines.append(
            f"   :exclude-members: {', '.join(sorted({n for b in bases for n in vars(b)}))}"
        )
    return "\n".join(lines)


def is_protocol(found: object) -> bool:
    return bool(getattr(found, "_is_protocol", False))


def write_fields(app, what, name, obj, options, lines: list[str]) -> None:
    """Make a field list of what a docstring says of parameters: ``width: of the states.``"""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(map(fields, paragraphs)).split("\n") + [""]


def fields(paragraph: str) -> str:
    section, _, body = paragraph.strip("\n").partition(":\n")
    if section == "Returns":
        return f":returns: {' '.join(body.split())}"
    role, text = SECTIONS.get(section, "param"), dedent(body) if section in SECTIONS else paragraph
    entries = [] if text.startswith(" ") else list(settings_of(text.strip("\n")))
    said = {"RAISES": ":raises:", "RETURNS": ":returns:"}
    written = [f"{said.get(name, f':{role} {name}:')} {meaning}" for name, meaning in entries]
    return "\n".join(written) or paragraph


def drop_signature(app, what, name, obj, options, signature, returns):
    """A contract is not called to make one."""
    return ("", None) if what == "class" and is_protocol(obj) else None


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("objects", Objects)
    app.connect("autodoc-process-docstring", write_fields)
    app.connect("autodoc-process-signature", drop_signature)
    return {"parallel_read_safe": True}
