"""Where the words of a source stand that could make it malware: found fast, for the rest need not be read."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yara  # type: ignore[import-not-found]  # a module in C, of which mypy sees nothing

_WORDS: Mapping[str, Sequence[str]] = {
    "request": (
        *('"_GET"', '"_POST"', '"_REQUEST"', '"_COOKIE"', '"_FILES"', '"_SERVER"', '"HTTP_"', '"php://input" nocase'),
        *('"getallheaders" nocase', '"apache_request_headers" nocase', '"filter_input" nocase'),
        *('"getenv" nocase fullword', '"get_defined_vars" nocase', '"php://stdin" nocase'),
    ),
    "remote": (
        *('"curl_exec" nocase', '"fsockopen" nocase', '"wp_remote_" nocase', '"stream_socket_client" nocase'),
        r'/["\'](https?|ftp):\/\// nocase',
    ),
    "decoder": (
        *('"base64" nocase', '"gzinflate" nocase', '"gzuncompress" nocase', '"gzdecode" nocase', '"rot13" nocase'),
        *('"strrev" nocase', '"hex2bin" nocase', '"pack" nocase fullword', '"urldecode" nocase', '"uudecode" nocase'),
        *(
            '"chr" nocase fullword',
            r"/\\x[0-9a-f]{2}\\x/ nocase",
            r"/\\[0-7]{2,3}\\[0-7]{2}/",
            '"exif" nocase',
            '"__FILE__"',
            '"session_id" nocase',
            '"iptcparse" nocase',
            '"get_option"',
            '"get_transient"',
        ),
        *('"convert.base64" nocase', '"openssl_decrypt" nocase', '"mcrypt" nocase', '"html_entity_decode" nocase'),
    ),
    "builder": (
        *('"str_replace" nocase fullword', '"strtr" nocase fullword', '"implode" nocase fullword'),
        *('"join" nocase fullword', '"substr" nocase fullword', '"sprintf" nocase fullword'),
        *('"str_split" nocase', '"str_ireplace" nocase', '"preg_replace" nocase'),
    ),
    "code": (
        r'/\b(eval|create_function)["\'\s]{0,4}[(\/,)$"]/ nocase',
        r'/\bassert["\'\s]{0,4}[(\/,)][^;\n]{0,80}["\'`(@]/ nocase',
    ),
    "run": (
        r'/\b(shell_exec|passthru|system|exec)["\'\s]{0,4}[(\/,)]/ nocase',
        r'/\b(popen|proc_open|pcntl_exec|ReflectionFunction|COM|dl)["\'\s]{0,4}[(\/,)]/ nocase',
    ),
    "callback": tuple(
        f'"{word}" nocase'
        for word in (
            *("call_user_func", "forward_static", "array_map", "array_filter", "array_walk", "array_reduce"),
            *("array_diff_u", "array_udiff", "array_uintersect", "array_intersect_u", "usort", "uasort", "uksort"),
            *("iterator_apply", "register_shutdown", "register_tick", "header_register", "ob_start"),
            *("preg_replace_callback", "spl_autoload_register", "set_error_handler", "filter_var"),
        )
    ),
    "write": (
        *('"file_put_contents" nocase', '"fwrite" nocase', '"fputs" nocase', '"move_uploaded_file" nocase'),
        *('"parse_str" nocase', '"unserialize" nocase'),
        r"/\b(copy|mail|extract|import_request_variables|ini_set|ini_alter)\s{0,4}[(\/]/ nocase",
    ),
    "include": (r"/\b(include|require)(_once)?\b[^;\n]{0,40}[$.(\"\']/ nocase",),
    "fetch": (
        '"/dev/tcp/"',
        '"crontab" nocase',
        '"wget "',
        '"curl "',
        '" -i"',
        '"mkfifo"',
        '"nc -"',
        '"textarea" nocase',
    ),
    "user": ('"wp_set_auth_cookie"', '"wp_set_current_user"', '"wp_insert_user"', '"wp_create_user"'),
    "picture": (r'/\.(ico|png|gif|jpe?g|bmp|svg|css|js|txt|log|woff2?|ttf)["\']/ nocase', r'/["\']data:/ nocase'),
    "pattern": ('"preg_replace" nocase', '"preg_filter" nocase', '"mb_ereg" nocase'),
    "shell": ('"`"',),
    "globals": ('"$GLOBALS"',),
    "dynamic": (r'/["\']\(["\'$]/', '"${"', '"$$"'),
}
"""What a word is for → where it may be found, as strings of YARA."""

_CALLED = (re.compile(rb"\$\w+\s*(?:\(|/\*)"), re.compile(rb"[\])}]\s*\(\s*[$'\"@)]"))
"""A call of what a variable or an expression gives; two patterns, for together they take four times as long."""

_ASSEMBLED = re.compile(
    rb"'\s*\.\s*'|\"\s*\.\s*\"|['\"]\s*[\^|&]|\$\w+\s*\^|[(=]\s*~|\$\w+[\[{]\w+[\]}]\s*\.|\.\s*\$\w+[\[{]|\+\+;"
    rb"|['\"]\s*/\*|\*/\s*\."
)
"""A text that is put together where one that was written whole would do."""

_RULE = "rule words {{ strings: {strings} condition: any of them }}"


def _compiled() -> yara.Rules:
    strings = (f"${kind}_{number} = {word}" for kind, words in _WORDS.items() for number, word in enumerate(words))
    return yara.compile(source=_RULE.format(strings="\n".join(strings)))


_RULES = _compiled()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a source that matter.

    Attributes:
        kinds: of all of them, keys of the table, `dynamic` and `assembled`.
        places: where they stand, in order.
    """

    kinds: frozenset[str]
    places: Sequence[int]

    @property
    def may_act(self) -> bool:
        """Whether foreign or hidden text could reach anything that runs it, by the words there are."""
        return any(kinds <= self.kinds for kinds in _ACTING)

    def any_between(self, start: int, end: int) -> bool:
        """Whether one stands there, as byte offsets."""
        place = bisect_left(self.places, start)
        return place < len(self.places) and self.places[place] < end


