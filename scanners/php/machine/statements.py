"""Statements, as Python functions."""

from tree_sitter import Node

from scanners.php.machine.assignments import target_of
from scanners.php.machine.expressions import ALWAYS, constant, last
from scanners.php.machine.nodes import (
    STATEMENTS,
    Expression,
    Frame,
    Jump,
    Statement,
    expression,
    part_of,
    statement,
    stuck,
)
from scanners.php.semantics import Plain, Stuck, is_equal, truth_of
from scanners.php.syntax import named, text


def _block(node: Node, depth: int) -> Statement:
    nodes = [child for child in node.named_children if child.type != "comment"]
    made: list[Statement] = []

    def run(frame: Frame) -> Jump | None:
        for place, child in enumerate(nodes):
            if place == len(made):
                made.append(statement(child, depth))
            jump = made[place](frame)
            if jump is not None:
                return jump
        return None

    return run


def _expression_statement(node: Node, depth: int) -> Statement:
    value = last(node, depth)

    def run(frame: Frame) -> None:
        value(frame)

    return run


def _return(node: Node, depth: int) -> Statement:
    value = last(node, depth) if node.named_children else constant(None)

    def run(frame: Frame) -> Jump:
        frame.returned = value(frame)
        return Jump.RETURN

    return run


def _leave(node: Node, _depth: int) -> Statement:
    jump = Jump.BREAK if node.type == "break_statement" else Jump.CONTINUE
    return stuck if node.named_children else lambda _frame: jump  # `break 2` is not worth it


def _if(node: Node, depth: int) -> Statement:
    ways = [(expression(part_of(node, "condition"), depth), statement(part_of(node, "body"), depth))]
    for clause in node.children_by_field_name("alternative"):
        condition = named(clause, "condition")
        chosen = ALWAYS if condition is None else expression(condition, depth)
        ways.append((chosen, statement(part_of(clause, "body"), depth)))

    def run(frame: Frame) -> Jump | None:
        for condition, body in ways:
            if truth_of(condition(frame)):
                return body(frame)
        return None

    return run


def _looped(first: Expression, condition: Expression, update: Expression, body: Statement) -> Statement:
    def run(frame: Frame) -> Jump | None:
        first(frame)
        while truth_of(condition(frame)):
            frame.machine.step()
            jump = body(frame)
            if jump is Jump.BREAK:
                break
            if jump is Jump.RETURN:
                return jump
            update(frame)
        return None

    return run


def _for(node: Node, depth: int) -> Statement:
    parts = [named(node, name) for name in ("initialize", "condition", "update")]
    first, condition, update = (ALWAYS if part is None else expression(part, depth) for part in parts)
    return _looped(first, condition, update, statement(part_of(node, "body"), depth))


def _while(node: Node, depth: int) -> Statement:
    condition, body = expression(part_of(node, "condition"), depth), statement(part_of(node, "body"), depth)
    if node.type == "while_statement":
        return _looped(constant(None), condition, constant(None), body)
    once = [False]

    def begin(_frame: Frame) -> None:
        once[0] = True

    def goes_on(frame: Frame) -> Plain:
        if once[0]:
            once[0] = False
            return True
        return condition(frame)

    return _looped(begin, goes_on, constant(None), body)


def _foreach(node: Node, depth: int) -> Statement:
    subject, target, *_ = (child for child in node.named_children if child.type != "comment")
    items, body = expression(subject, depth), statement(part_of(node, "body"), depth)
    is_pair = target.type == "pair"
    put_key = target_of(target.named_children[0], depth) if is_pair else None
    put = target_of(target.named_children[-1] if is_pair else target, depth)

    def run(frame: Frame) -> Jump | None:
        held = items(frame)
        if type(held) is not dict:
            raise Stuck
        for key, item in list(held.items()):
            frame.machine.step()
            put(frame, item)
            if put_key is not None:
                put_key(frame, key)
            jump = body(frame)
            if jump is Jump.BREAK:
                break
            if jump is Jump.RETURN:
                return jump
        return None

    return run


def _switch(node: Node, depth: int) -> Statement:
    subject = expression(part_of(node, "condition"), depth)
    cases: list[tuple[Expression | None, Statement]] = []
    for case in part_of(node, "body").named_children:
        value = named(case, "value")
        cases.append((None if value is None else expression(value, depth), _case_body(case, value, depth)))

    def run(frame: Frame) -> Jump | None:
        found = subject(frame)
        matching = (place for place, (value, _) in enumerate(cases) if value and is_equal(value(frame), found))
        default = next((place for place, (value, _) in enumerate(cases) if value is None), len(cases))
        for _, body in cases[next(matching, default) :]:
            jump = body(frame)
            if jump is Jump.BREAK:
                break
            if jump is not None:
                return jump
        return None

    return run


def _case_body(case: Node, value: Node | None, depth: int) -> Statement:
    nodes = [child for child in case.named_children if child != value and child.type != "comment"]
    bodies = [statement(child, depth) for child in nodes]

    def run(frame: Frame) -> Jump | None:
        return next((jump for body in bodies if (jump := body(frame)) is not None), None)

    return run


def _global(node: Node, _depth: int) -> Statement:
    names = {text(child)[1:] for child in node.named_children}

    def run(frame: Frame) -> None:
        if frame.variables is not frame.outside:
            frame.shared |= names

    return run


def _nothing(_node: Node, _depth: int) -> Statement:
    return lambda _frame: None


STATEMENTS.update(
    {
        **dict.fromkeys(("compound_statement", "colon_block"), _block),
        **dict.fromkeys(("expression_statement", "echo_statement"), _expression_statement),
        "return_statement": _return,
        **dict.fromkeys(("break_statement", "continue_statement"), _leave),
        "if_statement": _if,
        "for_statement": _for,
        **dict.fromkeys(("while_statement", "do_statement"), _while),
        "foreach_statement": _foreach,
        "switch_statement": _switch,
        "global_declaration": _global,
        **dict.fromkeys(("empty_statement", "comment"), _nothing),
    }
)
