"""Proposes how to cut an injection out of PHP, by its syntax tree."""

import re
from collections.abc import Callable, Iterator, Sequence

from tree_sitter import Node

from scanners.cutting.evidence import nodes_of
from scanners.cutting.gaps import Span, widened, without
from scanners.cutting.slices import injection, leaves_nothing_behind
from scanners.cutting.statements import blocks, is_prelude, statements
from scanners.php.syntax import parse, text
from sentry.domain.finding import Sign

_NEWLINE = re.compile(rb"\r?\n")
_SPACE = re.compile(rb"\s*\Z")


def cuts_of_php(
    source: bytes, signs: Sequence[Sign], is_late: Callable[[], bool], *, only_comments: bool = False
) -> Iterator[bytes]:
    """Yields the file without the injection that signs tell of, the likeliest first; none where it is not certain.

    Args:
        source: the whole file.
        signs: of the file itself, with their lines.
        is_late: whether the time of this file is over.
        only_comments: whether the site's own part may be nothing but a comment.
    """
    program = parse(source, is_late)
    if program is None:
        return
    nodes = list(nodes_of(program, source, signs))
    yield from _cuts(source, program, nodes, only_comments=only_comments)
    if len(nodes) > 1:  # one of them may be of the site's own code, and only look bad beside the injection
        for node in nodes:
            yield from _cuts(source, program, [node], only_comments=only_comments)


def is_nothing_else(source: bytes, signs: Sequence[Sign], is_late: Callable[[], bool]) -> bool:
    """Whether a file is nothing but the injection that signs tell of, and holds nothing of a site's."""
    program = parse(source, is_late)
    if program is None or any(child.type == "text" and text(child).strip() for child in program.children):
        return False
    members = [one for node in nodes_of(program, source, signs) for one in injection(node) or ()]
    rest = [one for one in statements(program) if one not in members]
    pages = (child for child in program.children if child.type == "text_interpolation")
    if any(_between(page).strip() for page in pages):
        return False
    return bool(members) and all(is_prelude(one) or one.type == "exit_statement" for one in rest)


def _cuts(source: bytes, program: Node, nodes: Sequence[Node], *, only_comments: bool) -> Iterator[bytes]:
    members: list[Node] = []
    for node in nodes:
        found = injection(node)
        if found is None:
            return
        members += [one for one in found if one not in members]
    if not members or not leaves_nothing_behind(members, program):
        return
    if len(members) == len(statements(program)):
        if not only_comments or not _begins_with_comment(program):
            return
        _, beside, _ = next(iter(blocks(program)))
        if beside:  # in the same block as the comment, which stays
            yield without(source, [widened(source, span) for span in _runs(source, program, members)])
            return
    spans, others = _spans(source, program, members)
    yield without(source, [*spans, *others[:1]])
    for other in others[1:]:
        yield without(source, [*spans, other])


def _begins_with_comment(program: Node) -> bool:
    return any(child.type == "comment" for child in program.named_children[:2])


def errors(source: bytes, is_late: Callable[[], bool]) -> int | None:
    """Counts what the grammar does not understand of a source; None where there was no time for it."""
    program = parse(source, is_late)
    if program is None:
        return None
    waiting, count = [program], 0
    while waiting:
        node = waiting.pop()
        count += node.is_error or node.is_missing
        waiting += [child for child in node.children if child.has_error or child.is_error or child.is_missing]
    return count


def _spans(source: bytes, program: Node, members: Sequence[Node]) -> tuple[list[Span], list[Span]]:
    """Returns what is cut; then, where the last block goes whole, the ways in which it may have been joined on."""
    spans: list[Span] = []
    ends: list[Span] = []
    covered: set[int] = set()
    for begin, inside, end in blocks(program):
        if not any(one in members for one in inside) or not _is_whole(inside, members, begin, end):
            continue
        covered |= {one.id for one in inside}
        span = _block(source, begin, end)
        if end is None or not source[span.end :].strip():
            ends += _joints(source, begin, span)
        else:
            spans.append(span)
    spans += [
        widened(source, span) for span in _runs(source, program, [one for one in members if one.id not in covered])
    ]
    return spans, ends


def _is_whole(inside: Sequence[Node], members: Sequence[Node], begin: Node, end: Node | None) -> bool:
    """Whether nothing of a `<?php … ?>` is the site's: also where it is one line that something is stuck on to."""
    if all(one in members or is_prelude(one) or one.type == "exit_statement" for one in inside):
        return True
    stuck = end is not None and not _between(end).strip() and _tag(end) is not None
    return stuck and begin.start_byte == 0 and end is not None and begin.start_point[0] == end.start_point[0]


