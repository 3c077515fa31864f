"""What the names of files say of them to a web server."""

import re
from enum import Enum

STATIC = frozenset(
    (
        *("jpg", "jpeg", "jpe", "png", "gif", "ico", "webp", "bmp", "svg", "tif", "tiff", "avif"),
        *("css", "js", "map", "json", "txt", "log", "md", "csv", "dat", "bak", "old", "tmp"),
        *("woff", "woff2", "ttf", "eot", "otf", "mp3", "mp4", "pdf", "doc", "docx", "xls", "zip", "gz", "rar", "swf"),
    )
)
PHP = frozenset(
    ("php", "php2", "php3", "php4", "php5", "php6", "php7", "php8", "phtml", "pht", "phps", "inc", "module", "phar")
)
PROGRAMS = frozenset(("cgi", "fcgi", "pl", "py", "rb", "sh", "exe", "lua"))
PAGES = frozenset(("html", "htm", "shtml", "stm", "xhtml", "xml", "rss", "atom", "asp", "aspx", "jsp", "tpl"))

_NUMBERED_PHP = re.compile(r"php\d{1,2}")
_NAMED = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]{1,9}(?![a-z0-9])")


class Kind(Enum):
    """What a web server commonly does with an extension."""

    PHP = "php"
    PROGRAM = "program"
    PAGE = "page"
    STATIC = "static"
    UNKNOWN = "unknown"


def kind_of(extension: str) -> Kind:
    """Returns what becomes of files with an extension."""
    plain = extension.lower().lstrip(".")
    if plain in PHP or _NUMBERED_PHP.fullmatch(plain):
        return Kind.PHP
    known = {Kind.PROGRAM: PROGRAMS, Kind.PAGE: PAGES, Kind.STATIC: STATIC}
    return next((kind for kind, names in known.items() if plain in names), Kind.UNKNOWN)


def kinds_in_pattern(pattern: str) -> set[Kind]:
    """Returns the kinds of files that a pattern names, without applying it: it is a stranger's."""
    plain = pattern.lower().replace("jpe?g", "jpeg").replace("html?", "html").replace("(?i", "(")
    plain = re.sub(r"ph\(?p\[?|php\d?\??|\(\?:", "php ", plain) if "ph" in plain else plain
    return {kind for kind in map(kind_of, _NAMED.findall(plain)) if kind is not Kind.UNKNOWN}
