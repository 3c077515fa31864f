"""What a piece of nginx's configuration among the files of a site does."""

import re
from collections.abc import Iterable, Iterator

from scanners.server import php_settings
from scanners.server.directives import Directive, ini
from scanners.server.extensions import Kind, kinds_in_pattern
from scanners.server.rules import sign
from scanners.server.visitors import sends
from sentry.domain.finding import Sign

_MARKUP = re.compile(r"<\s*(?:script|iframe)", re.IGNORECASE)
_ASKED = re.compile(r"\$http_(referer|user_agent)\s+~\*?\s+(.*)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s\"';]+")


def judged(directives: Iterable[Directive]) -> Iterator[Sign]:
    """Yields what the settings do that nobody wants."""
    for one in directives:
        rule = _rule(one)
        if rule:
            yield sign(rule, one.line, one.text)
        if one.name == "fastcgi_param" and one.words[:1] and one.words[0].upper() in {"PHP_VALUE", "PHP_ADMIN_VALUE"}:
            value = " ".join(one.words[1:]).replace("\\n", "\n")
            yield from php_settings.judged(ini(value))


def _rule(one: Directive) -> str:
    if one.name in {"fastcgi_pass", "uwsgi_pass"} and one.files:
        kinds = kinds_in_pattern(one.files[-1])
        return "settings_run_pictures" if Kind.STATIC in kinds and Kind.PHP not in kinds else ""
    if one.name == "sub_filter" and _MARKUP.search(one.text):
        return "settings_change_pages"
    target = _ADDRESS.search(one.text) if one.name in {"return", "rewrite", "proxy_pass"} else None
    if target is None:
        return ""
    asked = (_ASKED.search(around.argument) for around in one.around if around.name == "if")
    told = (sends(found[1], found[2], target[0]) for found in asked if found is not None)
    return next((rule for rule in told if rule), "")
