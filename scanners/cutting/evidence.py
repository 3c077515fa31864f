"""Finds what a sign tells of in the tree of the file that it was seen in."""

from collections.abc import Iterator, Sequence

from tree_sitter import Node

from scanners.cutting.names import walk
from scanners.cutting.statements import enclosing
from scanners.engine import shown
from scanners.php.syntax import text
from sentry.domain.finding import Evidence, FindingClass, Sign, SourceLine

SHORTEST = 6
TELLING = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS)


def nodes_of(program: Node, source: bytes, signs: Sequence[Sign]) -> Iterator[Node]:
    """Yields the place of each sign of malware in the file itself, its last line: where it acts.

    Beside a proof a mere suspicion tells nothing: it may be of the site's own code, which is judged again anyway.
    """
    here = [sign for sign in signs if sign.layer == 0 and sign.way and sign.evidence is not Evidence.PLACE]
    worst = next((verdict for verdict in TELLING if any(sign.verdict is verdict for sign in here)), None)
    for sign in here:
        if sign.verdict is worst:
            found = _node(program, source, sign.way[-1])
            if found is not None and enclosing(found) is not None:
                yield found


def _node(program: Node, source: bytes, line: SourceLine) -> Node | None:
    for node in walk(program):
        if node.start_point[0] == line.number - 1 and _reads(node, line.text):
            return node
    begin = _offset(source, line.number)
    word = line.text[: len(line.text.encode("ascii", "replace").split(b"?")[0])].strip()
    at = source.find(word.encode(), begin) if len(word) >= SHORTEST else -1
    if at < 0:
        rest = source[begin:]
        at = begin + len(rest) - len(rest.lstrip())
    return program.descendant_for_byte_range(at, min(at + 1, len(source)))


def _reads(node: Node, wanted: str) -> bool:
    return node.is_named and bool(wanted) and shown(text(node)[: len(wanted.encode()) + 4]).startswith(wanted)


def _offset(source: bytes, number: int) -> int:
    at = 0
    for _ in range(number - 1):
        at = source.find(b"\n", at) + 1
        if at == 0:
            return 0
    return at
