"""Evaluates expressions as far as that goes without running anything: one function per kind of node, in one table."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tree_sitter import Node

from scanners.php import calls, operators
from scanners.php.calls import Call
from scanners.php.folding import MAX_BYTES, integer
from scanners.php.literals import quoted, unescaped
from scanners.php.names import NUMBER_CASTS, OWN_NAME, REQUEST_VARIABLES, SENT_SERVER_KEYS, SERVER_VARIABLES
from scanners.php.run import PROPERTY, Run
from scanners.php.syntax import line, named, text
from scanners.php.value import CARRIED, UNKNOWN, Constant, Origin, Value, union

MAX_DEPTH = 180
MAX_ARRAY = 20_000
HEX_ESCAPES = 2
"""From so many numbered escapes on a text was written so that nobody can read it."""

LONGEST_BARE_WORD = 12

Evaluation = Callable[[Run, Node, int], Value]


def evaluate(run: Run, node: Node, depth: int = 0) -> Value:
    """Returns what is known of an expression; what it does on the way is noted in the run."""
    if depth > MAX_DEPTH or not run.may_go_on():
        return UNKNOWN
    evaluation = EVALUATIONS.get(node.type)
    return _unknown_kind(run, node, depth) if evaluation is None else evaluation(run, node, depth + 1)


def _last(run: Run, node: Node, depth: int) -> Value:
    return evaluate(run, node.named_children[-1], depth) if node.named_children else UNKNOWN


def _single_quoted(_run: Run, node: Node, _depth: int) -> Value:
    return Value(quoted(text(node)))


def _number(_run: Run, node: Node, _depth: int) -> Value:
    number = integer(text(node).replace(b"_", b""))
    return UNKNOWN if number is None else Value(b"%d" % number)


def _interpolated(run: Run, node: Node, depth: int) -> Value:
    written: list[bytes] = []
    values: list[Value] = []
    escapes = 0
    for part in _parts(node):
        if part.type in {"string_content", "string_value", "nowdoc_string"}:
            written.append(text(part))
        elif part.type == "escape_sequence":
            written.append(unescaped(text(part)))
            escapes += text(part)[1:2] in b"xX01234567"
        else:
            value = evaluate(run, part, depth)
            values.append(value)
            written.append(value.written or b"")
    known = all(value.written is not None for value in values)
    made = union(*values, constant=b"".join(written) if known else None)
    return replace(made, assembled=escapes >= HEX_ESCAPES)


def _parts(node: Node) -> list[Node]:
    if node.type not in {"heredoc", "nowdoc"}:
        return node.named_children
    return [part for child in node.named_children if "body" in child.type for part in child.named_children]


def _variable(run: Run, node: Node, _depth: int) -> Value:
    return _of_name(run, node, text(node)[1:])


def _of_name(run: Run, node: Node, name: bytes, hidden: int = Origin.NOWHERE) -> Value:
    if name in REQUEST_VARIABLES:
        return Value(origin=Origin.REQUEST | hidden).at(line(node), text(node))
    if name in SERVER_VARIABLES:
        return Value(origin=Origin.SERVER)
    if name == b"GLOBALS":
        return Value(origin=Origin.GLOBALS)
    return run.variable(name)


def _variable_variable(run: Run, node: Node, depth: int) -> Value:
    named_by = _last(run, node, depth)
    if named_by.word is None:
        return union(named_by)
    name = named_by.word.lstrip(b"$")
    if name in REQUEST_VARIABLES:
        run.hit("hidden_source", node, name)
        return _of_name(run, node, name, Origin.HIDDEN)
    return run.variable(name)


def _unary(run: Run, node: Node, depth: int) -> Value:
    value = _last(run, node, depth)
    sign = text(node)[:1]
    if sign == b"!":
        return UNKNOWN
    if sign == b"~" and value.word is not None:
        return replace(value, constant=bytes(255 - byte for byte in value.word), assembled=True)
    if sign == b"-" and (number := integer(value.word)) is not None:
        return Value(b"%d" % -number)
    return value


def _cast(run: Run, node: Node, depth: int) -> Value:
    value = _last(run, node, depth)
    kind = named(node, "type")
    return UNKNOWN if kind is not None and text(kind).lower() in NUMBER_CASTS else value


def _binary(run: Run, node: Node, depth: int) -> Value:
    left, right, operator = (named(node, field) for field in ("left", "right", "operator"))
    if left is None or right is None or operator is None:
        return UNKNOWN
    if text(operator) == b".":
        return _joined(run, node, depth)
    return operators.combined(text(operator), evaluate(run, left, depth), evaluate(run, right, depth))


def _joined(run: Run, node: Node, depth: int) -> Value:
    """Joins `a . b . c …`, which is nested to the left and may be thousands of pieces long."""
    pieces: list[Node] = []
    rest: Node | None = node
    while rest is not None and rest.type == "binary_expression" and _is_dot(rest):
        right = named(rest, "right")
        pieces += [right] if right is not None else []
        rest = named(rest, "left")
    pieces += [rest] if rest is not None else []
    values = [evaluate(run, piece, depth) for piece in reversed(pieces)]
    words = [value.written for value in values if value.written is not None]
    whole = len(words) == len(values) and sum(map(len, words)) <= MAX_BYTES
    made = union(*values, constant=b"".join(words) if whole else None)
    return replace(made, assembled=whole or made.assembled)


def _is_dot(node: Node) -> bool:
    operator = named(node, "operator")
    return operator is not None and text(operator) == b"."


def _conditional(run: Run, node: Node, depth: int) -> Value:
    values = [evaluate(run, child, depth) for child in node.named_children]
    ways = values[1:] or values
    return union(*ways, constant=ways[0].constant if len(ways) == 1 else None)


def _assignment(run: Run, node: Node, depth: int) -> Value:
    left, right = named(node, "left"), named(node, "right")
    if left is None or right is None:
        return UNKNOWN
    value = evaluate(run, right, depth)
    if node.type == "augmented_assignment_expression":
        operator = named(node, "operator")
        value = operators.augmented(text(operator) if operator else b"", evaluate(run, left, depth), value)
    value = value.at(line(node), text(node))
    _assign(run, left, value, depth)
    return value


def _update(run: Run, node: Node, depth: int) -> Value:
    """Counts, letters too: by that names are made of which nothing is written."""
    argument = named(node, "argument")
    if argument is None:
        return UNKNOWN
    before = evaluate(run, argument, depth)
    if before.word is None or before.is_large:
        return before
    after = replace(before, constant=operators.counted(before.word, up=b"++" in text(node)), assembled=True)
    _assign(run, argument, after, depth)
    return after if text(node)[:1] in b"+-" else before


def _assign(run: Run, target: Node, value: Value, depth: int) -> None:
    if target.type == "variable_name":
        run.put(text(target)[1:], value)
    elif target.type in _PROPERTIES:
        run.put(_property_name(target), value)
    elif target.type == "subscript_expression":
        _assign_element(run, target, value, depth)
    elif target.type == "dynamic_variable_name":
        named_by = _last(run, target, depth)
        if named_by.word is not None:
            run.put(named_by.word.lstrip(b"$"), value)
        elif named_by.is_foreign:
            run.scope.is_open = True
    elif target.type in {"list_literal", "array_creation_expression"}:
        for variable in _variables_in(target):
            run.put(text(variable)[1:], union(value))


def _assign_element(run: Run, target: Node, value: Value, depth: int) -> None:
    children = target.named_children
    key = evaluate(run, children[1], depth).word if len(children) > 1 else None
    if not children or children[0].type != "variable_name":
        return
    name = text(children[0])[1:]
    if name != b"GLOBALS":
        run.put_element(name, key, value)
    elif key is not None:
        run.outside.variables[key] = value


def _variables_in(node: Node) -> list[Node]:
    nested = [child for child in node.named_children if child.type != "variable_name"]
    found = [child for child in node.named_children if child.type == "variable_name"]
    return found + [inner for child in nested for inner in child.named_children if inner.type == "variable_name"]


def _subscript(run: Run, node: Node, depth: int) -> Value:
    children = node.named_children
    if not children:
        return UNKNOWN
    base = evaluate(run, children[0], depth)
    key = evaluate(run, children[1], depth) if len(children) > 1 else UNKNOWN
    if base.origin & Origin.SERVER:
        return _of_server(key, node)
    if base.origin & Origin.GLOBALS:
        return _of_globals(run, key, node)
    found = _element(base.constant, key.word)
    if found is not None:
        return replace(base, constant=found, assembled=True)
    origin = (base.origin & CARRIED) | (key.origin & Origin.HIDDEN)
    return Value(None, origin, base.decoded, loose=base.loose, trail=base.trail)


def _of_server(key: Value, node: Node) -> Value:
    sent = key.word is not None and (key.word.startswith(b"HTTP_") or key.word in SENT_SERVER_KEYS)
    return Value(origin=Origin.REQUEST).at(line(node), text(node)) if sent else UNKNOWN


def _of_globals(run: Run, key: Value, node: Node) -> Value:
    if key.word is None:
        return UNKNOWN
    if key.word in REQUEST_VARIABLES and key.assembled:
        run.hit("hidden_source", node, key.word)
    if key.word in REQUEST_VARIABLES:
        return _of_name(run, node, key.word)
    return run.outside.variables.get(key.word, UNKNOWN)


def _element(held: Constant | None, key: bytes | None) -> bytes | None:
    found: Constant | None = None
    if isinstance(held, Mapping) and key is not None:
        found = held.get(key)
    elif held is not None and not isinstance(held, Mapping):
        place = integer(key or b"0")
        if place is not None and (
            -len(held) <= place < len(held) if isinstance(held, bytes) else 0 <= place < len(held)
        ):
            found = held[place : place + 1 or None] if isinstance(held, bytes) else held[place]
    return found if isinstance(found, bytes) else None


def _array(run: Run, node: Node, depth: int) -> Value:
    elements: dict[bytes, Constant | None] = {}
    values: list[Value] = []
    keyed = False
    for element in node.named_children[:MAX_ARRAY]:
        parts = element.named_children
        if not parts:
            continue
        values.append(evaluate(run, parts[-1], depth))
        key = evaluate(run, parts[0], depth).word if len(parts) > 1 else None
        keyed = keyed or key is not None
        elements[key if key is not None else b"%d" % len(elements)] = values[-1].constant
    known = any(value.constant is not None for value in values)
    constant: Constant | None = elements if keyed else tuple(elements.values())
    return union(*values, constant=constant if known or not values else None)


def _property(run: Run, node: Node, depth: int) -> Value:
    for child in node.named_children[:1]:
        if child.type not in {"variable_name", "name"}:
            evaluate(run, child, depth)
    return run.variable(_property_name(node))


def _property_name(node: Node) -> bytes:
    name = named(node, "name")
    return PROPERTY + (text(name).lstrip(b"$") if name is not None else b"")


def _backticks(run: Run, node: Node, depth: int) -> Value:
    made = union(*(evaluate(run, child, depth) for child in node.named_children))
    if made.is_foreign or made.is_remote:
        run.hit("request_to_command" if made.is_foreign else "remote_to_command", node, "backticks", made)
    else:
        run.hit("command", node, "backticks")
    return UNKNOWN


def _include(run: Run, node: Node, depth: int) -> Value:
    if node.named_children:
        whole = node.named_children[-1].type != "binary_expression"
        calls.included(run, node, evaluate(run, node.named_children[-1], depth), whole=whole)
    return UNKNOWN


def _closure(run: Run, node: Node, _depth: int) -> Value:
    body = named(node, "body")
    run.bodies += [body] if body is not None else []
    return UNKNOWN


def _creation(run: Run, node: Node, depth: int) -> Value:
    name = next(iter(node.named_children), None)
    arguments = next((child for child in node.named_children if child.type == "arguments"), None)
    values = _arguments(run, arguments, depth)
    if name is not None:
        calls.created(run, node, text(name).lower().lstrip(b"\\"), values)
    made = union(*values)
    return replace(made, origin=made.origin | Origin.OBJECT, loose=True)


def _call(run: Run, node: Node, depth: int) -> Value:
    function = named(node, "function") or named(node, "name")
    if function is None:
        return UNKNOWN
    values = _arguments(run, named(node, "arguments"), depth)
    if node.type != "function_call_expression":
        called_on = named(node, "object")
        if called_on is not None and called_on.type != "variable_name":
            evaluate(run, called_on, depth)
        return calls.method(run, text(function).lower(), values)
    if function.type in {"name", "qualified_name"}:
        return calls.call(run, Call(node, text(function).lower().lstrip(b"\\"), values))
    return calls.by_value(run, node, function.type, evaluate(run, function, depth), values)


def _arguments(run: Run, node: Node | None, depth: int) -> tuple[Value, ...]:
    if node is None:
        return ()
    return tuple(
        (_last(run, child, depth) if child.type == "argument" else evaluate(run, child, depth))
        for child in node.named_children
        if child.type != "comment"
    )


def _bare_word(run: Run, node: Node, _depth: int) -> Value:
    """An unquoted word was a text to PHP before 8, and `a.sser.t` still hides a name."""
    word = text(node)
    if word == OWN_NAME:
        return Value(OWN_NAME)
    is_text = run.has_bare_words or (not word.isupper() and len(word) < LONGEST_BARE_WORD)
    return Value(word) if is_text else UNKNOWN


def _nothing(_run: Run, _node: Node, _depth: int) -> Value:
    return UNKNOWN


def _unknown_kind(run: Run, node: Node, depth: int) -> Value:
    values = []
    for child in node.named_children:
        if child.type.endswith("statement") or child.type == "declaration_list":
            run.bodies.append(child)
        else:
            values.append(evaluate(run, child, depth + 1))
    return union(*values)


_PROPERTIES = frozenset({"member_access_expression", "scoped_property_access_expression"})

EVALUATIONS: Mapping[str, Evaluation] = {
    "string": _single_quoted,
    "integer": _number,
    "float": _number,
    **dict.fromkeys(("encapsed_string", "heredoc", "nowdoc", "heredoc_body", "nowdoc_body"), _interpolated),
    "variable_name": _variable,
    "dynamic_variable_name": _variable_variable,
    **dict.fromkeys(
        ("parenthesized_expression", "error_suppression_expression", "clone_expression", "print_intrinsic"), _last
    ),
    "unary_op_expression": _unary,
    "cast_expression": _cast,
    "binary_expression": _binary,
    "conditional_expression": _conditional,
    **dict.fromkeys(
        ("assignment_expression", "augmented_assignment_expression", "reference_assignment_expression"), _assignment
    ),
    "update_expression": _update,
    "subscript_expression": _subscript,
    "array_creation_expression": _array,
    **dict.fromkeys(_PROPERTIES, _property),
    "shell_command_expression": _backticks,
    **dict.fromkeys(
        ("include_expression", "include_once_expression", "require_expression", "require_once_expression"), _include
    ),
    **dict.fromkeys(("anonymous_function", "anonymous_function_creation_expression", "arrow_function"), _closure),
    "object_creation_expression": _creation,
    **dict.fromkeys(
        (
            "function_call_expression",
            "member_call_expression",
            "nullsafe_member_call_expression",
            "scoped_call_expression",
        ),
        _call,
    ),
    "name": _bare_word,
    **dict.fromkeys(("qualified_name", "match_expression", "list_literal"), _nothing),
}
"""Kind of node → how it is evaluated."""
