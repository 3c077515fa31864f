"""Judges the texts of a database: as PHP where they hold it, as what a browser gets, and what is packed in them."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace

from scanners.database.markup import judge_markup, judge_script
from scanners.database.serialized import NotSerialized, texts, unserialize
from scanners.engine import AuditedFile
from scanners.malware import Judged
from sentry.domain.finding import WORST_FIRST, Finding, Place, Sign
from sentry.ports.clock import Clock

SECONDS_PER_TEXT = 4.0
MAX_PACKED = 8
_SERIALIZED = re.compile(rb"^[aO]:\d+:")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{80,}={0,2}")
_CODE = re.compile(
    rb"\b(?:eval|assert|base64_decode|gzinflate|gzuncompress|str_rot13|create_function|system|exec|shell_exec|passthru"
    rb"|file_put_contents)\s*\(|\$_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES)\b",
    re.IGNORECASE,
)
"""What is PHP, though nothing says so: it is stored for something that runs it."""

_TELLING = re.compile(rb"<\?(?:php|=)|<script|<iframe|\beval\s*\(|\$_(?:POST|GET|REQUEST|COOKIE)", re.IGNORECASE)

Judge = Callable[[AuditedFile, Callable[[], bool]], Judged]


class TextJudge:
    """Judges texts.

    Args:
        judge: the engines for files.
        own: the site's host and the domains that it is of.
    """

    def __init__(self, judge: Judge, clock: Clock, own: frozenset[str]) -> None:
        self._judge = judge
        self._clock = clock
        self._own = own

    def finding(self, place: str, text: bytes, *, is_php: bool = False, is_script: bool = False) -> Finding | None:
        """Returns what is wrong with a text, None where nothing is.

        Args:
            place: its table, row and column.
            text: a stranger's.
            is_php: whether it is kept to be run as PHP.
            is_script: whether it is JavaScript, without a tag around it.
        """
        found = [one for part in _parts(text) for one in self._signs(place, part, is_php=is_php, is_script=is_script)]
        signs = tuple(dict.fromkeys(sign for finding in found for sign in finding.signs))
        if not signs:
            return None
        ordered = sorted(signs, key=lambda sign: WORST_FIRST.index(sign.verdict))
        layers = tuple(dict.fromkeys(layer for finding in found for layer in finding.layers))
        return Finding(place, ordered[0].verdict, tuple(ordered), layers, Place.DATABASE, size_bytes=len(text))

    def _signs(self, place: str, text: bytes, *, is_php: bool, is_script: bool) -> Iterator[Finding]:
        markup = judge_script(text, self._own) if is_script else judge_markup(text, self._own)
        yield _of(place, tuple(markup))
        bare = is_php or (b"<?" not in text and _CODE.search(text) is not None)
        source = b"<?php " + text if bare and b"<?" not in text[:400] else text
        if b"<" in source:
            yield from self._by_engines(place, source)

    def _by_engines(self, place: str, source: bytes) -> Iterator[Finding]:
        ends = self._clock.monotonic() + SECONDS_PER_TEXT
        named = "database.php" if b"<?" in source else "database.html"
        judged = self._judge(AuditedFile(named, source), lambda: self._clock.monotonic() > ends)
        if judged.finding is not None:
            yield replace(judged.finding, path=place)


def _of(place: str, signs: tuple[Sign, ...]) -> Finding:
    return Finding(place, signs[0].verdict if signs else WORST_FIRST[-1], signs)


def _parts(text: bytes) -> Iterator[bytes]:
    """Yields a text, or each text that is serialized in it; and what is packed there as base64, if it tells."""
    whole = [text]
    if _SERIALIZED.match(text):
        try:
            whole = [one for _path, one in texts(unserialize(text)) if one]
        except NotSerialized:  # judged as it stands
            whole = [text]
    for one in whole:
        yield one
        for packed in list(_BASE64.finditer(one))[:MAX_PACKED]:
            opened = b64decode(packed[0][: len(packed[0]) // 4 * 4])
            if _TELLING.search(opened):
                yield opened
