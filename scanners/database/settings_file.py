"""Reads what a PHP or an environment file sets, without running it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tree_sitter import Node

from scanners.php.expressions import evaluate
from scanners.php.run import Run
from scanners.php.syntax import named, parse, text

MAX_BYTES = 1_000_000
_INCLUDES = frozenset(
    {"include_expression", "include_once_expression", "require_expression", "require_once_expression"}
)
_BODIES = frozenset({"function_definition", "method_declaration", "class_declaration"})
_HERE = re.compile(rb"\b(?:__DIR__|dirname\s*\(\s*__FILE__\s*\)|ABSPATH)(?=[^\w'\"]|$)")
_ABOVE = re.compile(rb"\bdirname\s*\(\s*(?:__DIR__|dirname\s*\(\s*__FILE__\s*\)|ABSPATH)\s*\)")
_ENVIRONMENT_LINE = re.compile(rb"^[ \t]*(?:export[ \t]+)?(\w{1,100})[ \t]*=[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)


@dataclass(slots=True)
class Written:
    """What a file sets.

    Attributes:
        constants: each with its values in the order in which they stand, as far as they can be worked out.
        variables: those outside of functions, as they are in the end.
        includes: files that it includes, as far as their paths can be worked out.
    """

    constants: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    includes: list[bytes] = field(default_factory=list)


def read_php(source: bytes, folder: bytes, is_late: Callable[[], bool]) -> Written:
    """Reads a PHP file.

    Args:
        source: a stranger's.
        folder: the one that it stands in, absolute.
        is_late: whether there is no more time.
    """
    above = folder.rpartition(b"/")[0] or b"/"
    placed = _ABOVE.sub(lambda _found: _quoted(above), source[:MAX_BYTES])
    placed = _HERE.sub(lambda found: found[0] if _is_defined(placed, found) else _quoted(folder + b"/"), placed)
    run, written = Run(is_late), Written()
    root = parse(placed, is_late)
    waiting = [root] if root is not None else []
    while waiting and run.may_go_on():
        node = waiting.pop()
        if node.type == "function_call_expression":
            _note_constant(run, node, written)
        elif node.type == "assignment_expression":
            evaluate(run, node)
        elif node.type in _INCLUDES:
            written.includes += [path] if (path := evaluate(run, node.named_children[-1]).word) else []
            continue
        if node.type not in _BODIES:
            waiting += reversed(node.named_children)
    for name, value in run.outside.variables.items():
        if value.word is not None:
            written.variables[_text(name)] = _text(value.word)
    return written


def read_environment(source: bytes) -> dict[str, str]:
    """Reads a `.env` file: `NAME=value`, quoted or not, with `export` or without."""
    return {_text(name): _text(_unquoted(value)) for name, value in _ENVIRONMENT_LINE.findall(source[:MAX_BYTES])}


def _note_constant(run: Run, node: Node, written: Written) -> None:
    function, arguments = named(node, "function"), named(node, "arguments")
    if function is None or arguments is None or text(function).lower().lstrip(b"\\") != b"define":
        return
    given = [
        evaluate(run, argument.named_children[0]).word
        for argument in arguments.named_children[:2]
        if argument.named_children
    ]
    if len(given) == 2 and given[0] is not None and given[1] is not None:  # noqa: PLR2004  # its name and its value
        written.constants.setdefault(_text(given[0]), []).append(_text(given[1]))


def _is_defined(source: bytes, found: re.Match[bytes]) -> bool:
    """Whether ABSPATH stands there as a word of a text."""
    return source[max(found.start() - 1, 0) : found.start()] in {b"'", b'"'}


def _quoted(path: bytes) -> bytes:
    return b"'" + path.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"


def _unquoted(value: bytes) -> bytes:
    if len(value) > 1 and value[:1] in {b'"', b"'"} and value.endswith(value[:1]):
        inner = value[1:-1]
        return inner if value[:1] == b"'" else re.sub(rb"\\(.)", rb"\1", inner)
    return value.partition(b" #")[0].rstrip()


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