_SINKS = ("callback", "write", "include", "pattern", "dynamic", "shell")
_ACTING: Sequence[frozenset[str]] = [
    frozenset(kinds)
    for kinds in (
        {"code"},
        *({"run", source} for source in ("request", "remote", "decoder", "fetch", "assembled", "callback")),
        *({"request", sink} for sink in _SINKS),
        *({"remote", sink} for sink in ("write", "include", "dynamic", "callback")),
        *({"decoder", sink} for sink in ("callback", "write", "include", "pattern", "dynamic")),
        *({hides, "dynamic"} for hides in ("builder", "assembled")),
        {"picture", "include"},
        {"user"},
        {"request", "remote"},
        *({"globals", hides} for hides in ("decoder", "assembled", "builder")),
        {"pattern", "callback"},
    )
]
"""Words of these kinds together may be malware; without any of these sets nothing foreign is run."""


_TELLING = ("$request", "$remote", "$code", "$run", "$write", "$include", "$dynamic", "$user")
"""Words of these kinds make a function worth reading; those that only put texts together are everywhere."""


def tokens(source: bytes) -> Tokens:
    """Finds the words of a source."""
    found = {string.identifier: string.instances for match in _RULES.match(data=source) for string in match.strings}
    kinds = {identifier[1:].partition("_")[0] for identifier in found}
    places = [
        instance.offset
        for identifier, instances in found.items()
        if identifier.startswith(_TELLING)
        for instance in instances
    ]
    called = [match.start() for pattern in _CALLED for match in pattern.finditer(source)]
    kinds |= {"dynamic"} if called else set()
    assembled = (
        [match.start() for match in _ASSEMBLED.finditer(source)] if kinds & {"dynamic", "globals", "run"} else []
    )
    kinds |= {"assembled"} if assembled else set()
    return Tokens(frozenset(kinds), sorted((*places, *called, *assembled)))
