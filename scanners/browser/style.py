"""Ways of writing by which somebody hides what a script does."""

import re

from scanners.browser.scripts import Seen

_SCRAMBLED = re.compile(r"\b_0x[0-9a-f]{3,8}\b")
_SIGNS_ONLY = re.compile(r"[\[\]()!+{}]{600}")
_FACES = ("ﾟωﾟﾉ", "$=~[];$={___:")
_ESCAPED = (
    r"(?:(?:\\x[0-9a-fA-F]{2}){4}|%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2}){15}"
    r"|[A-Za-z0-9+/]{80}|(?:(?:0x)?[0-9a-f]{2,3},\s?){15})"
)
_DECODES = re.compile(
    r"(?:\beval|fromCharCode|\bunescape|\batob|document\.write|decodeURIComponent)\s{0,9}\([^;\n]{0,40}?" + _ESCAPED
)
_LEAST_SCRAMBLED = 12
_LEAST_APPENDED = 250
_READABLE_LINE = 160
_READABLE_LINES = 8


def style_of(code: str) -> Seen | None:
    """Returns the way a script is written in, None where people or builders write so."""
    signs = _SIGNS_ONLY.search(code)
    at = max(map(code.find, _FACES)) if signs is None else signs.start()
    if at >= 0:
        return Seen("script_of_signs", at)
    appended = _appended(code)
    if appended is not None:
        return appended
    names = _SCRAMBLED.findall(code[:200_000]) if "_0x" in code else []
    return Seen("script_scrambled") if len(names) >= _LEAST_SCRAMBLED and len(set(names)) > 2 else None  # noqa: PLR2004


def _appended(code: str) -> Seen | None:
    """Returns where an unreadable line stands at the begin or the end of a readable script."""
    lines = [line for line in code.split("\n") if line.strip()]
    if len(lines) < _READABLE_LINES:
        return None
    for line in (lines[0], lines[-1]):
        if len(line) >= _LEAST_APPENDED and _is_unreadable(line):
            others = [len(one) for one in lines if one is not line]
            if sorted(others)[len(others) * 9 // 10] <= _READABLE_LINE:
                return Seen("script_appended", code.find(line))
    return None


def _is_unreadable(line: str) -> bool:
    return len(_SCRAMBLED.findall(line)) >= _LEAST_SCRAMBLED or _DECODES.search(line) is not None
