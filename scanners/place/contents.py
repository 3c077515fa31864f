"""What a file is in truth, by its first bytes and by what PHP in it would do."""

import re
from collections.abc import Mapping

HEADERS: Mapping[bytes, str] = {
    b"\xff\xd8\xff": "picture",
    b"\x89PNG\r\n\x1a\n": "picture",
    b"GIF87a": "picture",
    b"GIF89a": "picture",
    b"BM": "picture",
    b"\x00\x00\x01\x00": "picture",
    b"%PDF-": "document",
    b"PK\x03\x04": "archive",
    b"Rar!\x1a\x07": "archive",
    b"\x1f\x8b\x08": "archive",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"\x7fELF": "program",
    b"\xcf\xfa\xed\xfe": "program",
    b"\xce\xfa\xed\xfe": "program",
    b"MZ": "program",
}
"""The first bytes of a file → what it is."""

_BEGINS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s{0,4096}<\?(?:php\b|=|\s)", re.IGNORECASE)
_CODE = re.compile(rb"<\?(?:php(?=[\s/(])|=)[\x09\x0a\x0d\x20-\x7e]{0,400}", re.IGNORECASE)
_SCRIPT_TAG = re.compile(rb"<script[^>]{0,40}language\s{0,4}=\s{0,4}[\"']?php", re.IGNORECASE)
_STATEMENT = re.compile(rb"\$\w|\w\s{0,4}\(|\b(?:include|require)(?:_once)?\b|`", re.IGNORECASE)
_ACTS = re.compile(
    rb"\$_(?:GET|POST|REQUEST|COOKIE|FILES|SERVER)\b|\$\{|\$GLOBALS\b|\$\w{1,60}\s{0,4}[(\[{]|php://input|`"
    rb"|\b(?:eval|assert|system|exec|passthru|shell_exec|popen|proc_open|base64_decode|gzinflate|gzuncompress"
    rb"|str_rot13|strrev|create_function|move_uploaded_file|file_put_contents|fwrite|fputs|copy|curl_exec"
    rb"|file_get_contents|call_user_func(?:_array)?|preg_replace|chr|pack|hex2bin|mail|include|include_once"
    rb"|require|require_once)\b\s{0,4}[('\"$@]",
    re.IGNORECASE,
)
_TAKES = re.compile(rb"\$_(?:GET|POST|REQUEST|COOKIE|FILES)\b|php://input|HTTP_RAW_POST_DATA|getallheaders\s{0,4}\(")
_RUNS = re.compile(
    rb"\b(?:eval|assert|system|exec|passthru|shell_exec|popen|proc_open|create_function|move_uploaded_file"
    rb"|file_put_contents|fwrite|fputs|copy|call_user_func(?:_array)?)\s{0,4}\(|\$\w{1,60}\s{0,4}\(",
    re.IGNORECASE,
)
_DECLARES = re.compile(rb"^\s{0,40}(?:namespace|abstract class|final class|class|interface|trait)\s", re.MULTILINE)
_COMMENTS = re.compile(rb"/\*.{0,20000}?\*/|(?://|#)[^\n]{0,2000}?(?=\n|\?>|\Z)", re.DOTALL)
_TEXTS = re.compile(rb"'[^'\\]{0,300}'|\"[^\"\\$]{0,300}\"")
_WORDS = re.compile(rb"[a-z_]\w{0,60}", re.IGNORECASE)
_QUIET_WORDS = frozenset(
    b"php exit die header http_response_code defined or and return if else false true null isset echo abspath "
    b"header_remove status_header".split()
)
_ENDS_AT_ONCE = re.compile(rb"\A\s*<\?php\s{0,100}(?:exit|die)\s{0,4}(?:\(\s{0,4}\))?\s{0,4}(?:;|\?>)", re.IGNORECASE)
_LARGEST_QUIET = 4_000
_INJECTED_FIRST = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s{0,20}<\?php\b[^\n]{60,20000}?\?>\s{0,20}<\?php\s{1,20}/\*\*", re.IGNORECASE
)
_CLOSED_CODE = re.compile(
    rb"\b(?:eval|assert|base64_decode|gzinflate|create_function|chr|str_rot13)\s{0,4}\(|\\x[0-9a-f]{2}\\x"
)
ARCHIVED_PHP = re.compile(rb"PK\x01\x02.{42}[^\x00-\x1f]{1,200}?\.(?:php\d?|phtml)", re.DOTALL)


def kind_of(content: bytes) -> str:
    """Returns what the first bytes say: picture, document, archive, program; empty where they say nothing."""
    head = content[:16]
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "picture"
    kind = next((kind for header, kind in HEADERS.items() if head.startswith(header)), "")
    if head.startswith(b"MZ") and b"PE\x00\x00" not in content[:2048]:
        return ""
    return "" if head.startswith(b"BM") and content[6:10] != b"\0\0\0\0" else kind


def begins_with_php(content: bytes) -> bool:
    """Whether nothing but blanks stands before its first PHP."""
    return _BEGINS.match(content) is not None


def first_code(content: bytes) -> re.Match[bytes] | None:
    """Returns the first PHP in a file of any bytes that has a statement, None where chance made the marks."""
    return next((found for found in _CODE.finditer(content) if _STATEMENT.search(found[0])), None) or (
        _SCRIPT_TAG.search(content)
    )


def is_quiet(content: bytes) -> bool:
    """Whether a script does nothing: "silence is golden", a refusal, a guard, or an end at once."""
    if _ENDS_AT_ONCE.match(content):
        return True
    if len(content) > _LARGEST_QUIET:
        return False
    rest = _COMMENTS.sub(b" ", content)
    if b"://" in rest or b"`" in rest or b"$" in _TEXTS.sub(b"", rest):
        return False
    outside = re.sub(rb"\?>[^<]{0,200}\Z", b"", _TEXTS.sub(b"", rest))
    return all(word.lower() in _QUIET_WORDS for word in _WORDS.findall(outside))


def acts(content: bytes) -> bool:
    """Whether a script takes, decodes, calls or writes anything."""
    return _ACTS.search(content) is not None


def answers_requests(content: bytes) -> bool:
    """Whether a script takes what a visitor sends, runs or writes something, and is no part of a program."""
    return bool(_TAKES.search(content) and _RUNS.search(content) and not declares(content))


def declares(content: bytes) -> bool:
    """Whether it declares a class or a namespace, as parts of programs do."""
    return _DECLARES.search(content[:200_000]) is not None


def injected_first_line(content: bytes) -> bool:
    """Whether hidden code in a block of its own stands before the file's own beginning."""
    found = _INJECTED_FIRST.match(content)
    return found is not None and _CLOSED_CODE.search(found[0]) is not None


def is_php_archive(content: bytes) -> bool:
    """Whether it is an archive that PHP can run (phar)."""
    return b"__HALT_COMPILER();" in content and content.endswith(b"GBMB")
