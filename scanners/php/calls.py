"""What a call means: whether foreign data reach something that runs them, and what comes out of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tree_sitter import Node

from scanners.php.computing import computed_call
from scanners.php.folding import fold
from scanners.php.names import (
    ADDRESSES,
    ASSEMBLERS,
    CALLBACKS,
    CODE,
    COMMANDS,
    DANGEROUS,
    DECODERS,
    EXTRACTORS,
    HANDLE_READERS,
    HARMLESS,
    INI_KEYS,
    LOGINS,
    NEW_USERS,
    OWN_NAME,
    PATTERN_FUNCTIONS,
    READERS,
    REMOTE_FUNCTIONS,
    REQUEST_FUNCTIONS,
    STORED_FUNCTIONS,
    WRITERS,
)
from scanners.php.run import Run
from scanners.php.syntax import line, named, text
from scanners.php.value import CARRIED, UNKNOWN, Constant, Origin, Value, union

NO_PHP = re.compile(rb"\.(ico|png|jpe?g|gif|bmp|svg|txt|log|css|js|woff2?|ttf)$", re.IGNORECASE)
PICTURE = (b"ico", b"png", b"jpg", b"jpeg", b"gif")
REMOTE_ADDRESS = re.compile(rb"(https?|ftp)://", re.IGNORECASE)
DECODED_PHP = re.compile(rb"<\?php|eval|_POST|system", re.IGNORECASE)
PLAIN_SHELL = re.compile(
    rb"<\?(?:php|=).{0,400}?(?:eval|system|assert|passthru|shell_exec)\s*\(", re.IGNORECASE | re.DOTALL
)
BRACKETS = {b"(": b")", b"{": b"}", b"[": b"]", b"<": b">"}
LONGEST_MODIFIERS = 8
MAIL_ARGUMENTS = 3
MAX_LINES = 10_000
VARIABLE = re.compile(rb"\$\w+")
SCRIPT = re.compile(rb"\.(?:php\d?|phtml|inc|phar|asp|aspx|jsp)$", re.IGNORECASE)
SCRIPT_WRITTEN = re.compile(rb"\.(?:php\d?|phtml)[\"']", re.IGNORECASE)
ADMINISTRATOR = re.compile(rb"[\"']administrator[\"']")
GUARDS = re.compile(
    rb"\b(?:pathinfo|getimagesize|finfo_\w+|mime_content_type|exif_imagetype|in_array|preg_match|session_start|is_admin"
    rb"|current_user_can|wp_verify_nonce|check_admin_referer|password_verify|strrchr|strtolower|PATHINFO_EXTENSION)\b",
    re.IGNORECASE,
)
"""By these a page looks at what it is sent, or at who sends it."""
ERROR_HANDLER, FILTER = b"set_error_handler", b"filter_var"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function whose name is known.

    Attributes:
        function: its name in lower case, without a leading backslash.
        values: what it is given.
    """

    node: Node
    function: bytes
    values: tuple[Value, ...]

    def value(self, place: int) -> Value:
        """Returns an argument; one that is not there is not known."""
        return self.values[place] if -len(self.values) <= place < len(self.values) else UNKNOWN


def call(run: Run, made: Call) -> Value:
    """Judges a call of a function by its name, and returns what comes out of it."""
    function = run.functions.get(made.function)
    if function is not None:
        function.bind(made.values)
    computed = computed_call(run, made.function, made.values)
    if computed is not None:
        return computed
    rule = RULES.get(made.function)
    if rule is not None:
        found = rule(run, made)
        if found is not None:
            return found
    return _result(run, made)


def method(run: Run, name: bytes, values: tuple[Value, ...]) -> Value:
    """Takes note of a method call, and returns what comes out of it."""
    function = run.functions.get(name)
    if function is not None:
        function.bind(values)
    computed = computed_call(run, name, values)
    if computed is not None:
        return computed
    return replace(_carried(values), loose=True)


def by_value(run: Run, node: Node, kind: str, called: Value, values: tuple[Value, ...]) -> Value:
    """Judges a call of what an expression gives.

    Args:
        run: the reading.
        node: the call.
        kind: of the expression's node.
        called: its value.
        values: the arguments.
    """
    hides = called.assembled or called.decoded
    if called.origin & Origin.OBJECT:
        return replace(_carried(values), loose=True)  # what an object does when it is called, its class says
    if called.is_foreign:
        run.hit("request_to_call", node, value=called)
        return Value(origin=Origin.REQUEST).at(line(node), text(node))
    if called.is_remote or called.is_stored:
        run.hit("remote_to_call" if called.is_remote else "stored_to_call", node, value=called)
    name = called.name
    if name is None:
        return _by_unknown(run, node, kind, called, values)
    if name in DANGEROUS:
        if hides:
            run.hit("hidden_function", node, name)
        elif name in CODE | COMMANDS:
            run.hit("dynamic_danger", node, name)
    return call(run, Call(node, name, values))


