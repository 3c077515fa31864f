"""Judges HTML and JavaScript that a database would put into pages: what is hidden, what loads or sends elsewhere."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

from scanners.database.known_hosts import is_known
from scanners.engine import shown
from sentry.domain.finding import Evidence, FindingClass, Sign, SourceLine

MANY_HIDDEN_LINKS = 3
SHOWN_BYTES = 160
ATTRIBUTES_BYTES = 4_000
_TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})([^<>]{0,%d})>" % ATTRIBUTES_BYTES)
_ATTRIBUTE = re.compile(rb"""([a-zA-Z-]{1,40})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_HIDING = re.compile(
    rb"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0?(?:\.0+)?\s*(?:[;!]|$)|font-size\s*:\s*[01](?:px)?\s*(?:[;!]|$)"
    rb"|(?:left|right|top|text-indent|margin-left)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*[01]"
    rb"|(?:height|width)\s*:\s*[01](?:px)?\s*;?[^}]{0,80}overflow\s*:\s*hidden"
    rb"|overflow\s*:\s*hidden[^}]{0,80}(?:height|width)\s*:\s*[01](?:px)?\s*(?:[;!]|$)",
    re.IGNORECASE,
)
_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
_SCRIPT_ENDS = re.compile(rb"<\\?/script", re.IGNORECASE)
_HANDLER = re.compile(rb"^on[a-z]{3,20}$")
_TINY = frozenset({b"0", b"1", b"0px", b"1px"})

_DECODES = (
    rb"(?:atob|unescape|decodeURIComponent|String\s*\.\s*fromCharCode|String\[['\"]fromCharCode|charCodeAt"
    rb"|parseInt\s*\([^)]{1,60},\s*(?:16|36)|(?:\\x[0-9a-f]{2}){8}|(?:\\u00[0-9a-f]{2}){8}|(?:%[0-9a-f]{2}){20})"
)
_LOADS = (
    rb"(?:createElement\s*\(\s*['\"]script|document\s*\.\s*write|insertAdjacentHTML|\.src\s*=|importScripts"
    rb"|import\s*\()"
)
_GOES = rb"(?:location(?:\s*\.\s*href)?\s*=[^=]|location\s*\.\s*(?:replace|assign)\s*\()"


@dataclass(frozen=True, slots=True)
class ScriptRule:
    """What a script does: every one of its patterns is in it."""

    rule: str
    meaning: str
    verdict: FindingClass
    patterns: Sequence[re.Pattern[bytes]]


def _rule(rule: str, meaning: str, verdict: FindingClass, *patterns: bytes) -> ScriptRule:
    return ScriptRule(rule, meaning, verdict, [re.compile(one, re.IGNORECASE) for one in patterns])


