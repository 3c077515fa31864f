"""Which of two versions is the later one, as each ecosystem sees it.

A version becomes a key, and keys are compared as tuples. WordPress and Composer order by PHP's `version_compare`
(https://www.php.net/manual/en/function.version-compare.php), npm by semver.org 2.0.0, section 11. In one thing this
differs from `version_compare` on purpose: `3.2` and `3.2.0` are the same version, for that is what people who write a
plugin's header mean, and a hole "up to 3.2" must not miss a plugin that calls itself 3.2.0.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

Token = tuple[int, int]
VersionKey = tuple[object, ...]


class Ecosystem(StrEnum):
    """Where packages of one kind come from; how their versions are ordered follows from it."""

    WORDPRESS_CORE = "WordPress core"
    WORDPRESS_PLUGIN = "WordPress plugin"
    WORDPRESS_THEME = "WordPress theme"
    PACKAGIST = "Packagist"
    NPM = "npm"


MAX_CHARACTERS = 100
_PIECE = re.compile(r"[0-9]+|[A-Za-z]+")
_NUMBER_RANK = 4
_END: Token = (_NUMBER_RANK, -1)
"""PHP takes what one version has and the other has not for `#`, which ranks as a number does, below all of them."""

PADDED_NUMBERS = 8
"""Noughts are filled up to this many numbers, so that `1.0pl1` stands before `1.0.1` and beside `1`."""

_NOUGHT: Token = (_NUMBER_RANK, 0)
_FORMS = (("dev", 0), ("alpha", 1), ("a", 1), ("beta", 2), ("b", 2), ("RC", 3), ("rc", 3), ("pl", 5), ("p", 5))
_UNKNOWN_FORM = -1
_BRANCH = re.compile(r"^(?:dev-|.*[.-]x-dev$)", re.IGNORECASE)
_COMPOSER = re.compile(
    r"^v?([0-9]+(?:\.[0-9]+)*)(?:[._-]?(dev|alpha|a|beta|b|rc|patch|pl|p)[.-]?([0-9]*))?", re.IGNORECASE
)
_COMPOSER_FORMS = {"a": "alpha", "b": "beta", "rc": "RC", "patch": "p", "pl": "p"}
_SEMVER = re.compile(
    r"^[v=\s]*([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.[0-9]+)*(?:-?([0-9A-Za-z-][0-9A-Za-z.-]*))?"
)


def php_key(version: str) -> VersionKey | None:
    """Returns the key of a version as PHP's `version_compare` orders it, None for a text without any number."""
    pieces = _PIECE.findall(version[:MAX_CHARACTERS])
    if not any(piece.isdecimal() for piece in pieces):
        return None
    tokens = [(_NUMBER_RANK, int(piece)) if piece.isdecimal() else (_rank(piece), 0) for piece in pieces]
    numbers = next((place for place, token in enumerate(tokens) if token[0] != _NUMBER_RANK), len(tokens))
    kept = numbers
    while kept and tokens[kept - 1][1] == 0:
        kept -= 1
    noughts = [_NOUGHT] * (PADDED_NUMBERS - kept)
    return (*tokens[:kept], *noughts, *tokens[numbers:], _END)


def composer_key(version: str) -> VersionKey | None:
    """Returns the key of a version as Composer orders it, None for a branch, which has no place among them."""
    version = version.strip()[:MAX_CHARACTERS].partition("+")[0]
    found = None if _BRANCH.match(version) else _COMPOSER.match(version)
    if found is None:
        return None
    numbers, form, count = found.groups()
    form = (form or "").lower()
    return php_key(f"{numbers}-{_COMPOSER_FORMS.get(form, form)}{count or ''}" if form else numbers)


def npm_key(version: str) -> VersionKey | None:
    """Returns the key of a version as semver orders it, None for what is none."""
    found = _SEMVER.match(version.strip()[:MAX_CHARACTERS].partition("+")[0])
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    identifiers = tuple(
        (0, int(one), "") if one.isascii() and one.isdecimal() else (1, 0, one) for one in (before or "").split(".")
    )
    return (int(major), int(minor or 0), int(patch or 0), *((0, identifiers) if before else (1,)))


_KEYS: Mapping[Ecosystem, Callable[[str], VersionKey | None]] = {
    Ecosystem.WORDPRESS_CORE: php_key,
    Ecosystem.WORDPRESS_PLUGIN: php_key,
    Ecosystem.WORDPRESS_THEME: php_key,
    Ecosystem.PACKAGIST: composer_key,
    Ecosystem.NPM: npm_key,
}


def version_key(ecosystem: Ecosystem, version: str) -> VersionKey | None:
    """Returns what orders a version among those of its ecosystem, None for what cannot be ordered."""
    return _KEYS[ecosystem](version)


def _rank(form: str) -> int:
    return next((rank for name, rank in _FORMS if form.startswith(name)), _UNKNOWN_FORM)
