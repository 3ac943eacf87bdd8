"""Formulas as MathML, which browsers show without a script: ``html_math_renderer = "mathml"``.

:func:`latex` reads the formulas of docstrings, which are written to be read as plain text.
"""

from __future__ import annotations

import re

from docutils.nodes import SkipNode, math, math_block
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

#: Names of several letters that formulas have; others, such as ``beam_size``, are no formula.
NAMES = {name: rf"\{name}" for name in ("exp", "log", "mu", "pi", "sigma", "sum", "tanh")} | {
    name: rf"\operatorname{{{name}}}" for name in ("gate", "mean", "sigmoid", "softmax")
}
SUBSCRIPTS = {name: rf"\mathrm{{{name}}}" for name in ("in", "left", "out", "right")} | {"kl": "kl"}
SIGNS = {"*": r"\ast ", ".": r"\cdot ", "|": r"\mid ", "...": r"\dots "}
TOKEN = re.compile(
    r"_(?P<index>\{[\w +-]+\}|(?:\w,)?\w\(\w\)|[A-Za-z]+|\d)|(?P<name>[A-Za-z]+)"
    r"|\^\w|\.\.\.|[\d ()\[\],;=+*/.|'-]"
)


def latex(plain: str) -> str | None:
    """Return a formula such as ``h_t = o * tanh(c_t)`` in LaTeX, or None for other text."""
    written, end = "", 0
    for match in TOKEN.finditer(plain):
        if match.start() != end:
            return None
        end = match.end()
        text = known = match[match.lastgroup or 0]
        if match.lastgroup == "index" and text.isalpha():
            known = SUBSCRIPTS.get(text, text)
        elif match.lastgroup == "name":
            known = NAMES.get(text, text)
        if text.isalpha() and len(text) > 1 and known == text != "kl":
            return None
        written += f"_{{{known}}}" if match.lastgroup == "index" else SIGNS.get(text, known + " ")
    return None if end < len(plain) or plain[-1] in "+=-" else written


def latex_lines(lines: list[str]) -> str | None:
    """Return equations, one per line, as aligned LaTeX, or None if a line is no equation. What
    follows after three spaces or more is a remark, or a second equation."""
    rows = []
    for line in lines:
        formula, _, remark = re.sub(" {3,}", "\0", line.strip()).partition("\0")
        left, equals, right = (latex(formula) or "").partition("=")
        if not equals or "\0" in remark:
            return None
        aside = latex(remark) if "=" in remark else None
        rows.append(f"{left} &= {right}" + (f"&& {aside or text(remark)}" if remark else ""))
    return r"\begin{align*}" + r" \\ ".join(rows) + r"\end{align*}"


def text(remark: str) -> str:
    return rf"\text{{{remark}}}"


def inline(writer: HTML5Translator, node: math) -> None:
    writer.body.append(convert(node.astext()))
    raise SkipNode


def block(writer: HTML5Translator, node: math_block) -> None:
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>\n')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
