"""Judges scripts of the browser, pages, and both where they stand in the source of a program."""

import re
from collections.abc import Callable, Iterator

from scanners.browser import pages, scripts
from scanners.browser.layers import MAX_SCRIPT, Layer, layers_of
from scanners.browser.rules import RULES
from scanners.browser.scripts import TRIGGERS, Seen
from scanners.browser.style import style_of
from scanners.engine import AuditedFile, Opinion
from sentry.domain.finding import Sign

MAX_BYTES = 3_000_000
MAX_SCRIPTS = 60
SCRIPTS = frozenset(("js", "mjs", "cjs", "jsm"))
OTHERS = frozenset(
    (
        *(
            "png",
            "jpg",
            "jpeg",
            "gif",
            "ico",
            "webp",
            "woff",
            "woff2",
            "ttf",
            "eot",
            "otf",
            "mp3",
            "mp4",
            "pdf",
            "zip",
        ),
        *(
            "gz",
            "css",
            "scss",
            "less",
            "md",
            "rst",
            "po",
            "mo",
            "pot",
            "json",
            "map",
            "sql",
            "py",
            "pl",
            "lock",
            "yml",
        ),
    )
)
_SCRIPT = re.compile(r"<script\b([^<>]{0,1500})>(.*?)(?:</script|\Z)", re.IGNORECASE | re.DOTALL)
_NO_SCRIPT = re.compile(
    r"type\s{0,9}=\s{0,9}[\\\"']{0,2}(?:text/(?:x-|html|template|ng)|application/(?:ld\+)?json)", re.IGNORECASE
)
_MARKUP = re.compile(rb"<(?:script|iframe|form|a\s|div|span|p|ul|table|marquee|title)\b", re.IGNORECASE)
_QUOTED = re.compile(r"\\(['\"/])")
_TEXT_IS_SCRIPT = re.compile(
    rb"\A[\s;]{0,200}(?:var |let |const |function\b|\(function|!function|eval\("
    rb"|window\.|document\.|/\*|//|['\"]use strict)"
)


class BrowserEngine:
    """Judges what acts in the browser."""

    name = "browser"

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:
        """Judges a file; see `Engine`."""
        extension = file.path.rpartition("/")[2].lower().rpartition(".")[2]
        content = file.content[:MAX_BYTES]
        if extension in OTHERS or b"\0" in content[:1_000]:
            return Opinion()
        if extension in SCRIPTS or (b"<" not in content[:200] and _TEXT_IS_SCRIPT.match(content)):
            return _script(content, is_late, len(file.content))
        if _MARKUP.search(content) is None:
            return Opinion()
        text = content.decode("latin-1")
        return _page(_QUOTED.sub(r"\1", text) if "<?" in text else text, is_late)


def _script(content: bytes, is_late: Callable[[], bool], size: int) -> Opinion:
    if TRIGGERS.search(content) is None:
        return Opinion()
    text = content.decode("latin-1")
    layers = [layer for part in _ends(text) for layer in layers_of(part, is_late)]
    styles = (style_of(part) for part in _ends(text))
    seen = [*scripts.seen(text, layers), *(style for style in styles if style is not None)]
    signs = list(_signs(text, seen, layers, 0))
    left_out = "not looked at whole: too large or too slow" if is_late() or size > MAX_BYTES else None
    return Opinion(
        _unlike(signs), tuple(layer.text.encode("utf-8", "replace") for layer in layers), left_out=left_out
    )


def _ends(text: str) -> tuple[str, ...]:
    """Returns begin and end of a long script, where other people's code is put; of a short one, all."""
    return (text,) if len(text) <= MAX_SCRIPT else (text[:MAX_SCRIPT], text[-MAX_SCRIPT:])


def _page(text: str, is_late: Callable[[], bool]) -> Opinion:
    signs = list(_signs(text, pages.seen(text), [], 0))
    layers: list[Layer] = []
    for number, script in enumerate(_SCRIPT.finditer(text)):
        if is_late() or number >= MAX_SCRIPTS:
            break
        code = script[2][:MAX_SCRIPT]
        if _NO_SCRIPT.search(script[1]) or TRIGGERS.search(code.encode("latin-1", "replace")) is None:
            continue
        hidden = layers_of(code, is_late)
        signs += _signs(text, scripts.seen(code, hidden), hidden, script.start(2))
        layers += hidden
    left_out = "not looked at whole: too slow" if is_late() else None
    return Opinion(
        _unlike(signs), tuple(layer.text.encode("utf-8", "replace") for layer in layers), left_out=left_out
    )


def _signs(text: str, seen: "Iterator[Seen] | list[Seen]", hidden: list[Layer], offset: int) -> Iterator[Sign]:
    for one in seen:
        where = 0 if one.layer else offset + one.offset
        around = text[where : where + 200].encode("latin-1", "replace")
        yield RULES[one.rule].sign(text.count("\n", 0, where) + 1, around, detail=one.detail, layer=one.layer)
    for layer in hidden:
        inside = pages.seen(layer.text) if layer.is_run else ()
        for one in inside:
            yield RULES[one.rule].sign(
                1, layer.text[one.offset :][:200].encode("utf-8", "replace"), detail=one.detail, layer=layer.depth
            )
        if layer.is_run and not _is_packed_only(text):
            yield RULES["script_runs_decoded"].sign(1, layer.text[:200].encode("utf-8", "replace"), layer=layer.depth)


def _is_packed_only(text: str) -> bool:
    """Whether nothing is run but what was packed to be smaller, as builders do."""
    return (
        re.search(
            r"\b(?:eval|Function|setTimeout|write(?:ln)?)\s*\(\s*(?:atob|unescape|String|decodeURI|window|['\"]\\x)",
            text,
        )
        is None
    )


def _unlike(signs: list[Sign]) -> tuple[Sign, ...]:
    return tuple({(sign.rule, sign.layer > 0): sign for sign in reversed(signs)}.values())
