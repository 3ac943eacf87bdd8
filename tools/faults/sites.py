"""Where a source file can be made wrong, and how."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest

from faults.nodes import (
    MASK,
    atom,
    integer,
    is_declaration,
    is_declared,
    is_step,
    is_text,
    last_name,
    unmasked,
)

KINDS = ("sign", "bound", "mask", "branch")

#: What stands in place of an operator: its kind and text, then the text of the fault.
_OPERATORS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Add: ("sign", "+", "-"),
    ast.Sub: ("sign", "-", "+"),
    ast.Mult: ("sign", "*", "* -"),
    ast.Div: ("sign", "/", "/ -"),
    ast.Lt: ("bound", "<", "<="),
    ast.LtE: ("bound", "<=", "<"),
    ast.Gt: ("bound", ">", ">="),
    ast.GtE: ("bound", ">=", ">"),
    ast.And: ("branch", "and", "or"),
    ast.Or: ("branch", "or", "and"),
}
#: Unary operators that are left out.
_UNARY: dict[type[ast.AST], tuple[str, str]] = {
    ast.Not: ("sign", "not"),
    ast.USub: ("sign", "-"),
    ast.Invert: ("mask", "~"),
}
_NEVER = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Fault:
    """One change of a file: the bytes from ``start`` to ``end`` become ``new``."""

    path: str
    line: int
    column: int
    kind: str
    before: str
    after: str
    #: The lines of the statement up to the end of the change.
    first: int
    last: int
    #: Whether the change is run when a function is called, not when the file is imported.
    in_function: bool
    start: int
    end: int
    new: str

    def planted(self, source: bytes) -> bytes:
        """Return the file's content with the fault."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def find(path: str, source: bytes) -> list[Fault]:
    """Return every fault that can be planted in a file, in the order of its lines."""
    faults = _Finder(path, source).faults
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.start, fault.end, fault.new))


def sample(faults: Iterable[Fault], number: int, seed: int) -> list[Fault]:
    """Return ``number`` faults drawn by ``seed``, as many of each kind as far as they last.

    Integers, of which there are more than of all else, are drawn as a kind of their own.
    """
    generator = random.Random(seed)
    of_kind: dict[str, list[Fault]] = {kind: [] for kind in (*KINDS, "integer")}
    for fault in faults:
        of_kind["integer" if fault.new.lstrip("-").isdigit() else fault.kind].append(fault)
    drawn = [generator.sample(some, len(some)) for some in of_kind.values()]
    in_turn = chain.from_iterable(zip_longest(*drawn))
    return [fault for fault in in_turn if fault is not None][:number]


