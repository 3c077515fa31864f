"""What a command of an account does, read from its text: a line of a crontab, of a start file, of a key."""

import re
from collections.abc import Sequence

LOOKED_AT_BYTES = 4_000

_SHELL = rb"(?:sudo\s+)?(?:/\S{0,60}/)?(?:(?:ba|z|da|k|a)?sh|perl|python[\d.]*|php[\d.]*|ruby|node)\b"
_FETCH = rb"\b(?:curl|wget|fetch|lwp-download|lynx|GET)\b"
_ODD = (
    rb"(?:(?:/var)?/tmp/|/dev/shm/|/run/shm/"
    rb"|(?:/[\w.-]{1,60}){0,12}/\.(?!local/|config/|acme\.sh/|nvm/|cargo/|composer/|rbenv/|pyenv/|cpanel/|npm|yarn|wp-cli"
    rb"|bash|profile|deno/|bun/|asdf/|rvm/|sdkman/|virtualenvs/|venv/)[\w.-]{1,60})"
)

RULES: Sequence[tuple[str, re.Pattern[bytes]]] = (
    (
        "account_back_door",
        re.compile(
            rb"/dev/tcp/|\bnc(?:at)?\s[^|;\n]{0,80}-[a-z]{0,3}e\b|\b(?:ba)?sh\s+-i\s{0,4}[<>&]|mkfifo[^\n]{0,120}\bnc\b"
        ),
    ),
    (
        "account_mines",
        re.compile(rb"stratum\+(?:tcp|ssl)://|\b(?:xmrig|minerd|cpuminer|kdevtmpfsi|kinsing)\b", re.IGNORECASE),
    ),
    (
        "account_runs_hidden",
        re.compile(
            rb"base64\s+(?:-d|-D|--decode)[^|\n]{0,120}\|\s*" + _SHELL + rb"|\beval\b[^\n]{0,80}base64"
            rb"|\bphp[\d.]*\s+-r\b[^\n]{0,400}(?:\beval|base64_decode|gzinflate|str_rot13)"
            rb"|\bpython[\d.]*\s+-c\b[^\n]{0,400}(?:b64decode|\bexec\s*\(|fromhex|socket\.socket)"
            rb"|\bperl\s+-\w{0,4}e\b[^\n]{0,400}(?:decode_base64|unpack|Socket)"
            rb"|(?:xxd\s+-r|openssl\s+enc[^|\n]{0,80}-d)[^|\n]{0,80}\|\s*" + _SHELL
        ),
    ),
    (
        "account_runs_download",
        re.compile(
            _FETCH
            + rb"[^|;\n]{0,400}\|\s*"
            + _SHELL
            + rb"|"
            + _SHELL
            + rb"\s+(?:-c\s+)?[\"']?(?:<\(|\$\(|`)\s*"
            + _FETCH
            + rb"|\beval\s+[\"']?(?:\$\(|`)\s*"
            + _FETCH
            + rb"|"
            + _FETCH
            + rb"[^|\n]{0,400}(?:&&|;)\s*(?:chmod\s[^;&\n]{0,120}(?:&&|;)\s*)?(?:(?:ba)?sh\s+|\./|/tmp/|/dev/shm/)"
        ),
    ),
    (
        "account_fetches_script",
        re.compile(
            _FETCH + rb"[^|;\n]{0,400}(?:-o|-O|--output(?:-document)?|>)[\s=]{0,4}\S{1,200}\.ph(?:p\d?|tml|ar)\b"
        ),
    ),
    (
        "account_runs_from_odd_place",
        re.compile(rb"(?:^|[;&|]\s*|\b(?:nohup|setsid|exec)\s+)(?:" + _SHELL + rb"\s+(?:-\w+\s+){0,4})?" + _ODD),
    ),
    ("account_preloads", re.compile(rb"\bLD_(?:PRELOAD|AUDIT)\s{0,4}=\s{0,4}[\"']?/")),
)
"""Rule → what a command of that kind looks like; the gravest first."""


def rule_of(command: bytes) -> str:
    """Returns the rule that a command fits, empty where it fits none."""
    cut = command[:LOOKED_AT_BYTES].strip()
    return next((rule for rule, pattern in RULES if pattern.search(cut)), "")
