"""What a `web.config` tells IIS to do. It is read as text: a stranger's XML is never expanded."""

import re
from collections.abc import Iterator

from scanners.server.extensions import Kind, kinds_in_pattern
from scanners.server.rules import sign
from scanners.server.visitors import sends
from sentry.domain.finding import Sign

_CODE = re.compile(r"<%[@=\s]|<script[^>]{0,80}runat\s*=\s*[\"']?server", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(\w{1,40})\b([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(r"([\w.:-]{1,60})\s{0,10}=\s{0,10}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})')")
_HARMLESS = re.compile(
    r"StaticFile|DefaultDocument|HttpNotFound|HttpForbidden|ImageResizer|TransferRequest", re.IGNORECASE
)
_SETTINGS_FILES = frozenset((".config", "web.config"))


def judged(text: str) -> Iterator[Sign]:
    """Yields what the settings do that nobody wants."""
    code = _CODE.search(text)
    if code is not None:
        yield _sign("settings_hold_code", text, code)
    conditions: list[tuple[str, str]] = []
    for tag in _TAG.finditer(text):
        name, told = tag[2].lower(), _attributes(tag[3])
        if name == "rule":
            conditions = []
        elif "input" in told and told.get("negate", "").lower() != "true":
            conditions.append((told["input"], told.get("pattern", "")))
        elif name == "action" and told.get("type", "").lower() in {"redirect", "rewrite"}:
            target = told.get("url", "").replace("{", "%{")
            rules = (sends(asked, pattern, target) for asked, pattern in conditions)
            rule = next((one for one in rules if one), "")
            yield from (_sign(one, text, tag) for one in [rule] if one)
        elif rule := _rule(name, told):
            yield _sign(rule, text, tag)


def _rule(name: str, told: dict[str, str]) -> str:
    runs = " ".join(told.get(one, "") for one in ("scriptprocessor", "type", "modules")).strip()
    if name == "add" and "path" in told and runs and not _HARMLESS.search(runs):
        return "settings_run_pictures" if Kind.STATIC in kinds_in_pattern(told["path"]) else ""
    named = {told.get("fileextension", "").lower(), told.get("segment", "").lower()} & _SETTINGS_FILES
    opened = name == "remove" or told.get("allowed", "").lower() == "true"
    return "settings_config_readable" if named and opened else ""


def _attributes(text: str) -> dict[str, str]:
    return {found[1].lower(): found[2] or found[3] or "" for found in _ATTRIBUTE.finditer(text)}


def _sign(rule: str, text: str, found: re.Match[str]) -> Sign:
    return sign(rule, text.count("\n", 0, found.start()) + 1, found[0])