def body_lines(source: bytes) -> set[int]:
    """Return the lines that run when a function is called."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, _FUNCTIONS)]
    return {
        line
        for function in functions
        for line in range(function.body[0].lineno, (function.end_lineno or 0) + 1)
    }


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Finder:
    """Walks over a file's syntax tree, and collects faults."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.faults: list[Fault] = []
        self.first = 1
        self.in_function = False
        self.visit(ast.parse(source))

    def visit(self, node: ast.AST) -> None:
        """Collect the faults of a node and of what it holds."""
        if isinstance(node, (ast.stmt, ast.excepthandler)):
            self.first = node.lineno
        if is_declaration(node):
            return
        for kind, start, end, new in self.of(node):
            self.add(kind, start, end, new)
        if isinstance(node, _NEVER) or integer(node) is not None:
            return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_comment"):
                continue
            inside = self.in_function
            self.in_function |= name == "body" and isinstance(node, _FUNCTIONS)
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    self.visit(child)
            self.in_function = inside

    def add(self, kind: str, start: int, end: int, new: str) -> None:
        """Add a fault if it changes the text."""
        if self.source[start:end] == new.encode():
            return
        line = self.source.count(b"\n", 0, start) + 1
        planted = self.source[:start] + new.encode() + self.source[end:]
        self.faults.append(
            Fault(
                path=self.path,
                line=line,
                column=start - self.starts[line - 1],
                kind=kind,
                before=self.source.splitlines()[line - 1].decode().strip(),
                after=planted.splitlines()[line - 1].decode().strip(),
                first=line if new == "pass" else min(self.first, line),
                last=self.source.count(b"\n", 0, end) + 1,
                in_function=self.in_function,
                start=start,
                end=end,
                new=new,
            )
        )

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert isinstance(node, (ast.expr, ast.stmt, ast.keyword, ast.pattern))
        assert node.end_lineno is not None and node.end_col_offset is not None
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def of(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        """Yield the faults of a node itself: kind, start, end, new text."""
        match node:
            case ast.BinOp():
                yield from self.of_binary(node)
            case ast.AugAssign(op=ast.BitAnd()):
                yield "mask", *self.span(node), "pass"
            case ast.AugAssign() if not is_text(node.value):
                yield from self.operator(node.op, node.target, node.value, "=")
            case ast.Compare():
                for left, op, right in zip(
                    [node.left, *node.comparators], node.ops, node.comparators, strict=False
                ):
                    yield from self.operator(op, left, right)
            case ast.BoolOp():
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield from self.operator(node.op, left, right)
            case ast.UnaryOp():
                yield from self.of_unary(node)
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                yield from self.off_by_one(node, value)
            case ast.Slice():
                for bound in (node.lower, node.upper):
                    if bound is not None and integer(bound) is None:
                        yield "bound", *self.span(bound), f"{atom(bound)} + 1"
                        yield "bound", *self.span(bound), f"{atom(bound)} - 1"
            case ast.Call():
                for text in unmasked(node):
                    yield "mask", *self.span(node), text
            case _:
                yield from self.of_branch(node)

    def of_binary(self, node: ast.BinOp) -> Iterator[tuple[str, int, int, str]]:
        """Yield another operator, or what is left without a mask."""
        sides = [node.left, node.right]
        if any(map(is_text, sides)):
            return
        for side, other in (sides, reversed(sides)):
            masks = isinstance(node.op, ast.Mult) and MASK.search(last_name(side))
            if masks or isinstance(node.op, ast.BitAnd):
                yield "mask", *self.span(node), atom(other)
        yield from self.operator(node.op, node.left, node.right)

    def operator(
        self, op: ast.AST, left: ast.AST, right: ast.AST, assigned: str = ""
    ) -> Iterator[tuple[str, int, int, str]]:
        """Yield the operator between two nodes in place of which another stands."""
        if type(op) not in _OPERATORS:
            return
        kind, old, new = _OPERATORS[type(op)]
        start, end = self.span(left)[1], self.span(right)[0]
        between = self.source[start:end]
        at = start + between.find(old.encode())
        if b"#" not in between:
            yield kind, at, at + len(old + assigned), new[0] + assigned + new[1:]

    def of_unary(self, node: ast.UnaryOp) -> Iterator[tuple[str, int, int, str]]:
        """Yield the node without its operator; a negative integer is a bound."""
        value = integer(node)
        if value is not None:
            yield from self.off_by_one(node, value)
        elif type(node.op) in _UNARY:
            kind, text = _UNARY[type(node.op)]
            start = self.span(node)[0]
            yield kind, start, start + len(text), ""

    def off_by_one(self, node: ast.expr, value: int) -> Iterator[tuple[str, int, int, str]]:
        """Yield the integers next to one."""
        for other in (value - 1, value + 1):
            yield "bound", *self.span(node), str(other)

    def of_branch(self, node: ast.AST) -> Iterator[tuple[str, int, int, str]]:
        """Yield conditions that always or never hold, and statements left out."""
        if isinstance(node, (ast.If, ast.IfExp, ast.While)):
            yield from self.decided(node.test, isinstance(node, ast.While))
        if isinstance(node, (ast.If, ast.For, ast.While)) and node.orelse:
            start, end = self.span(node.orelse[0])[0], self.span(node.orelse[-1])[1]
            yield "branch", start, end, "pass"
        if isinstance(node, ast.comprehension):
            for condition in node.ifs:
                yield "branch", *self.span(condition), "True"
        if isinstance(node, ast.Raise) or is_step(node):
            yield "branch", *self.span(node), "pass"

    def decided(self, test: ast.expr, loop: bool) -> Iterator[tuple[str, int, int, str]]:
        """Yield a condition that always holds, except of a loop, and one that never does."""
        if isinstance(test, ast.Constant) or is_declared(test):
            return
        binds = any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(test))
        condition = f"({ast.unparse(test)})"
        if not loop:
            yield "branch", *self.span(test), f"{condition} or True" if binds else "True"
        yield "branch", *self.span(test), f"{condition} and False" if binds else "False"
