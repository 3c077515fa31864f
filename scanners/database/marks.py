"""Which texts of a database are worth reading: the database itself picks those that could act in a browser or PHP."""

from collections.abc import Sequence

ANY_OF: Sequence[str] = (
    "<script", "<iframe", "<object", "<embed", "<svg", "<meta", "<base", "<?php", "<?=", "javascript:", "data:text",
    "eval(", "eval (", "atob(", "unescape(", "fromcharcode", "document.write", "createelement", "onerror=", "onload=",
    "onmouse", "onfocus=", "onclick=", "onpointer", "ontoggle=", "onanimation", "display:none", "display: none",
    "visibility:hidden", "visibility: hidden", "font-size:0", "font-size: 0", "opacity:0", "opacity: 0", "left:-",
    "left: -", "top:-", "top: -", "text-indent:-", "text-indent: -", "overflow:hidden", "overflow: hidden",
    "base64_decode", "gzinflate", "gzuncompress", "str_rot13", "shell_exec", "passthru(", "create_function",
    "assert(", "$_post", "$_get", "$_request", "$_cookie", "$_server[", "file_put_contents",
    "PD9waH", "w/cGhw", "8P3Boc", "ZXZhbC", "V2YWwo", "ldmFsK", "PHNjcmlwd", "xzY3JpcH", "8c2NyaXB0",
)  # fmt: skip
"""Parts of words, in any case; the last nine are `<?php`, `eval(` and `<script` in base64, at each of its offsets."""


def condition(column: str) -> str:
    """Returns what a text must fulfil to be read, as SQL that MySQL and SQLite both know."""
    return " OR ".join(f"{column} LIKE '%{part}%'" for part in ANY_OF)
