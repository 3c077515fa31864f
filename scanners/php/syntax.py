"""PHP source as a tree, by tree-sitter: it reads what a PHP of any version would, and whatever is broken as well."""

from collections.abc import Callable

import tree_sitter_php
from tree_sitter import Language, Node, Parser

_LANGUAGE = Language(tree_sitter_php.language_php())

PIECE_BYTES = 65_536

CALLS = frozenset(
    {
        "function_call_expression",
        "member_call_expression",
        "nullsafe_member_call_expression",
        "scoped_call_expression",
    }
)
"""Every way to call something by a name."""


def parse(source: bytes, is_late: Callable[[], bool]) -> Node | None:
    """Returns the root of a source's tree, None where that took too long. Broken source gives a tree with errors."""
    parser = Parser(_LANGUAGE)
    try:
        tree = parser.parse(
            lambda offset, _: source[offset : offset + PIECE_BYTES], progress_callback=lambda *_: is_late()
        )
    except ValueError:  # how the parser says that it was told to stop
        return None
    return parser.parse(source, tree).root_node  # the same tree at once, whose nodes know their text by themselves


def text(node: Node) -> bytes:
    """Returns the source of a node."""
    return node.text or b""


def line(node: Node) -> int:
    """Returns the line that a node begins in, counted from 1."""
    return node.start_point[0] + 1


def named(node: Node, field: str) -> Node | None:
    """Returns the child of a field of the grammar, None where it is missing."""
    return node.child_by_field_name(field)
