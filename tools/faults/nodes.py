"""What a node of a syntax tree is, and its text without a part."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

#: The names of masks.
MASK = re.compile(r"(^|_)(masks?|where|blank|lengths|padding)$")
#: Integers of these arguments change no result.
_COSMETIC = {"indent", "stacklevel"}


def is_declaration(node: ast.AST) -> bool:
    """Whether a node holds only what tools read: ``Literal``, ``__all__``, ``TYPE_CHECKING``,
    ``__main__``, or what only lays out a text."""
    match node:
        case ast.If():
            return is_declared(node.test)
        case ast.Subscript():
            return last_name(node.value) == "Literal"
        case ast.Assign():
            return all(last_name(target).startswith("__") for target in node.targets)
        case ast.keyword():
            return node.arg in _COSMETIC
    return False


def is_declared(test: ast.expr) -> bool:
    """Whether a condition is one that every run decides alike."""
    left = test.left if isinstance(test, ast.Compare) else test
    return last_name(left) in ("TYPE_CHECKING", "__name__")


def is_step(node: ast.AST) -> bool:
    """Whether a statement only calls something, such as a check; not ``super().__init__()``,
    without which nothing works."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and not ast.unparse(node.value.func).startswith("super()")
    )


def unmasked(call: ast.Call) -> Iterator[str]:
    """Yield what is left of a call without a mask."""
    name, args = last_name(call.func), call.args
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    if any(isinstance(arg, ast.Starred) for arg in args):
        return
    if name == "where" and len(args) == 3:
        yield from map(atom, args[1:])
    elif of is not None and (name.startswith("masked_") or (name == "where" and len(args) == 2)):
        yield atom(of)
    elif of is not None and name == "blank" and args:
        yield atom(args[0])
    for keyword in call.keywords:
        if keyword.arg and MASK.search(keyword.arg):
            kept = [other for other in call.keywords if other is not keyword]
            yield ast.unparse(ast.Call(call.func, args, kept))
    if len(args) > 1 and MASK.search(last_name(args[-1])):
        yield ast.unparse(ast.Call(call.func, args[:-1], call.keywords))


def last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name, or an empty string."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return ""


def integer(node: ast.AST) -> int | None:
    """Return the value of an integer that is written out, also a negative one."""
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def is_text(node: ast.AST) -> bool:
    """Whether an operand is a text or a list, for which other operators only raise."""
    match node:
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr() | ast.List() | ast.Tuple():
            return True
        case ast.ListComp():
            return True
        case ast.BinOp():
            return is_text(node.left) or is_text(node.right)
    return False


def atom(node: ast.expr) -> str:
    """Return a node's text, in brackets where its neighbours could bind it otherwise."""
    text = ast.unparse(node)
    whole = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant)
    return text if isinstance(node, whole) else f"({text})"
