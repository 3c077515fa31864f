"""Expressions without an effect, as Python functions."""

from collections.abc import Callable, Mapping
from typing import Any

from tree_sitter import Node

from scanners.php.literals import quoted, unescaped
from scanners.php.machine.nodes import EXPRESSIONS, Expression, Frame, expression, part_of, stuck
from scanners.php.semantics import OPERATORS, Plain, Stuck, bounded, int_of, key_of, number_of, text_of, truth_of
from scanners.php.syntax import named, text


def constant(value: Plain) -> Expression:
    """Returns what always gives the same."""
    return lambda _frame: value


ALWAYS: Expression = constant(1)


def _number(node: Node, _depth: int) -> Expression:
    digits = text(node).replace(b"_", b"").lower()
    try:
        if node.type == "float":
            return constant(float(digits))
        is_octal = len(digits) > 1 and digits.startswith(b"0") and digits.isdigit()
        return constant(int(digits, 8 if is_octal else 0))
    except ValueError:
        return stuck


_WORDS: Mapping[bytes, Plain] = {b"true": True, b"false": False, b"null": None, b"php_eol": b"\n"}


def _word(node: Node, _depth: int) -> Expression:
    word = text(node).lower()
    return constant(_WORDS[word]) if word in _WORDS else stuck


def _interpolated(node: Node, depth: int) -> Expression:
    parts: list[Expression] = []
    for part in node.named_children:
        if part.type in {"string_content", "string_value"}:
            parts.append(constant(text(part)))
        elif part.type == "escape_sequence":
            parts.append(constant(unescaped(text(part))))
        else:
            parts.append(expression(part, depth))
    return lambda frame: bounded(b"".join([text_of(part(frame)) for part in parts]))


def _variable(node: Node, _depth: int) -> Expression:
    name = text(node)[1:]
    if name in {b"GLOBALS", b"this"}:
        return stuck

    def get(frame: Frame) -> Plain:
        variables = frame.outside if name in frame.shared else frame.variables
        try:
            value = variables[name]
        except KeyError:
            raise Stuck from None
        if type(value) is bytearray:
            variables[name] = value = bytes(value)
        return value

    return get


def last(node: Node, depth: int) -> Expression:
    """Returns what its last part gives: of brackets, of an argument, of a statement."""
    return expression(node.named_children[-1], depth) if node.named_children else stuck


def _unary(node: Node, depth: int) -> Expression:
    value, sign = last(node, depth), text(node)[:1]
    if sign == b"!":
        return lambda frame: not truth_of(value(frame))
    if sign == b"-":
        return lambda frame: -number_of(value(frame))
    return _inverted(value) if sign == b"~" else value


def _inverted(value: Expression) -> Expression:
    def inverted(frame: Frame) -> Plain:
        found = value(frame)
        return bytes(255 - byte for byte in found) if type(found) is bytes else ~int_of(found)

    return inverted


_CASTS: Mapping[bytes, Callable[[Plain], Plain]] = {
    **dict.fromkeys((b"int", b"integer"), int_of),
    **dict.fromkeys((b"string", b"binary"), text_of),
    **dict.fromkeys((b"bool", b"boolean"), truth_of),
    **dict.fromkeys((b"float", b"double"), lambda value: float(number_of(value))),
    b"array": lambda value: value if type(value) is dict else {0: value},
}


def _cast(node: Node, depth: int) -> Expression:
    convert = _CASTS.get(text(part_of(node, "type")).lower())
    value = expression(part_of(node, "value"), depth)
    return stuck if convert is None else lambda frame: convert(value(frame))


def _binary(node: Node, depth: int) -> Expression:
    sign = text(part_of(node, "operator")).lower()
    left, right = expression(part_of(node, "left"), depth), expression(part_of(node, "right"), depth)
    if sign in {b"&&", b"and"}:
        return lambda frame: truth_of(left(frame)) and truth_of(right(frame))
    if sign in {b"||", b"or"}:
        return lambda frame: truth_of(left(frame)) or truth_of(right(frame))
    if sign == b"??":
        there = _presence(part_of(node, "left"), depth)
        return lambda frame: left(frame) if there(frame) else right(frame)
    combine = OPERATORS.get(sign)
    return stuck if combine is None else lambda frame: combine(left(frame), right(frame))


