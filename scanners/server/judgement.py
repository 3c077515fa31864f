"""Which file is which kind of settings, told by its name or by what it is made of, and what the settings say."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from scanners.engine import AuditedFile, Opinion
from scanners.server import apache, directives, nginx, php_settings, windows, wordpress
from scanners.server.rules import sign
from sentry.domain.finding import Sign

MAX_BYTES = 500_000
"""Larger files of settings exist only to hide something; what is beyond is said to be left out."""

_APACHE_NAME = re.compile(
    r"^\.?ht(?:access|passwd\.conf)|\.htaccess$|^httpd?[\w-]*\.conf$|^apache[\w-]*\.conf$", re.IGNORECASE
)
_INI_NAME = re.compile(r"^\.?(?:user\.ini|php\d*\.ini)(?:\.\w+)?$", re.IGNORECASE)
_NGINX_NAME = re.compile(r"^\.?nginx[\w.-]*$|\.nginx$", re.IGNORECASE)
_TELLING = re.compile(
    r"^[ \t]{0,200}(?:RewriteRule|RewriteCond|AddHandler|AddType|SetHandler|php_value|php_flag|<Files|ErrorDocument"
    r"|auto_(?:prepend|append)_file|disable_functions|allow_url_include)",
    re.IGNORECASE | re.MULTILINE,
)
MANY_BLANK_LINES = 80
MANY_BLANKS = 120
"""So many before a setting move it out of the sight of whoever opens the file."""

_PHP = re.compile(r"<\?(?:php\b|=)", re.IGNORECASE)
_LOOKED_AT_LINES = 400
_OTHER_NAMES = frozenset(
    (
        *("php", "js", "mjs", "css", "scss", "less", "map", "json", "html", "htm", "xml", "svg", "md", "rst", "sql"),
        *("po", "mo", "pot", "png", "jpg", "jpeg", "gif", "ico", "webp", "woff", "woff2", "ttf", "eot", "otf", "zip"),
        *("gz", "pdf", "py", "pl", "sh", "rb", "java", "ts", "tsx", "vue", "yml", "yaml", "lock", "phtml", "inc"),
    )
)
"""Files of these names are told by them: they are not looked through for settings."""


class ServerEngine:
    """Judges settings of web servers, of PHP and of WordPress."""

    name = "server"

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:  # noqa: ARG002  # its size is bounded
        """Judges a file; see `Engine`."""
        name = file.path.rpartition("/")[2]
        kind = _kind(name.lower(), file.content)
        if kind is None:
            return Opinion()
        text = file.content[:MAX_BYTES].decode("latin-1").removeprefix("\xef\xbb\xbf").replace("\r\n", "\n")
        left_out = None if len(file.content) <= MAX_BYTES else f"settings beyond {MAX_BYTES:,} bytes"
        return Opinion(tuple(kind(text, file.path)), left_out=left_out)


def _apache(text: str, path: str) -> Iterator[Sign]:
    yield from apache.judged(list(directives.apache(text)), path.lower())
    yield from _whole(text)


def _ini(text: str, path: str) -> Iterator[Sign]:  # noqa: ARG001  # one signature for every kind
    yield from php_settings.judged(directives.ini(text))
    yield from _whole(text)


def _nginx(text: str, path: str) -> Iterator[Sign]:  # noqa: ARG001  # as above
    yield from nginx.judged(directives.nginx(text))


def _windows(text: str, path: str) -> Iterator[Sign]:  # noqa: ARG001  # as above
    yield from windows.judged(text)


def _wordpress(text: str, path: str) -> Iterator[Sign]:  # noqa: ARG001  # as above
    yield from wordpress.judged(text)


def _whole(text: str) -> Iterator[Sign]:
    """Yields what is odd in any file of settings."""
    code = _PHP.search(text)
    if code is not None:
        yield sign("settings_hold_code", text.count("\n", 0, code.start()) + 1, text[code.start() :][:100])
    blank_lines = 0
    for number, line in enumerate(text.split("\n"), 1):
        written = line.strip()
        if not written:
            blank_lines += 1
            continue
        blanks = len(line) - len(line.lstrip())
        if written[0] not in "#;" and (blank_lines >= MANY_BLANK_LINES or blanks >= MANY_BLANKS):
            yield sign("settings_out_of_sight", number, written)
            return
        blank_lines = 0


Kind = Callable[[str, str], Iterator[Sign]]


def _kind(name: str, content: bytes) -> Kind | None:
    named: tuple[tuple[bool, Kind], ...] = (
        (_APACHE_NAME.search(name) is not None, _apache),
        (_INI_NAME.match(name) is not None, _ini),
        (name == "web.config", _windows),
        (_NGINX_NAME.search(name) is not None, _nginx),
        (name == "wp-config.php", _wordpress),
    )
    by_name = next((kind for fits, kind in named if fits), None)
    if by_name is not None or name.rpartition(".")[2] in _OTHER_NAMES:
        return by_name
    return _by_content(content)


def _by_content(content: bytes) -> Kind | None:
    """Returns the kind of a text that consists of settings, whatever its name is; a text about them does not."""
    if len(content) > MAX_BYTES or b"\0" in content[:200]:
        return None
    text = content.decode("latin-1")
    if _TELLING.search(text) is None:
        return None
    read = list(islice(directives.apache(text), _LOOKED_AT_LINES))
    if read and all(one.name.startswith("<") or one.name in apache.DIRECTIVES for one in read):
        return _apache
    lines = [line for line in text.splitlines()[:_LOOKED_AT_LINES] if line.strip() and line.strip()[0] not in ";#["]
    return _ini if lines and all("=" in line for line in lines) and next(directives.ini(text), None) else None