def _by_unknown(run: Run, node: Node, kind: str, called: Value, values: tuple[Value, ...]) -> Value:
    hides = called.assembled or called.decoded
    given = _carried(values)
    if given.is_foreign and kind in {"variable_name", "subscript_expression", "function_call_expression"}:
        run.hit("request_in_built_call", node, value=given)
    if hides and any(value.is_large for value in values):
        run.hit("opaque_call", node)
    return replace(given, constant=None, decoded=False, assembled=hides)


def created(run: Run, node: Node, name: bytes, values: tuple[Value, ...]) -> None:
    """Judges `new Name(…)`."""
    first = values[0] if values else UNKNOWN
    if name == b"reflectionfunction" and (first.origin & CARRIED or first.name in DANGEROUS):
        run.hit("request_to_callback", node, "ReflectionFunction", first)
    if name == b"com" and first.name is not None and b"shell" in first.name:
        run.hit("windows_shell", node, first.name)


def included(run: Run, node: Node, value: Value, *, whole: bool) -> None:
    """Judges an include.

    Args:
        run: the reading.
        node: the include.
        value: what names the file.
        whole: whether it is one expression, and no folder with a name after it.
    """
    if value.is_foreign:
        run.hit("request_to_include" if whole else "request_to_part_of_include", node, value=value)
    if value.is_remote:
        run.hit("remote_to_include", node, value=value)
    if run.written & set(VARIABLE.findall(text(node))):
        run.hit("request_to_written_code", node, value=value)
    name = value.word
    if name is None:
        return
    if name[:11].lower() == b"php://input":
        run.hit("request_to_code", node, "php://input")
    if NO_PHP.search(name) and (value.assembled or name.lower().endswith(PICTURE)):
        run.hit("include_of_no_php", node, name[-60:])
    if value.decoded and value.assembled:
        run.hit("hidden_include", node, name[-60:])
    if name[:5].lower() == b"data:":
        run.hit("include_of_data", node)


# ── rules: one a family of functions ─────────────────────────────────────────────────────────────────────────────


def _code(run: Run, made: Call) -> Value | None:
    value = made.value(-1 if made.function == b"create_function" else 0)
    reached = _reached(run, made, value, "code")
    if value.word is None:
        if value.decoded:
            run.hit("decoded_code_unread", made.node, made.function)
        elif value.opaque:
            run.hit("opaque_code", made.node, made.function)
        elif made.function == b"eval" and not reached:
            run.hit("code", made.node, made.function)
    elif made.function != b"assert" or value.decoded or value.assembled:
        if value.decoded:
            run.hit("decoded_code", made.node, made.function)
        elif value.assembled and made.function == b"eval":
            run.hit("built_code", made.node, made.function)
        run.layer(value, made.function.decode("latin-1"))
    return None


def _command(run: Run, made: Call) -> Value | None:
    if made.values and not _reached(run, made, made.value(0), "command"):
        run.hit("command", made.node, made.function)
    for signal, pattern in _COMMANDS_THAT_TELL.items():
        if pattern.search(made.value(0).word or b""):
            run.hit(signal, made.node, made.function)
    return None


_COMMANDS_THAT_TELL = {
    "reverse_shell": re.compile(rb"/dev/tcp/|\b(?:ba)?sh\s+-i\b|\bnc\b.{1,80}\s-e\s|\bmkfifo\b.{1,200}\bnc\b"),
    "fetched_command": re.compile(
        rb"\b(?:wget|curl|lwp-download|fetch)\b.{1,300}(?:\||;|&&)\s*(?:sudo\s+)?(?:ba)?(?:sh|perl|python\d?|php)\b"
        rb"|\bcrontab\b.{0,300}(?:wget|curl|php)\b|(?:wget|curl|php)\b.{0,300}\|\s*crontab\b",
        re.DOTALL,
    ),
}


def _reached(run: Run, made: Call, value: Value, sink: str) -> bool:
    """Notes foreign data in a sink; says whether there are any."""
    side = "request" if value.is_foreign else "remote" if value.is_remote else None
    if side is None and value.is_stored and sink == "code":
        side = "stored"
    if side is not None:
        run.hit(f"{side}_to_{sink}", made.node, made.function, value)
    return side is not None


