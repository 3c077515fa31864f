"""What `wp-config.php` runs beside WordPress: the first script of every page, and one that no update replaces."""

import re
from collections.abc import Iterator

from scanners.server.rules import sign
from sentry.domain.finding import Sign

_LINE_COMMENTS = re.compile(r"(?:(?<=[\s;{}])|^)(?://|#)[^\n]{0,2000}", re.MULTILINE)
_INCLUDES = re.compile(r"\b(?:include|require)(?:_once)?\b\s{0,20}([^;]{1,300});", re.IGNORECASE)
_KNOWN = re.compile(
    r"wp-settings\.php|wp-config[\w.-]{0,40}\.php|vendor/autoload\.php|wordfence|wp-salt|wp-secrets|/etc/wordpress"
    r"|\.local\.php|config[\w/-]{0,40}\.php|env[\w-]{0,20}\.php|\$debian_file",
    re.IGNORECASE,
)
_DISGUISED = re.compile(
    r"\.(?:jpe?g|png|gif|ico|svg|txt|css|js|log|bmp|webp|dat|woff2?|ttf|bak|tmp)\s{0,4}['\"]"
    r"|['\"/]\.[\w-]{1,60}['\"./]|/tmp/|/dev/shm/|/uploads/|/cache/",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"\\x[0-9a-f]{2}|\\[0-7]{2,3}|base64_decode|\bchr\s{0,4}\(|str_rot13|strrev|hex2bin", re.IGNORECASE
)
_ACTS = re.compile(
    r"\b(?:eval|assert|base64_decode|gzinflate|file_put_contents|create_function|curl_exec|system|shell_exec|fopen"
    r"|file_get_contents|include|include_once|require|require_once)\b|\$_(?:GET|POST|REQUEST|COOKIE)\b",
    re.IGNORECASE,
)


def judged(text: str) -> Iterator[Sign]:
    """Yields what a `wp-config.php` runs that WordPress does not have."""
    plain = _LINE_COMMENTS.sub("", _without_comments(text))
    loaded = 0
    for found in _INCLUDES.finditer(plain):
        if "wp-settings.php" in found[1]:
            loaded = found.end()
        rule = _rule(found[1])
        if rule:
            yield sign(rule, plain.count("\n", 0, found.start()) + 1, found[0])
    acts = _ACTS.search(plain, loaded) if loaded else None
    if acts is not None:
        yield sign("wp_config_acts_at_end", plain.count("\n", 0, acts.start()) + 1, plain[acts.start() :][:200])


def _without_comments(text: str) -> str:
    """Returns a text with only the line ends left of its comments of several lines."""
    parts, at = [], 0
    while (begins := text.find("/*", at)) >= 0:
        ends = text.find("*/", begins + 2)
        comment = text[begins:] if ends < 0 else text[begins:ends]
        parts += [text[at:begins], "\n" * comment.count("\n")]
        at = len(text) if ends < 0 else ends + 2
    return "".join((*parts, text[at:]))


def _rule(target: str) -> str:
    if _HIDDEN.search(target):
        return "wp_config_hidden_name"
    if _DISGUISED.search(target):
        return "wp_config_runs_disguised_file"
    return "" if _KNOWN.search(target) else "wp_config_runs_file"