def _conditional(node: Node, depth: int) -> Expression:
    condition, other = (expression(part_of(node, name), depth) for name in ("condition", "alternative"))
    body = named(node, "body")
    if body is None:
        return lambda frame: found if truth_of(found := condition(frame)) else other(frame)
    chosen = expression(body, depth)
    return lambda frame: chosen(frame) if truth_of(condition(frame)) else other(frame)


def _subscript(node: Node, depth: int) -> Expression:
    if len(node.named_children) < 2:  # noqa: PLR2004  # `$a[]` has no value
        return stuck
    base, key = (expression(child, depth) for child in node.named_children[:2])
    return lambda frame: element(base(frame), key(frame))


def element(held: Plain, key: Plain) -> Plain:
    """Returns an element of an array, or a letter of a text."""
    try:
        if type(held) is bytes or type(held) is int:
            subject, place = text_of(held), int_of(key)
            return subject[place : place + 1 or None] if -len(subject) <= place < len(subject) else b""
        return held[key_of(key)]
    except (KeyError, TypeError):
        raise Stuck from None


def _array(node: Node, depth: int) -> Expression:
    pairs: list[tuple[Expression | None, Expression]] = []
    for element in node.named_children:
        parts = [expression(part, depth) for part in element.named_children]
        if element.type != "array_element_initializer" or len(parts) not in {1, 2}:
            return stuck
        pairs.append((parts[0] if len(parts) > 1 else None, parts[-1]))

    def make(frame: Frame) -> Plain:
        items: dict[Any, Plain] = {}
        for key, value in pairs:
            items[next_key(items) if key is None else key_of(key(frame))] = value(frame)
        return items

    return make


def next_key(items: Mapping[Any, Plain]) -> int:
    """Returns the key that `$items[] =` takes."""
    last = next(reversed(items), -1) if items else -1
    return last + 1 if type(last) is int else 1 + max((key for key in items if type(key) is int), default=-1)


def _call(node: Node, depth: int) -> Expression:
    function, arguments = part_of(node, "function"), part_of(node, "arguments")
    given = [child for child in arguments.named_children if child.type == "argument"]
    name = text(function).lower().lstrip(b"\\") if function.type in {"name", "qualified_name"} else None
    if name in {b"isset", b"empty"}:
        return _asked(name, [child.named_children[-1] for child in given], depth)
    values = [last(child, depth) for child in given]
    if name is not None:
        return lambda frame: frame.machine.call(name, [value(frame) for value in values], frame.outside)
    chosen = expression(function, depth)

    def by_value(frame: Frame) -> Plain:
        word = chosen(frame)
        if type(word) is not bytes or not (frame.machine.knows(word.lower())):
            raise Stuck
        return frame.machine.call(word.lower(), [value(frame) for value in values], frame.outside)

    return by_value


def _asked(name: bytes | None, nodes: list[Node], depth: int) -> Expression:
    there = [_presence(node, depth) for node in nodes]
    if name == b"isset":
        return lambda frame: all(one(frame) for one in there)
    values = [expression(node, depth) for node in nodes]
    return lambda frame: not (there[0](frame) and truth_of(values[0](frame)))


def _presence(node: Node, depth: int) -> Expression:
    """Returns what says whether there is a value; only what is held in known variables can be missing for sure."""
    if node.type == "subscript_expression" and len(node.named_children) == 2:  # noqa: PLR2004
        base, key = (expression(child, depth) for child in node.named_children)

        def is_there(frame: Frame) -> bool:
            held, place = base(frame), key(frame)
            if type(held) is dict:
                return held.get(key_of(place)) is not None
            subject = text_of(held)
            return -len(subject) <= int_of(place) < len(subject)

        return is_there
    value = expression(node, depth)
    return lambda frame: value(frame) is not None


def _sequence(node: Node, depth: int) -> Expression:
    values = [expression(child, depth) for child in node.named_children]
    return lambda frame: [value(frame) for value in values][-1]


EXPRESSIONS.update(
    {
        "string": lambda node, _depth: constant(quoted(text(node))),
        "encapsed_string": _interpolated,
        **dict.fromkeys(("integer", "float"), _number),
        **dict.fromkeys(("boolean", "null", "name"), _word),
        "variable_name": _variable,
        **dict.fromkeys(("parenthesized_expression", "error_suppression_expression"), last),
        "unary_op_expression": _unary,
        "cast_expression": _cast,
        "binary_expression": _binary,
        "conditional_expression": _conditional,
        "subscript_expression": _subscript,
        "array_creation_expression": _array,
        "function_call_expression": _call,
        "sequence_expression": _sequence,
    }
)