def _pattern(run: Run, made: Call) -> Value | None:
    pattern, given = made.value(0), _carried(made.values)
    if _runs_matches(made):
        run.hit("request_to_code" if given.is_foreign else "pattern_code", made.node, "modifier e", given)
        run.layer(made.value(1), "modifier e")
    elif pattern.is_foreign and made.value(1).is_foreign:
        run.hit("request_to_pattern", made.node, made.function, pattern)
    found = _folded(b"preg_replace", made.values[:3])
    return None if found is None else replace(given, constant=found, decoded=True, assembled=True)


def _runs_matches(made: Call) -> bool:
    """Whether the pattern has the modifier e, which PHP had until version 7."""
    if made.function.startswith(b"mb_"):
        return b"e" in (made.value(3).word or b"")
    word = (made.value(0).word or b"").strip()
    end = BRACKETS.get(word[:1], word[:1])
    if not end or end not in word[1:]:
        return False
    modifiers = word.rsplit(end, 1)[-1]
    return b"e" in modifiers and len(modifiers) < LONGEST_MODIFIERS and modifiers.isalpha()


def _callback(run: Run, made: Call) -> Value | None:
    place = CALLBACKS[made.function]
    called = made.value(place)
    others = _carried(tuple(value for value in made.values if value is not called))
    if called.is_foreign and made.function != FILTER:
        run.hit("request_to_callback", made.node, made.function, called)
    elif called.name in CODE | COMMANDS and (others.is_foreign or called.assembled):
        run.hit("request_to_callback", made.node, made.function + b": " + (called.name or b""), others)
    elif called.name in CODE and made.function != ERROR_HANDLER:
        run.hit("dangerous_callback", made.node, called.name or b"")
    return others if made.function == b"array_map" else None


def _write(run: Run, made: Call) -> Value | None:
    target, written = made.value(0), made.value(1)
    if written.is_foreign or written.decoded:
        run.written |= set(VARIABLE.findall(_first_argument(made.node)))
    if written.is_foreign:
        into_file = target.is_foreign or made.function == b"file_put_contents"
        run.hit("request_to_file" if into_file else "request_to_handle", made.node, made.function, written)
        if target.is_foreign and not (target.loose or written.loose):
            run.hit("request_to_chosen_file", made.node, made.function, written)
    if written.is_remote:
        _write_of_remote(run, made, target, written)
    if written.word is not None and written.decoded and DECODED_PHP.search(written.word):
        run.hit("decoded_drop", made.node, made.function)
        run.layer(written, "written into a file")
    elif written.word is not None and PLAIN_SHELL.search(written.word):
        run.hit("plain_drop", made.node, made.function)
    return None


def _write_of_remote(run: Run, made: Call, target: Value, written: Value) -> None:
    into_script = SCRIPT.search(target.word or b"") or SCRIPT_WRITTEN.search(_first_argument(made.node))
    is_sure = into_script and not written.loose
    run.hit("remote_to_script" if is_sure else "remote_to_file", made.node, made.function, written)


def _first_argument(node: Node) -> bytes:
    arguments = named(node, "arguments")
    first = arguments.named_children[:1] if arguments is not None else []
    return text(first[0]) if first else b""


def _is_open_upload(run: Run, made: Call) -> bool:
    """Whether a page of its own takes whatever it is sent under the name that is sent with it."""
    target = made.value(1)
    chooses = target.is_foreign and not target.loose and not made.value(0).loose
    return chooses and run.is_page_of_its_own and GUARDS.search(run.source) is None


def _put_in_place(run: Run, made: Call) -> Value | None:
    source = made.value(0)
    if source.origin & Origin.REQUEST:
        run.hit("open_upload" if _is_open_upload(run, made) else "upload", made.node, made.function, source)
    elif made.function == b"copy" and (source.is_remote or REMOTE_ADDRESS.match(source.word or b"")):
        to_script = SCRIPT.search(made.value(1).word or b"") is not None
        run.hit("remote_to_script" if to_script else "remote_to_file", made.node, made.function, source)
    return None


def _extract(run: Run, made: Call) -> Value | None:
    if made.value(0).is_foreign:
        run.scope.is_open = True
        run.hit("request_to_variables", made.node, made.function, made.value(0))
    return None


def _mail(run: Run, made: Call) -> Value | None:
    if len(made.values) < MAIL_ARGUMENTS:
        return None
    to, others = made.value(0), _carried(made.values[1:])
    if to.is_foreign and others.is_foreign:
        run.hit("request_to_mail", made.node, value=others)
    elif to.is_remote:
        run.hit("remote_to_mail", made.node, value=to)
    return None


def _connect(run: Run, made: Call) -> Value | None:
    if made.value(0).is_foreign and not made.value(0).loose:
        run.hit("request_to_address", made.node, made.function, made.value(0))
    return _of_remote(run, made)


def _log_in(run: Run, made: Call) -> Value | None:
    if made.value(0).is_foreign and not made.value(0).loose:
        run.hit("request_to_login", made.node, made.function, made.value(0))
    return None


