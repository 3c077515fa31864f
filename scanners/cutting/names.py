"""Which variables and functions a piece of PHP makes, and which ones it uses."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from scanners.php.syntax import named, text

SUPERGLOBALS = frozenset({b"$_GET", b"$_POST", b"$_REQUEST", b"$_COOKIE", b"$_FILES", b"$_SERVER", b"$GLOBALS"})
WRITERS = frozenset({b"file_put_contents", b"fopen", b"copy", b"rename", b"move_uploaded_file"})
SHORTEST_FILE = 4
_MAKES = frozenset({"assignment_expression", "augmented_assignment_expression", "reference_assignment_expression"})
_DEFINES = frozenset({"function_definition", "class_declaration"})
_SCOPES = frozenset({"function_definition", "class_declaration", "trait_declaration", "enum_declaration"})
_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]{2,}")
"""What a text may name: a function that is called back by it. Shorter words stand in every text."""


def walk(node: Node) -> Iterator[Node]:
    """Yields a node and all below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.children


def made(statement: Node) -> set[bytes]:
    """Returns the names that a statement gives a value or defines, variables with their dollar sign."""
    names: set[bytes] = set()
    for node in _own(statement):
        if node.type in _MAKES:
            left = named(node, "left")
            names |= set() if left is None else _first_variable(left)
        elif node.type == "function_call_expression" and _callee(node) in WRITERS:
            names |= _files(node)
        elif node.type in _DEFINES:
            name = named(node, "name")
            names |= set() if name is None else {text(name).lower()}
        elif node.type == "foreach_statement":
            names |= {name for child in node.named_children[1:-1] for name in _variables(child)}
    return names - SUPERGLOBALS - {b"$this"}


def used(node: Node) -> set[bytes]:
    """Returns every name that stands in a piece of source, also within texts; not the variables of its functions."""
    names = {text(one) for one in _own(node) if one.type == "variable_name"}
    for one in walk(node):
        if one.type == "variable_name":
            continue
        if one.type == "name" and (one.parent is None or one.parent.type != "variable_name"):
            names.add(text(one).lower())
        elif one.type == "string_content":
            names |= {word.lower() for word in _WORD.findall(text(one))}
    return names | _files(node)


def _callee(call: Node) -> bytes:
    function = named(call, "function")
    return b"" if function is None else text(function).lower()


def _files(node: Node) -> set[bytes]:
    """Returns the texts that may name a file, in quotes."""
    found = (text(one) for one in walk(node) if one.type == "string_content")
    return {b'"' + one for one in found if len(one) >= SHORTEST_FILE and b"." in one}


def _own(statement: Node) -> Iterator[Node]:
    """Yields a node and all below it that has the same variables."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if node.type not in _SCOPES:
            waiting += node.children


def _first_variable(node: Node) -> set[bytes]:
    """Returns the variable that `$a`, `$a['b']` and `$a->b` begin with; all of those of a list."""
    if node.type in {"list_literal", "array_creation_expression"}:
        return set(_variables(node))
    return set(list(_variables(node))[:1])


def _variables(node: Node) -> Iterator[bytes]:
    waiting = [node]
    while waiting:
        one = waiting.pop(0)
        if one.type == "variable_name":
            yield text(one)
        else:
            waiting = one.named_children + waiting