def _block(source: bytes, begin: Node, end: Node | None) -> Span:
    start = _start(begin)
    if end is None:
        return Span(start, len(source))
    after = end.children[0].end_byte
    tag = _tag(end)
    if start == 0 and tag is not None and not _between(end).strip():
        return Span(0, tag.start_byte)  # else what stood between the two would be sent before all headers
    newline = _NEWLINE.match(source, after)
    span = widened(source, Span(start, after))
    return (
        span if newline is None or span.end > after else Span(span.begin, newline.end() if start == 0 else span.end)
    )


def _joints(source: bytes, begin: Node, span: Span) -> list[Span]:
    """Returns how the last block may have been joined on: after a `?>` of the site's, or with one of its own.

    The likeliest first.
    """
    start = _start(begin)
    found = [Span(span.begin, len(source)), Span(start, len(source)), Span(_rstripped(source, start), len(source))]
    if begin.type == "text_interpolation" and not _between(begin).strip():
        closing = begin.start_byte
        own = [widened(source, Span(closing, len(source))), Span(_rstripped(source, closing), len(source))]
        found = [*own, *found] if _is_foreign_ending(source, begin) else [*found, *own]
    return list(dict.fromkeys(found))


def _is_foreign_ending(source: bytes, ending: Node) -> bool:
    """Whether the `?>` before a last block seems to have come with it.

    So it is where nothing else on the file's own level leaves PHP, or where an empty line stands before it.
    """
    program = ending.parent
    others = [] if program is None else [child for child in program.children if child.type == ending.type]
    gap = source[_rstripped(source, ending.start_byte) : ending.start_byte]
    return all(other.start_byte >= ending.start_byte for other in others) or gap.count(b"\n") > 1


def _rstripped(source: bytes, at: int) -> int:
    found = _SPACE.search(source[:at])
    return at if found is None else found.start()


def _runs(source: bytes, program: Node, members: Sequence[Node]) -> Iterator[Span]:
    """Yields the bytes of statements that follow each other, with the comments between, before and behind them."""
    run: list[Node] = []
    for member in sorted(members, key=lambda one: one.start_byte):
        if run and not _follows(run[-1], member):
            yield _with_comments(source, program, run)
            run = []
        run.append(member)
    if run:
        yield _with_comments(source, program, run)


def _follows(one: Node, other: Node) -> bool:
    following = one.next_sibling
    while following is not None and following.type == "comment":
        following = following.next_sibling
    return following == other


def _with_comments(source: bytes, program: Node, run: Sequence[Node]) -> Span:
    begin, end = run[0], run[-1]
    before, after = begin.prev_sibling, end.next_sibling
    first = next((child for child in program.named_children if child.type == "comment"), None)
    if after is not None and after.type == "comment" and after.start_point[0] == end.end_point[0]:
        end = after  # behind it on its line
    elif _is_marker(before, after):
        end = after or end
    if before is not None and before.type == "comment" and (_is_marker(before, after) or before != first):
        gap = source[before.end_byte : begin.start_byte]
        line = source[source.rfind(b"\n", 0, before.start_byte) + 1 : before.start_byte]
        if not line.strip() and gap.count(b"\n") <= 1 and (_is_marker(before, after) or not _touches(source, end)):
            begin = before
    return Span(begin.start_byte, end.end_byte)


def _touches(source: bytes, end: Node) -> bool:
    """Whether something follows without a blank line, so that a comment above may belong to it."""
    rest = source[end.end_byte :].lstrip(b" \t\r")
    return rest[:1] == b"\n" and bool(rest[1:].split(b"\n", 1)[0].strip())


def _is_marker(before: Node | None, after: Node | None) -> bool:
    """Whether the same comment stands before and behind: `/*a3f9*/ … /*a3f9*/`."""
    return (
        before is not None
        and after is not None
        and before.type == after.type == "comment"
        and (text(before) == text(after))
    )


def _start(begin: Node) -> int:
    tag = _tag(begin)
    return begin.start_byte if tag is None else tag.start_byte


def _tag(node: Node) -> Node | None:
    return next((child for child in node.children if child.type == "php_tag"), None)


def _between(interpolation: Node) -> bytes:
    return b"".join(text(child) for child in interpolation.children if child.type == "text")
