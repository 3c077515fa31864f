"""The statements of a PHP source, in the lists in which they follow each other."""

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from scanners.php.syntax import named, text

LISTS = frozenset({"program", "compound_statement", "colon_block", "case_statement", "default_statement"})
NO_STATEMENTS = frozenset({"comment", "text", "text_interpolation", "php_tag", "php_end_tag", "ERROR"})
CONTROL = frozenset(
    {
        "if_statement",
        "else_clause",
        "else_if_clause",
        "while_statement",
        "do_statement",
        "for_statement",
        "foreach_statement",
        "switch_statement",
        "switch_block",
        "try_statement",
        "catch_clause",
        "finally_clause",
        "compound_statement",
        "colon_block",
        "case_statement",
        "default_statement",
    }
)
"""What belongs to the statement that it stands in: cut alone it would leave a half."""
FUNCTIONS = frozenset({"function_definition", "anonymous_function", "arrow_function"})
DECLARATIONS = frozenset(
    {
        "function_definition",
        "class_declaration",
        "interface_declaration",
        "trait_declaration",
        "enum_declaration",
        "const_declaration",
        "namespace_definition",
        "namespace_use_declaration",
    }
)
ENDINGS = frozenset(
    {
        "exit_statement",
        "return_statement",
        "break_statement",
        "continue_statement",
        "echo_statement",
        "empty_statement",
    }
)
"""What stands beside an injection in its own block, and means nothing without it."""
PRELUDE = frozenset({b"error_reporting", b"ini_set", b"set_time_limit", b"ignore_user_abort", b"die", b"exit"})
"""Functions that an injection calls first, so that nobody notices it."""


def statements(owner: Node) -> list[Node]:
    """Returns the statements of a list in their order."""
    return [child for child in owner.named_children if child.type not in NO_STATEMENTS]


def is_statement(node: Node) -> bool:
    """Whether a node is one of a list's statements."""
    return node.parent is not None and node.parent.type in LISTS and node.type not in NO_STATEMENTS


def enclosing(node: Node | None) -> Node | None:
    """Returns the innermost statement that a node stands in, itself included; None for what stands in none."""
    while node is not None and not is_statement(node):
        node = node.parent
    return node


def bodies(statement: Node) -> Iterator[Node]:
    """Yields every statement below a statement that holds none itself, not going into functions."""
    waiting = list(statement.named_children)
    while waiting:
        node = waiting.pop()
        if node.type in FUNCTIONS:
            continue
        if node.type in CONTROL or node.type == "parenthesized_expression":
            waiting += node.named_children
        elif node.type.endswith("_statement"):
            yield node


def is_prelude(statement: Node) -> bool:
    """Whether a statement does no more than keep PHP quiet."""
    call = statement.named_children[0] if statement.named_children else None
    while call is not None and call.type == "error_suppression_expression":
        call = call.named_children[0]
    function = named(call, "function") if call is not None and call.type == "function_call_expression" else None
    return function is not None and text(function).lower() in PRELUDE


def blocks(program: Node) -> Iterator[tuple[Node, Sequence[Node], Node | None]]:
    """Yields each block: what it begins with, its statements, and what ends it, None for the end of the file."""
    begin: Node | None = None
    inside: list[Node] = []
    for child in program.children:
        if child.type == "text_interpolation":
            if begin is not None:
                yield begin, inside, child
            begin, inside = child, []
        elif child.type == "php_tag":
            begin, inside = child, []
        elif child.type not in NO_STATEMENTS:
            inside.append(child)
    if begin is not None:
        yield begin, inside, None
