"""What of a page matters when it is compared: whom it brings in, where it leads, and what it says."""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from scanners.outside.parties import is_foreign
from scanners.web.answer import Answer

MAX_ITEMS = 3_000
_TAG = re.compile(rb"<(script|a|iframe|meta|base|embed|object)\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"([a-z-]{2,20})\s{0,4}=\s{0,4}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'>]{1,2000}))", re.IGNORECASE
)
_REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\"\s;]{1,2000})", re.IGNORECASE)
_ACTIVE = re.compile(
    rb"location(?:\.href|\.replace|\.assign)?\s*[=(]|document\.write|\beval\s*\(|\batob\s*\(|fromCharCode|"
    rb"createElement\s*\(\s*['\"](?:script|iframe)|importScripts|\.appendChild",
)
"""What a script must do to matter here: lead away, or bring in more."""

_CHANGING = re.compile(rb"[0-9a-f]{8,}|[A-Za-z0-9+/_-]{16,}=*|[0-9]+", re.IGNORECASE)
"""Nonces, tokens, times, counters and cache busters."""

_UNSEEN = ((b"<script", b"</script"), (b"<style", b"</style"), (b"<template", b"</template"), (b"<!--", b"-->"))
"""What opens and closes a part of which nobody reads the text."""

_WORD = re.compile(r"[^\W\d_]{3,30}")


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as one kind of visitor gets it.

    Attributes:
        leaves_to: the foreign host that it leads away to; empty where it does not.
        scripts: foreign hosts whose scripts, frames and plugins it brings in.
        active: own scripts that lead away or bring in more, each as a hash without what changes.
        links: foreign hosts that it links to.
        words: of its text.
    """

    status: int
    leaves_to: str
    scripts: frozenset[str]
    active: frozenset[str]
    links: frozenset[str]
    words: frozenset[str]


def viewed(answer: Answer, host: str, remarks: Iterable[bytes] = ()) -> PageView:
    """Returns what of an answer matters.

    Args:
        answer: to one kind of visitor.
        host: of the site.
        remarks: what the visitor said of itself; a page may repeat that without being another.
    """
    body = answer.body
    for remark in remarks:
        body = body.replace(remark, b"")
    scripts, links, refresh = set[str](), set[str](), ""
    for number, tag in enumerate(_TAG.finditer(body)):
        if number >= MAX_ITEMS:
            break
        name, attributes = tag.group(1).lower(), _attributes(tag.group(2))
        target = attributes.get("href" if name in {b"a", b"base"} else "data" if name == b"object" else "src", "")
        foreign = _foreign_host(answer.url, target, host)
        if foreign and name == b"a":
            links.add(foreign)
        elif foreign:
            scripts.add(foreign)
        if name == b"meta" and attributes.get("http-equiv", "").lower() == "refresh":
            leads_to = _REFRESH.search(attributes.get("content", ""))
            refresh = _foreign_host(answer.url, leads_to.group(1), host) if leads_to else ""
    leaves_to = _foreign_host(answer.url, answer.leaves_to, host) or refresh
    return PageView(
        answer.status, leaves_to, frozenset(scripts), frozenset(_active(body)), frozenset(links), _words(body)
    )


def internal_links(answer: Answer) -> list[str]:
    """Returns the pages of the same host that a page links to, in its order, without those that do something."""
    found: dict[str, None] = {}
    for tag in _TAG.finditer(answer.body):
        if tag.group(1).lower() != b"a" or len(found) >= MAX_ITEMS:
            continue
        target = _joined(answer.url, _attributes(tag.group(2)).get("href", "")).partition("#")[0]
        parts, own = urlsplit(target), urlsplit(answer.url)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc) and _is_page(parts.path, parts.query):
            found[target] = None
    found.pop(answer.url, None)
    return list(found)


_DOES_SOMETHING = re.compile(
    r"log-?out|log-?in|sign-?out|cart|checkout|wp-admin|wp-json|delete|unsubscribe|feed/?$", re.IGNORECASE
)
_FILE = re.compile(r"\.(?!html?$|php$|aspx?$)[a-z0-9]{1,5}$", re.IGNORECASE)


_PAGE_NUMBER = re.compile(r"(?:p|page_id|cat)=[0-9]{1,9}")
"""The questions by which WordPress names its pages where nobody gave them names."""


def _is_page(path: str, question: str) -> bool:
    is_known = not question or _PAGE_NUMBER.fullmatch(question) is not None
    return is_known and not _DOES_SOMETHING.search(path) and not _FILE.search(path)


def _attributes(text: bytes) -> dict[str, str]:
    return {
        name.decode("ascii").lower(): html.unescape((quoted or single or bare).decode("utf-8", "replace")).strip()
        for name, quoted, single, bare in _ATTRIBUTE.findall(text)
    }


def _joined(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError:
        return ""


def _foreign_host(base: str, target: str, host: str) -> str:
    """Returns the host that an address leads to where that is another party's, else nothing."""
    try:
        parts = urlsplit(_joined(base, target)) if target else None
        found = (parts.hostname or "") if parts and parts.scheme in {"http", "https"} else ""
    except ValueError:
        return ""
    return found if found and is_foreign(found, host) else ""


def _active(body: bytes) -> set[str]:
    texts = (text for text in _inline(body) if _ACTIVE.search(text))
    return {hashlib.sha256(_CHANGING.sub(b"#", b"".join(text.split()))).hexdigest()[:16] for text in texts}


def _inline(body: bytes) -> Iterator[bytes]:
    """Yields what stands in script elements. Looked for step by step: a pattern would take too long for a trap."""
    lower, place = body.lower(), 0
    while (start := lower.find(b"<script", place)) >= 0:
        begin = lower.find(b">", start) + 1
        end = lower.find(b"</script", begin) if begin else -1
        if end < 0:
            return
        yield body[begin:end]
        place = end


def _words(body: bytes) -> frozenset[str]:
    text = html.unescape(b" ".join(_seen(body)).decode("utf-8", "replace"))
    return frozenset(word.lower() for word in _WORD.findall(text))


def _seen(body: bytes) -> Iterator[bytes]:
    """Yields the text between tags, without what nobody reads."""
    lower, place = body.lower(), 0
    while (start := lower.find(b"<", place)) >= 0:
        yield body[place:start]
        closing = next((end for begin, end in _UNSEEN if lower.startswith(begin, start)), b">")
        end = lower.find(closing, start)
        if end < 0:
            return
        place = end + len(closing)
    yield body[place:]
