"""Settings of PHP, wherever they are written: `.user.ini`, `php.ini`, `php_value`, a parameter of FastCGI."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from scanners.server.directives import Directive
from scanners.server.extensions import Kind, kind_of
from scanners.server.rules import sign
from sentry.domain.finding import Sign

WHOLE_FILE_SETTINGS = 60
"""A php.ini with that many settings is a copy of PHP's own, in which nothing is forbidden."""

_NOTHING = frozenset(("", "none", "null", "off", "0", "/dev/null", '""', "no", "false"))
_ON = frozenset(("on", "1", "true", "yes"))
_GUARDS = re.compile(
    r"(?:^|/)(?:wordfence-waf|malcare-waf|aios-bootstrap|patchstack-waf|mcwaf|secupress[\w-]*|wpdef[\w-]*)\.php$"
    r"|(?:^|/)(?:ninjafirewall|nfwlog)/[\w/-]*\.php$|/jetpack-waf/bootstrap\.php$|/plugins/[\w-]+/[\w/-]*firewall\.php$"
    r"|(?:^|/)(?:newrelic|blackfire|tideways|imunify360|bitninja)[\w/-]*\.php$",
    re.IGNORECASE,
)
"""Scripts that firewalls and monitors put before every page; each is judged as a file, too."""

_HIDDEN = re.compile(
    r"^(?:/var)?/tmp/|/dev/shm/|(?:^|/)\.[\w.]|^(?:php|data|https?|ftp|phar|zip|expect)://?|^data:|/uploads/|/cache/",
    re.IGNORECASE,
)
_RUNS = frozenset(("assert", "system", "exec", "passthru", "shell_exec", "eval", "create_function", "popen"))
_MAILERS = re.compile(
    r"(?:^|/)(?:sendmail|msmtp|ssmtp|esmtp|exim\d?|postfix|nullmailer-inject|mini_sendmail|qmail-inject|catchmail"
    r"|mhsendmail|mailhog|mailpit|true|femtomail|dma)(?:\.postfix)?\b"
)
_SHELL = re.compile(r"[|;&`]|\$\(|\bcurl\b|\bwget\b|base64|/tmp/")
_OWN_PLACE = re.compile(r"^(?:/tmp|/var/tmp|/dev/shm|/home|/var/www|\.)|public_html|uploads|htdocs", re.IGNORECASE)
_LOADERS = re.compile(r"ioncube|sourceguardian|ixed|zendguard|zendloader|opcache|xdebug", re.IGNORECASE)


def _prepend(value: str) -> str:
    if value.lower() in _NOTHING or _GUARDS.search(value):
        return ""
    extension = value.rpartition("/")[2].rpartition(".")[2] if "." in value.rpartition("/")[2] else ""
    disguised = bool(extension) and kind_of(extension) in {Kind.STATIC, Kind.UNKNOWN}
    return "settings_prepend_disguised_script" if disguised or _HIDDEN.search(value) else "settings_prepend_script"


def _extension(value: str) -> str:
    odd = "/" in value and _OWN_PLACE.search(value) and not _LOADERS.search(value)
    return "settings_strange_extension" if odd else ""


def _mailer(value: str) -> str:
    if value.lower() in _NOTHING:
        return ""
    usual = _MAILERS.search(value) and not _SHELL.search(value)
    return "" if usual else "settings_mail_elsewhere"


def _log(value: str) -> str:
    return "settings_log_is_script" if kind_of(value.rpartition(".")[2]) is Kind.PHP and "." in value else ""


def _switched_on(rule: str) -> Callable[[str], str]:
    return lambda value: rule if value.lower() in _ON else ""


def _emptied(value: str) -> str:
    return "settings_unlocked" if value.lower() in _NOTHING | {"/"} else ""


def _callback(value: str) -> str:
    return "settings_dangerous_callback" if value.lower() in _RUNS else ""


def _preload(value: str) -> str:
    return "settings_prepend_disguised_script" if _prepend(value) == "settings_prepend_disguised_script" else ""


JUDGES: Mapping[str, Callable[[str], str]] = {
    "auto_prepend_file": _prepend,
    "auto_append_file": _prepend,
    "opcache.preload": _preload,
    "extension": _extension,
    "zend_extension": _extension,
    "extension_dir": _extension,
    "allow_url_include": _switched_on("settings_foreign_code"),
    "sendmail_path": _mailer,
    "mail.log": _log,
    "error_log": _log,
    "output_handler": _callback,
    "unserialize_callback_func": _callback,
}
"""Setting → what its value says: the name of a rule, empty where it is nothing."""

UNLOCKS: Mapping[str, Callable[[str], str]] = {
    "disable_functions": _emptied,
    "disable_classes": _emptied,
    "open_basedir": _emptied,
    "suhosin.executor.func.blacklist": _emptied,
}


def judged(settings: Iterable[Directive]) -> Iterator[Sign]:
    """Yields what settings of PHP do that nobody wants; each directive has the setting's name and one word."""
    given = list(settings)
    judges = JUDGES if len(given) >= WHOLE_FILE_SETTINGS else {**JUDGES, **UNLOCKS}
    for one in given:
        judge = judges.get(one.name)
        rule = judge(one.words[0] if one.words else "") if judge is not None else ""
        if rule:
            yield sign(rule, one.line, one.text, one.name)
