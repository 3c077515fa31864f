"""Expressions that change variables, as Python functions."""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from scanners.php.machine.expressions import element, next_key
from scanners.php.machine.nodes import EXPRESSIONS, Expression, Frame, expression, part_of, stuck
from scanners.php.semantics import OPERATORS, Plain, Stuck, bounded, incremented, int_of, key_of, number_of, text_of
from scanners.php.syntax import text

Target = Callable[[Frame, Plain], None]


def target_of(node: Node, depth: int) -> Target:
    """Returns what gives a variable, or an element of one, a value."""
    if node.type == "variable_name":
        return _variable_target(text(node)[1:])
    if node.type == "subscript_expression":
        return _element_target(node, depth)
    if node.type in {"list_literal", "array_creation_expression"}:
        return _list_target([target_of(_inner(child), depth) for child in node.named_children])
    return _stuck_target


def _inner(node: Node) -> Node:
    is_wrapped = node.type == "array_element_initializer" and len(node.named_children) == 1
    return node.named_children[0] if is_wrapped else node


def _stuck_target(_frame: Frame, _value: Plain) -> None:
    raise Stuck


def _variable_target(name: bytes) -> Target:
    def put(frame: Frame, value: Plain) -> None:
        (frame.outside if name in frame.shared else frame.variables)[name] = copied(value)

    return put


def _list_target(targets: list[Target]) -> Target:
    def put(frame: Frame, value: Plain) -> None:
        for place, target in enumerate(targets):
            target(frame, element(value, place))

    return put


def _element_target(node: Node, depth: int) -> Target:
    holder, *keys = node.named_children
    if holder.type != "variable_name" or len(keys) > 1:
        return _stuck_target
    name, key = text(holder)[1:], expression(keys[0], depth) if keys else None

    def put(frame: Frame, value: Plain) -> None:
        variables = frame.outside if name in frame.shared else frame.variables
        held = _held(variables, name, None)
        if held is None or held == b"":
            variables[name] = held = {}
        if type(held) is dict:
            held[next_key(held) if key is None else key_of(key(frame))] = copied(value)
        elif type(held) in {bytes, bytearray} and key is not None:
            variables[name] = _with_letter(bytearray(held), int_of(key(frame)), text_of(value))
        else:
            raise Stuck

    return put


def _with_letter(letters: bytearray, place: int, letter: bytes) -> bytearray:
    if not 0 <= place <= len(letters) or not letter:
        raise Stuck
    letters[place : place + 1] = letter[:1]
    return letters


def _assignment(node: Node, depth: int) -> Expression:
    target, value = target_of(part_of(node, "left"), depth), expression(part_of(node, "right"), depth)

    def assign(frame: Frame) -> Plain:
        frame.machine.step()
        found = value(frame)
        target(frame, found)
        return found

    return assign


def _augmented(node: Node, depth: int) -> Expression:
    left, sign = part_of(node, "left"), text(part_of(node, "operator")).removesuffix(b"=")
    old, value, target = expression(left, depth), expression(part_of(node, "right"), depth), target_of(left, depth)
    combine = OPERATORS.get(sign)
    if sign == b"." and left.type == "variable_name":
        return _appending(text(left)[1:], value)
    if combine is None:
        return stuck

    def assign(frame: Frame) -> Plain:
        frame.machine.step()
        found = combine(old(frame), value(frame))
        target(frame, found)
        return found

    return assign


def _appending(name: bytes, value: Expression) -> Expression:
    """Lets a text grow where it is: to make a new one for each letter would take the square of the time."""

    def append(frame: Frame) -> Plain:
        frame.machine.step()
        more = text_of(value(frame))
        variables = frame.outside if name in frame.shared else frame.variables
        held = _held(variables, name, b"")
        if type(held) is not bytearray:
            variables[name] = held = bytearray(text_of(held))
        held += more
        bounded(held)  # type: ignore[arg-type]  # it has a length too
        return None

    return append


def _held(variables: dict[bytes, Any], name: bytes, otherwise: Plain) -> Plain:
    try:
        return variables[name]  # and not `get`, which would not ask for what is known outside
    except KeyError:
        return otherwise


def _update(node: Node, depth: int) -> Expression:
    argument = part_of(node, "argument")
    old, target = expression(argument, depth), target_of(argument, depth)
    is_up, is_before = b"++" in text(node), text(node)[:1] in b"+-"

    def update(frame: Frame) -> Plain:
        frame.machine.step()
        before = old(frame)
        after = incremented(before) if is_up else number_of(before) - 1
        target(frame, after)
        return after if is_before else before

    return update


def copied(value: Plain) -> Plain:
    """Returns a value that can be changed by itself."""
    return dict(value) if type(value) is dict else value


EXPRESSIONS.update(
    {
        "assignment_expression": _assignment,
        "augmented_assignment_expression": _augmented,
        "update_expression": _update,
    }
)
