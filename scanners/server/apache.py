"""What an `.htaccess` tells Apache or LiteSpeed to do."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from scanners.server import php_settings
from scanners.server.access import access
from scanners.server.directives import Directive
from scanners.server.extensions import STATIC, Kind, kind_of, kinds_in_pattern
from scanners.server.rewriting import rewriting
from scanners.server.rules import sign
from scanners.server.visitors import host_of, is_bare
from sentry.domain.finding import Sign

DIRECTIVES = frozenset(
    (
        *("order", "allow", "deny", "require", "satisfy", "options", "indexoptions", "indexignore", "directoryindex"),
        *("rewriteengine", "rewritecond", "rewriterule", "rewritebase", "rewriteoptions", "rewritemap"),
        *("addhandler", "addtype", "sethandler", "forcetype", "removehandler", "removetype", "action", "addcharset"),
        *("addoutputfilter", "addoutputfilterbytype", "setoutputfilter", "addencoding", "adddefaultcharset"),
        *("addlanguage", "defaultlanguage", "errordocument", "redirect", "redirectmatch", "redirectpermanent"),
        *("redirecttemp", "header", "requestheader", "setenv", "setenvif", "setenvifnocase", "unsetenv", "passenv"),
        *("browsermatch", "browsermatchnocase", "expiresactive", "expiresbytype", "expiresdefault", "fileetag"),
        *("php_value", "php_flag", "php_admin_value", "php_admin_flag", "authtype", "authname", "authuserfile"),
        *("authgroupfile", "limitrequestbody", "serversignature", "substitute", "proxypass", "proxypassmatch"),
        *(
            "fcgidwrapper",
            "suphp_configpath",
            "secfilterengine",
            "secfilterscanpost",
            "secruleengine",
            "modpagespeed",
        ),
        *(
            "acceptpathinfo",
            "contentdigest",
            "setinputfilter",
            "sslrequiressl",
            "sslrequire",
            "timeout",
            "traceenable",
        ),
        *("cachelookup", "rlimitcpu", "rlimitmem", "serveradmin", "allowoverride", "filterdeclare", "filterprovider"),
        *("filterchain", "deflatecompressionlevel", "keepalive", "xbithack", "languagepriority", "checkspelling"),
    )
)
_RUNNERS = re.compile(
    r"x-httpd-(?:[\w-]*php|cgi)|php\d*[._-]?(?:script|fcgi|cgi|fastcgi|fpm)|x-lsphp|application/x-php|^proxy:(?:unix|fcgi)"
    r"|fcgid-script|fastcgi-script|cgi-script|x-httpd-fastphp|^lsapi|^php\d*$",
    re.IGNORECASE,
)
_PROGRAM_RUNNERS = re.compile(r"cgi-script|x-httpd-cgi", re.IGNORECASE)
_PARSED = re.compile(r"server-parsed|INCLUDES\b", re.IGNORECASE)
_SHOWN = re.compile(r"^text/plain$|^txt$|^text$|^type-map$|^default-handler$", re.IGNORECASE)
_UPLOADS = re.compile(r"(?:^|/)(?:uploads?|sites/[^/]+/files|pub/media|images|media|userfiles)/", re.IGNORECASE)
_USUAL_INDEX = re.compile(
    r"^/?(?:[\w./-]*/)?(?:index|default|home|welcome|main|start|app|doku|maintenance|disabled)\b[\w-]*(?:\.[\w]+)*$",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<\s*(?:script|iframe)|document\.write|eval\s*\(", re.IGNORECASE)
_MANY_ERRORS = 3


def judged(directives: Sequence[Directive], path: str) -> Iterator[Sign]:
    """Yields what the settings of a folder do that nobody wants.

    Args:
        directives: all of the file, in their order.
        path: of the file, below the root.
    """
    uploaded = _UPLOADS.search(path) is not None
    yield from php_settings.judged(_php(directives))
    yield from _handlers(directives, uploaded=uploaded)
    yield from _shown_sources(directives, uploaded=uploaded)
    yield from rewriting(directives)
    yield from access(directives)
    yield from _errors(directives)
    yield from _pages(directives)


def _php(directives: Iterable[Directive]) -> Iterator[Directive]:
    for one in directives:
        if one.name.startswith("php_") and one.words:
            yield replace(one, name=one.words[0].lower(), words=(" ".join(one.words[1:]),))


def _handlers(directives: Sequence[Directive], *, uploaded: bool) -> Iterator[Sign]:
    options = {word.lower() for one in directives if one.name == "options" for word in one.words}
    forbids_programs = "-execcgi" in options
    for one in directives:
        rule = _handler_rule(one, forbids_programs=forbids_programs)
        if rule:
            yield sign(rule, one.line, one.text)
        elif uploaded and _switches_on(one):
            yield sign("settings_run_uploads", one.line, one.text)
    if options & {"+execcgi", "execcgi"}:
        found = next(one for one in directives if one.name == "options" and "execcgi" in one.text.lower())
        yield sign("settings_run_uploads" if uploaded else "settings_allow_programs", found.line, found.text)


def _handler_rule(one: Directive, *, forbids_programs: bool) -> str:
    if one.name not in {
        "addhandler",
        "addtype",
        "sethandler",
        "forcetype",
        "addoutputfilter",
        "fcgidwrapper",
        "action",
    }:
        return ""
    handler = one.words[0] if one.words else ""
    if one.name == "fcgidwrapper" or (one.name == "action" and _RUNNERS.search(handler)):
        return ""  # they say who runs it; what is run is said by another directive
    if _PARSED.search(handler):
        return "settings_run_pictures" if Kind.STATIC in map(kind_of, one.words[1:]) else ""
    if not _RUNNERS.search(handler) or (forbids_programs and _PROGRAM_RUNNERS.search(handler)):
        return ""
    if one.name in {"addhandler", "addtype"}:
        return _worst({kind_of(word) for word in one.words[1:]})
    return _rule_of_scope(one.files)


def _rule_of_scope(patterns: Sequence[str]) -> str:
    if not patterns:
        return "settings_run_everything"
    kinds = set(chain.from_iterable(map(kinds_in_pattern, patterns)))
    if kinds:
        return _worst(kinds)
    named = patterns[-1].strip("^$").replace("\\.", ".")
    return "settings_run_strange_names" if "." in named.lstrip(".") else "settings_run_pages"


def _worst(kinds: set[Kind]) -> str:
    told = {
        Kind.STATIC: "settings_run_pictures",
        Kind.UNKNOWN: "settings_run_strange_names",
        Kind.PAGE: "settings_run_pages",
    }
    return next((rule for kind, rule in told.items() if kind in kinds), "")


def _switches_on(one: Directive) -> bool:
    """Whether scripts that were switched off for a folder are switched on."""
    engine = one.name in {"php_flag", "php_admin_flag", "php_value"} and [word.lower() for word in one.words[:1]] == [
        "engine"
    ]
    on = engine and one.words[-1].lower() in {"on", "1", "true"}
    handled = one.name in {"addhandler", "addtype", "sethandler", "forcetype"} and _RUNNERS.search(
        " ".join(one.words[:1])
    )
    return bool(on or (handled and not _PROGRAM_RUNNERS.search(one.words[0])))


def _shown_sources(directives: Sequence[Directive], *, uploaded: bool) -> Iterator[Sign]:
    """Scripts shown as texts; in a folder of uploads that is a precaution."""
    shown = [
        one
        for one in directives
        if one.name in {"addtype", "addhandler"}
        and one.words
        and (_SHOWN.match(one.words[0]) or _PARSED.search(one.words[0]))
        and Kind.PHP in map(kind_of, one.words[1:])
    ]
    if not shown or uploaded:
        return
    options = {word.lower().lstrip("+") for one in directives if one.name == "options" for word in one.words}
    follows = options & {"all", "followsymlinks"}
    lists = options & {"all", "indexes"}
    rule = "settings_show_linked_source" if follows and lists else "settings_show_source"
    yield sign(rule, shown[0].line, shown[0].text)


def _errors(directives: Iterable[Directive]) -> Iterator[Sign]:
    elsewhere: dict[str, list[Directive]] = {}
    for one in directives:
        if one.name != "errordocument" or len(one.words) < 2:  # noqa: PLR2004  # code and target
            continue
        if _MARKUP.search(one.text):
            yield sign("settings_change_pages", one.line, one.text)
        elif host_of(one.words[1]):
            elsewhere.setdefault(one.words[1], []).append(one)
    for ones in elsewhere.values():
        rule = "settings_all_errors_elsewhere" if len(ones) >= _MANY_ERRORS else "settings_errors_elsewhere"
        yield sign(rule, ones[0].line, ones[0].text)


def _pages(directives: Iterable[Directive]) -> Iterator[Sign]:
    for one in directives:
        rule = _page_rule(one)
        if rule:
            yield sign(rule, one.line, one.text)


def _page_rule(one: Directive) -> str:
    text = " ".join(one.words)
    if one.name == "directoryindex" and one.words and not _USUAL_INDEX.match(one.words[0]):
        static = one.words[0].lower().rpartition(".")[2] in STATIC
        return "settings_index_of_no_page" if static else "settings_odd_index"
    if one.name == "substitute" and _MARKUP.search(text):
        return "settings_change_pages"
    if one.name == "header":
        refreshes = re.search(r"\brefresh\b.{0,40}url\s*=\s*['\"]?https?://", text, re.IGNORECASE)
        return "settings_refresh" if refreshes else ""
    if one.name == "setenv" and one.words[:1] and one.words[0].upper() in {"LD_PRELOAD", "LD_AUDIT"}:
        return "settings_load_into_programs"
    if one.name.startswith("redirect") and one.words and is_bare(host_of(one.words[-1])):
        return "settings_bare_address"
    return ""
