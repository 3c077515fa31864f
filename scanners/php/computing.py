"""Where the evaluator lets the machine compute: loops over what is known, functions called with what is known."""

from typing import Any

from tree_sitter import Node

from scanners.php.library import constant_of, plain_of
from scanners.php.machine.running import Machine
from scanners.php.run import Run
from scanners.php.semantics import Plain, Stuck
from scanners.php.value import UNKNOWN, Constant, Value

LOOPS = frozenset({"for_statement", "while_statement", "do_statement", "foreach_statement"})
_HOLDERS = frozenset(
    {
        "class_declaration",
        "trait_declaration",
        "declaration_list",
        "if_statement",
        "compound_statement",
        "else_clause",
    }
)
_FUNCTIONS = frozenset({"function_definition", "method_declaration"})
SHORTEST_HIDDEN = 3
_ENDS = (Stuck, RecursionError, TypeError, ValueError, IndexError, KeyError, OverflowError)
"""How the machine ends before its work is done: what PHP would do then is not worth finding out."""


class _Known(dict[bytes, Any]):
    """The variables of a scope, made into values when they are first asked for."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def __missing__(self, name: bytes) -> Plain:
        """Returns a variable's value; one that was never set is missing, one that is not known ends the machine."""
        if not self._run.has(name):
            raise KeyError(name)
        self[name] = value = plain_of(self._run.variable(name).constant)
        return value


def learn(machine: Machine, root: Node) -> None:
    """Tells the machine of every function and method, wherever they stand."""
    waiting = [root]
    while waiting:
        for child in waiting.pop().named_children:
            if child.type in _FUNCTIONS:
                machine.learn(child)
            elif child.type in _HOLDERS:
                waiting.append(child)


def computed_loop(run: Run, node: Node) -> bool:
    """Runs a loop whose work is known from the first to the last turn; says whether it is."""
    known = _Known(run)
    try:
        run.machine.run(node, known)
        left = {name: constant_of(bytes(held) if type(held) is bytearray else held) for name, held in known.items()}
    except _ENDS:
        return False
    for name, constant in left.items():
        if constant != run.variable(name).constant:
            run.put(name, _made(run, constant))
    return True


def computed_call(run: Run, name: bytes, values: tuple[Value, ...]) -> Value | None:
    """Returns what a function of the source gives for what is known, None where that cannot be worked out."""
    if name not in run.machine.routines or any(value.constant is None for value in values):
        return None
    try:
        arguments = [plain_of(value.constant) for value in values]
        return _made(run, constant_of(run.machine.call(name, arguments, _Known(run))))
    except _ENDS:
        return None


def _made(run: Run, constant: Constant) -> Value:
    """What the source does not show was hidden; what it shows was only chosen."""
    is_hidden = isinstance(constant, bytes) and len(constant) >= SHORTEST_HIDDEN and constant not in run.source
    return Value(constant, decoded=is_hidden, assembled=is_hidden) if constant else UNKNOWN
