"""Rules by which Apache sends visitors elsewhere."""

from collections.abc import Iterable, Iterator

from scanners.server.directives import Directive
from scanners.server.rules import sign
from scanners.server.visitors import host_of, is_bare, sends
from sentry.domain.finding import Sign

_CONDITION_WORDS = 2


def rewriting(directives: Iterable[Directive]) -> Iterator[Sign]:
    """Yields the rules that send some visitors to another site; conditions count for the next rule only."""
    conditions: list[Directive] = []
    for one in directives:
        if one.name == "rewritecond" and len(one.words) >= _CONDITION_WORDS:
            conditions.append(one)
        elif one.name == "rewriterule":
            yield from _rule(one, conditions)
            conditions = []
        elif one.name.startswith("proxypass") and host_of(one.words[-1] if one.words else ""):
            yield sign("settings_proxy", one.line, one.text)


def _rule(one: Directive, conditions: list[Directive]) -> Iterator[Sign]:
    target = one.words[1] if len(one.words) > 1 else "-"
    if target == "-":
        return
    told = ((sends(condition.words[0], condition.words[1], target), condition) for condition in conditions)
    found = next(((rule, condition) for rule, condition in told if rule), None)
    if found is not None:
        yield sign(found[0], found[1].line, f"{found[1].text} → {one.text}".replace("→", "..."), host_of(target))
        return
    host = host_of(target)
    flags = one.words[2].strip("[]").upper().split(",") if len(one.words) > _CONDITION_WORDS else []
    if is_bare(host):
        yield sign("settings_bare_address", one.line, one.text)
    elif host and "P" in flags:
        yield sign("settings_proxy", one.line, one.text)