def _new_user(run: Run, made: Call) -> Value | None:
    given = made.value(0).constant
    if made.function == b"wp_create_user":
        is_own = all(made.value(place).word for place in (0, 1)) and ADMINISTRATOR.search(run.source) is not None
    else:
        is_own = (
            isinstance(given, Mapping) and bool(given.get(b"user_pass")) and given.get(b"role") == b"administrator"
        )
    if is_own:
        run.hit("hidden_user", made.node, made.function)
    return None


def _of_store(_run: Run, made: Call) -> Value:
    return Value(origin=Origin.STORED).at(line(made.node), text(made.node))


def _unserialize(run: Run, made: Call) -> Value | None:
    if made.value(0).is_foreign:
        run.hit("request_to_objects", made.node, value=made.value(0))
    return None


def _load(run: Run, made: Call) -> Value | None:
    _reached(run, made, made.value(0), "code")
    return None


def _set(run: Run, made: Call) -> Value | None:
    if made.value(0).name in INI_KEYS:
        run.hit("setting", made.node, made.value(0).name or b"")
    return None


def _read(run: Run, made: Call) -> Value | None:
    named_by = made.value(0)
    if named_by.word == OWN_NAME and made.function in {b"file_get_contents", b"file"}:
        lines = tuple(run.file.splitlines(keepends=True)[:MAX_LINES]) if made.function == b"file" else run.file
        return Value(lines, assembled=True)
    address = (named_by.word or b"").lower()
    if address.startswith(b"php://input"):
        return Value(origin=Origin.REQUEST).at(line(made.node), text(made.node))
    if REMOTE_ADDRESS.match(address):
        return Value(origin=Origin.REMOTE).at(line(made.node), text(made.node))
    if made.function in HANDLE_READERS:
        return Value(None, named_by.origin & CARRIED, loose=named_by.loose, trail=named_by.trail)
    origin = Origin.REQUEST if named_by.is_foreign else named_by.origin & Origin.REMOTE
    of_itself = b"__FILE__" in text(made.node)
    return Value(None, origin, assembled=of_itself, loose=named_by.loose, trail=named_by.trail)


def _harmless(_run: Run, _made: Call) -> Value:
    return UNKNOWN


def _of_request(_run: Run, made: Call) -> Value:
    return Value(origin=Origin.REQUEST).at(line(made.node), text(made.node))


def _of_remote(_run: Run, made: Call) -> Value:
    return Value(origin=Origin.REMOTE).at(line(made.node), text(made.node))


def _environment(run: Run, made: Call) -> Value | None:
    return _of_request(run, made) if (made.value(0).word or b"").startswith(b"HTTP_") else None


Rule = Callable[[Run, Call], Value | None]

RULES: Mapping[bytes, Rule] = {
    **dict.fromkeys(HARMLESS, _harmless),
    **dict.fromkeys(REQUEST_FUNCTIONS, _of_request),
    **dict.fromkeys(REMOTE_FUNCTIONS, _of_remote),
    **dict.fromkeys(STORED_FUNCTIONS, _of_store),
    **dict.fromkeys(ADDRESSES, _connect),
    **dict.fromkeys(LOGINS, _log_in),
    **dict.fromkeys(NEW_USERS, _new_user),
    **dict.fromkeys(READERS, _read),
    **dict.fromkeys(CODE, _code),
    **dict.fromkeys(COMMANDS, _command),
    **dict.fromkeys(PATTERN_FUNCTIONS, _pattern),
    **dict.fromkeys(CALLBACKS, _callback),
    **dict.fromkeys(WRITERS, _write),
    **dict.fromkeys((b"move_uploaded_file", b"copy"), _put_in_place),
    **dict.fromkeys(EXTRACTORS, _extract),
    **dict.fromkeys((b"ini_set", b"ini_alter"), _set),
    b"mail": _mail,
    b"unserialize": _unserialize,
    b"dl": _load,
    b"getenv": _environment,
}
"""Function → what a call of it means; it may say what comes out."""


def _result(_run: Run, made: Call) -> Value:
    """Returns what comes out of a function that has no rule of its own, or whose rule leaves that open."""
    given = _carried(made.values)
    decoded = given.decoded or made.function in DECODERS
    assembled = given.assembled or made.function in ASSEMBLERS
    constant = _folded(made.function, made.values)
    return replace(given, constant=constant, decoded=decoded, assembled=assembled)


def _carried(values: tuple[Value, ...]) -> Value:
    return union(*values)


def _folded(function: bytes, values: tuple[Value, ...]) -> Constant | None:
    constants = [value.constant for value in values if value.constant is not None]
    return fold(function, constants) if values and len(constants) == len(values) else None