SCRIPT_RULES: Sequence[ScriptRule] = (
    _rule(
        "db_script_runs_hidden",
        "a script runs a text that it has hidden",
        FindingClass.CONFIRMED,
        rb"(?:\beval|\bFunction|\bsetTimeout|\bsetInterval)\s*\(\s*(?:window\.)?" + _DECODES,
    ),
    _rule(
        "db_script_loads_hidden",
        "a script hides from where it loads another one",
        FindingClass.CONFIRMED,
        _DECODES,
        _LOADS,
        rb"atob|unescape|fromCharCode|\\x[0-9a-f]{2}\\x|\\u00[0-9a-f]{2}\\u00|(?:%[0-9a-f]{2}){8}",
    ),
    _rule("db_script_goes_hidden", "a script hides where it sends visitors", FindingClass.CONFIRMED, _DECODES, _GOES),
    _rule(
        "db_script_packed",
        "a script is packed so that nobody can read it",
        FindingClass.SUSPICIOUS,
        rb"eval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k|_0x[0-9a-f]{4,6}\s*[=(\[]",
    ),
    _rule(
        "db_script_takes_cards",
        "a script sends what is typed into a payment form somewhere",
        FindingClass.CONFIRMED,
        rb"cvv|cvc|card.?number|cc_?num|expir",
        rb"XMLHttpRequest|sendBeacon|\bfetch\s*\(|new\s+Image|WebSocket",
        rb"(?:https?:|wss?:)?//[a-z0-9.-]+\.[a-z]{2,}|" + _DECODES,
    ),
)
_FORWARDS = re.compile(_GOES + rb"[\s(]*['\"]((?:https?:)?//[^'\"\s]{4,300})", re.IGNORECASE)
_LOADED = re.compile(rb"['\"]((?:https?:)?//[^'\"\s]{4,300}\.js[^'\"\s]{0,200})['\"]", re.IGNORECASE)
_MAKES_SCRIPT = re.compile(rb"createElement\s*\(\s*['\"]script", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Tag:
    name: bytes
    closes: bool
    attributes: dict[bytes, bytes]
    at: int
    ends: int


def judge_markup(content: bytes, own: frozenset[str]) -> Iterator[Sign]:
    """Yields what is wrong with a text that a page would show.

    Args:
        content: HTML, JavaScript in it or JSON with HTML in it; a stranger's.
        own: the site's host and the domains that it is of.
    """
    plain = content.replace(rb"\/", b"/").replace(rb"\"", b'"')
    tags = list(_tags(plain))
    yield from _hidden_links(plain, tags, own)
    code_ends = 0
    for tag in tags:
        if tag.closes or tag.at < code_ends:
            continue
        if tag.name == b"script":
            end = _SCRIPT_ENDS.search(plain, tag.ends)
            code_ends = end.start() if end else len(plain)
            yield from _script(plain, tag, code_ends, own)
        elif tag.name == b"iframe":
            yield from _frame(plain, tag, own)
        elif tag.name == b"meta":
            yield from _forwarding(plain, tag, own)
        for name, value in tag.attributes.items():
            if _HANDLER.match(name) or value.lstrip().lower().startswith(b"javascript:"):
                yield from judge_script(value, own, _line(plain, tag.at))


def judge_script(code: bytes, own: frozenset[str], first_line: int = 1) -> Iterator[Sign]:
    """Yields what is wrong with JavaScript."""
    for rule in SCRIPT_RULES:
        found = [pattern.search(code) for pattern in rule.patterns]
        if all(found) and found[0] is not None:
            yield _sign(rule.rule, rule.meaning, rule.verdict, Evidence.BEHAVIOUR, code, found[0].start(), first_line)
    for found_address in _FORWARDS.finditer(code):
        host = _host(found_address[1])
        if host and not is_known(host, own):
            meaning = "a script sends visitors to another site"
            yield _sign(
                "db_script_forwards", meaning, FindingClass.SUSPICIOUS, Evidence.BEHAVIOUR, code,
                found_address.start(), first_line, host,
            )  # fmt: skip
            break
    if _MAKES_SCRIPT.search(code):
        yield from _loaded(code, own, first_line)


def _loaded(code: bytes, own: frozenset[str], first_line: int) -> Iterator[Sign]:
    for found in _LOADED.finditer(code):
        host = _host(found[1])
        if host and not is_known(host, own):
            meaning = "a script loads another one from a server that is not widely known"
            where = (code, found.start(), first_line, host)
            yield _sign("db_script_loads", meaning, FindingClass.SUSPICIOUS, Evidence.BEHAVIOUR, *where)
            return


def _script(content: bytes, tag: _Tag, code_ends: int, own: frozenset[str]) -> Iterator[Sign]:
    source = tag.attributes.get(b"src", b"")
    host = _host(source)
    where = (content, tag.at, 1, shown(source[:100]))
    if source.lower().lstrip().startswith(b"data:"):
        meaning = "a script that stands in its own address"
        yield _sign("db_script_in_address", meaning, FindingClass.CONFIRMED, Evidence.STYLE, *where)
    elif host and not is_known(host, own):
        meaning = "a script is loaded from a server that is not widely known"
        yield _sign("db_foreign_script", meaning, FindingClass.SUSPICIOUS, Evidence.PLACE, *where)
    yield from judge_script(content[tag.ends : code_ends], own, _line(content, tag.ends))


def _frame(content: bytes, tag: _Tag, own: frozenset[str]) -> Iterator[Sign]:
    source = tag.attributes.get(b"src", b"")
    host = _host(source)
    tiny = tag.attributes.get(b"width") in _TINY or tag.attributes.get(b"height") in _TINY
    if host and not is_known(host, own) and (tiny or _HIDING.search(tag.attributes.get(b"style", b""))):
        meaning = "a frame that nobody can see shows another site"
        yield _sign("db_hidden_frame", meaning, FindingClass.CONFIRMED, Evidence.STYLE, content, tag.at, 1, host)


def _forwarding(content: bytes, tag: _Tag, own: frozenset[str]) -> Iterator[Sign]:
    if tag.attributes.get(b"http-equiv", b"").lower() != b"refresh":
        return
    host = _host(tag.attributes.get(b"content", b"").lower().partition(b"url=")[2].strip(b" '\""))
    if host and not is_known(host, own):
        meaning = "a page sends its visitors to another site"
        yield _sign("db_forwards", meaning, FindingClass.SUSPICIOUS, Evidence.BEHAVIOUR, content, tag.at, 1, host)


def _hidden_links(content: bytes, tags: Sequence[_Tag], own: frozenset[str]) -> Iterator[Sign]:
    """Follows what is hidden from its opening tag to the closing one of the same name."""
    hidden_by, depth = b"", 0
    hosts: dict[str, int] = {}
    for tag in tags:
        hides = not tag.closes and bool(_HIDING.search(tag.attributes.get(b"style", b"")))
        if tag.name == b"a" and not tag.closes and (hidden_by or hides):
            host = _host(tag.attributes.get(b"href", b""))
            if host and not is_known(host, own):
                hosts.setdefault(host, tag.at)
        if hidden_by:
            depth += (-1 if tag.closes else 1) if tag.name == hidden_by else 0
            hidden_by = hidden_by if depth else b""
        elif hides and tag.name not in _VOID:
            hidden_by, depth = tag.name, 1
    if hosts:
        many = len(hosts) >= MANY_HIDDEN_LINKS
        verdict = FindingClass.CONFIRMED if many else FindingClass.SUSPICIOUS
        meaning = "links to other sites that visitors cannot see and search engines can"
        where = (content, min(hosts.values()), 1, ", ".join(sorted(hosts)[:5]))
        yield _sign("db_hidden_links", meaning, verdict, Evidence.STYLE, *where)


def _tags(content: bytes) -> Iterator[_Tag]:
    for found in _TAG.finditer(content):
        attributes = {
            name.lower(): unescape((double or single or bare).decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
            for name, double, single, bare in _ATTRIBUTE.findall(found[3])
        }
        yield _Tag(found[2].lower(), found[1] == b"/", attributes, found.start(), found.end())


def _host(address: bytes) -> str:
    """Returns the host of an address that leads elsewhere, empty for one within the site."""
    written = address.strip().decode("utf-8", "replace")
    if not written.lower().startswith(("http:", "https:", "//")):
        return ""
    try:
        return urlsplit(written).hostname or ""
    except ValueError:
        return "an address that is none"


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _sign(
    rule: str,
    meaning: str,
    verdict: FindingClass,
    evidence: Evidence,
    content: bytes,
    at: int,
    first_line: int,
    detail: str = "",
) -> Sign:
    begins = max(content.rfind(b"\n", 0, at) + 1, at - 20)
    line = SourceLine(first_line + content.count(b"\n", 0, at), shown(content[begins : begins + SHOWN_BYTES]))
    return Sign(rule, meaning, verdict, evidence, detail, (line,))
