"""Who may call which script: intruders lock everybody out, other intruders too, but from their own scripts."""

import re
from collections.abc import Iterable, Iterator, Sequence

from scanners.server.directives import Directive
from scanners.server.rules import sign
from sentry.domain.finding import Sign

KNOWN_ENTRANCES = frozenset(
    (
        *("index.php", "wp-login.php", "wp-admin.php", "admin-ajax.php", "admin-post.php", "wp-cron.php"),
        *("wp-comments-post.php", "wp-tinymce.php", "ms-files.php", "timthumb.php", "xmlrpc.php", "wp-signup.php"),
        *(
            "wp-activate.php",
            "wp-trackback.php",
            "wp-mail.php",
            "wp-links-opml.php",
            "wp-load.php",
            "load-scripts.php",
        ),
        *("load-styles.php", "async-upload.php", "media-upload.php", "upgrade.php", "install.php", "update.php"),
        *("cron.php", "authorize.php", "api.php", "app.php", "app_dev.php", "get.php", "static.php", "thumb.php"),
    )
)
"""Scripts of known systems that are called by their own address."""

_SCRIPTS = re.compile(r"[\w.-]{0,80}\.php\d?", re.IGNORECASE)
_SPELLINGS = re.compile(r"\bphp\b|\bsuspected\b", re.IGNORECASE)
_MANY = 4
_SPELLINGS_THAT_COUNT = 3


def access(directives: Sequence[Directive]) -> Iterator[Sign]:
    """Yields whether all scripts are forbidden but some."""
    denied = [one for one in directives if one.files and _denies(one) and "php" in one.files[-1].lower()]
    if not denied:
        return
    granted = [one for one in directives if one.files and _grants(one)]
    every_spelling = any(_spells_often(one.files[-1]) for one in denied)
    patterns = [one.files[-1] for one in granted] + [one.files[-1] for one in denied if "(?!" in one.files[-1]]
    named = {name for pattern in patterns for name in _names(pattern)}
    strange = sorted(named - KNOWN_ENTRANCES)
    rule = _rule(named, strange, every_spelling=every_spelling)
    if rule:
        yield sign(rule, denied[0].line, denied[0].files[-1], ", ".join(strange))


def _rule(named: Iterable[str], strange: Sequence[str], *, every_spelling: bool) -> str:
    if every_spelling:
        return "settings_keep_others_out" if strange else "settings_forbid_every_spelling"
    if len(strange) >= _MANY or (strange and "index.php" in named):
        return "settings_only_named_scripts"
    return "settings_few_named_scripts" if strange else ""


def _names(pattern: str) -> set[str]:
    """Returns the scripts that a pattern names in full."""
    plain = pattern.replace("\\", "")
    return {found.lower().lstrip(".-") for found in _SCRIPTS.findall(plain) if not found.startswith(".")}


def _spells_often(pattern: str) -> bool:
    spellings = set(_SPELLINGS.findall(pattern))
    return len(spellings) >= _SPELLINGS_THAT_COUNT or "suspected" in {one.lower() for one in spellings}


def _denies(one: Directive) -> bool:
    text = one.text.lower()
    return one.name in {"deny", "require"} and ("from all" in text or "all denied" in text)


def _grants(one: Directive) -> bool:
    text = one.text.lower()
    return one.name in {"allow", "require"} and ("from all" in text or "all granted" in text)
