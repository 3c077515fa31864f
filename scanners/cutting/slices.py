"""The whole of an injection: the statement that carries the evidence, and what there is only for its sake.

To cut the one line that a scanner names would leave the rest of the injection behind. So the statement grows by its
neighbours that make what only it uses, and by those that only use what it makes; where an `if` or a function then
holds nothing else, it is the whole of that. What cannot be told apart for certain is not cut at all.
"""

from collections.abc import Iterable, Sequence

from tree_sitter import Node

from scanners.cutting.names import SUPERGLOBALS, made, used
from scanners.cutting.statements import DECLARATIONS, ENDINGS, FUNCTIONS, bodies, enclosing, is_prelude, statements
from scanners.php.syntax import named

MOST_STATEMENTS = 60
"""Of one injection; what is more is a program, and no insertion."""


def injection(node: Node) -> Sequence[Node] | None:
    """Returns the statements of one list that are the injection round a node, None where that is not certain."""
    statement = enclosing(node)
    while statement is not None and statement.parent is not None:
        members = _grown(statement, statements(statement.parent))
        if members is None:
            return None
        if statement.parent.type == "program":
            return members
        body = _function_body(statement)
        whole = _is_all(members, [body] if body is not None else [_holder(statement)])
        if body is not None and (body.parent is None or body.parent.type == "method_declaration" or not whole):
            return None if whole else members
        if not whole and not _stands_among_declarations(statement):
            return None  # an `if` of the site, or of the injection: nobody can tell
        statement = enclosing(_holder(statement))
    return None


def leaves_nothing_behind(members: Sequence[Node], program: Node) -> bool:
    """Whether nothing that stays in a file needs what is cut out of it."""
    gone = {name for member in members for name in made(member)}
    for other in statements(program):
        if any(_contains(member, other) for member in members):
            continue
        if any(_contains(other, member) for member in members):
            continue  # the function that they are cut out of
        if (used(other) - made(other)) & gone:
            return False
    return True


def _grown(statement: Node, siblings: Sequence[Node]) -> Sequence[Node] | None:
    """Adds to a statement what belongs to it of those that follow each other with it, and its functions anywhere.

    Returns None where something beside it makes what it uses, and others use that as well.
    """
    seed = siblings.index(statement)
    facts = [(made(one), used(one) - SUPERGLOBALS) for one in siblings] if len(siblings) > 1 else []
    functions = {place for place, one in enumerate(siblings) if one.type == "function_definition"}
    members = {seed}
    while len(members) < MOST_STATEMENTS:
        names = set[bytes]().union(*(facts[one][1] for one in members)) if facts else set()
        around = {min(members) - 1, max(members) + 1} - members
        near = {one for one in around if 0 <= one < len(facts) and _variables(facts[one][1]) & names}
        defined = set[bytes]().union(*(facts[one][0] for one in members & functions)) if facts else set()
        linked = {
            one
            for one in range(len(facts))
            if one not in members and ((one in functions and facts[one][0] & names) or facts[one][1] & defined)
        }
        if not near | linked:
            break
        members |= near | linked
    torn: set[int] = set()
    while True:
        strangers = {one for one in members - {seed} if not _belongs(one, members, facts)}
        if not strangers:
            break
        members -= strangers
        torn |= strangers
    inside = set[bytes]().union(*(facts[one][1] for one in members)) if torn else set()
    if any(facts[one][0] & inside for one in torn - members):
        return None
    return [siblings[place] for place in sorted(members)]


def _variables(names: set[bytes]) -> set[bytes]:
    """Returns what neighbours may share: variables, and names of files."""
    return {name for name in names if name.startswith((b"$", b'"'))} - {b"$this"}


def _belongs(place: int, members: set[int], facts: Sequence[tuple[set[bytes], set[bytes]]]) -> bool:
    """Whether a statement makes what only these use, or uses only what these make."""
    mine, needs = facts[place]
    inside = set[bytes]().union(*(facts[member][1] for member in members - {place}))
    if mine & inside:
        outside = (facts[other][1] for other in range(len(facts)) if other not in members)
        return not mine & set[bytes]().union(*outside)
    theirs = set[bytes]().union(*(facts[member][0] for member in members - {place}))
    return bool(needs & theirs) and _variables(needs) <= theirs


def _stands_among_declarations(statement: Node) -> bool:
    """Whether a statement is in an `if` that asks for what a visitor sends, in a file that else only declares."""
    outer = enclosing(_holder(statement))
    if outer is None or outer.parent is None or outer.parent.type != "program" or outer.type != "if_statement":
        return False
    condition = named(outer, "condition")
    others = [one for one in statements(outer.parent) if one != outer]
    asks = condition is not None and bool(used(condition) & SUPERGLOBALS)
    return asks and len(others) > 1 and all(one.type in DECLARATIONS for one in others)


def _function_body(statement: Node) -> Node | None:
    """Returns the body that a statement stands in, also within control structures, None outside of functions."""
    holder = _holder(statement)
    parent = statement.parent
    if parent is not None and parent.parent is not None and parent.parent.type in {*FUNCTIONS, "method_declaration"}:
        return parent
    return statement.parent if holder is not None and holder.type in FUNCTIONS else None


def _holder(statement: Node) -> Node | None:
    """Returns what the list of a statement belongs to: an `if`, a loop, a function."""
    owner = statement.parent
    return owner if owner is None or owner.type == "program" else owner.parent


def _is_all(members: Sequence[Node], holders: Iterable[Node | None]) -> bool:
    """Whether nothing but an injection, and what ends a block, stands in these."""
    for holder in holders:
        if holder is None:
            return False
        for leaf in bodies(holder):
            known = any(_contains(member, leaf) for member in members)
            if not known and leaf.type not in ENDINGS and not is_prelude(leaf):
                return False
    return True


def _contains(outer: Node, inner: Node) -> bool:
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
