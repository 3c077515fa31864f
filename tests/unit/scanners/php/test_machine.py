"""The machine for pure PHP computes as PHP does, and stops at whatever is not pure or not known."""

import base64
from typing import Any

import pytest

from scanners.php.machine.running import Machine
from scanners.php.reader import read
from scanners.php.semantics import Stuck
from scanners.php.syntax import parse

PAYLOAD = b"system($_GET['c']);"
WRITTEN = base64.b64encode(PAYLOAD).decode()


def computed(source: str) -> dict[bytes, Any]:
    """Returns the variables that a block of statements leaves."""
    root = parse(b"<?php {" + source.encode() + b"}", lambda: False)
    assert root is not None
    variables: dict[bytes, Any] = {}
    machine = Machine(lambda: False, most_steps=100_000)
    machine.run(next(child for child in root.named_children if child.type == "compound_statement"), variables)
    return {name: bytes(value) if isinstance(value, bytearray) else value for name, value in variables.items()}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$x = ''; for ($i = 0; $i < 3; $i++) { $x .= chr(97 + $i); }", b"abc"),
        ("$x = 0; while (true) { $x++; if ($x == 4) break; }", 4),
        ("$x = 5; do { $x--; } while ($x > 7);", 4),
        ("$x = ''; foreach (array('b' => 1, 'a' => 2) as $k => $v) { if ($v > 1) continue; $x .= $k . $v; }", b"b1"),
        ("$x = 0; for (;;) { switch ($x) { case 0: $x = 9; break; default: $x++; } if ($x > 9) break; }", 10),
        ("$x = 'Az'; $x++;", b"Ba"),
        ("$x = 'Zz'; $x++;", b"AAa"),
        ("$x = 'a9'; $x++;", b"b0"),
        ("$x = 'abc'; $x[1] = 'X';", b"aXc"),
        ("$x = '5 apples' + 3;", 8),
        ("$x = 7 / 2;", 3.5),
        ("$x = -7 % 3;", -1),
        ("$x = 'ab' ^ '  ';", b"AB"),
        ("$x = 12 ^ 10;", 6),
        ("$x = 1 << 33 >> 32;", 2),
        ("$x = '10' == '1e1';", True),
        ("$x = '10' === 10;", False),
        ("$y = array(3 => 'a'); $y[] = 'b'; $x = $y[4];", b"b"),
        ("$y = array('k' => 1); $x = isset($y['k']) && !isset($y['l']) && empty($y['m']);", True),
        ("list($y, $x) = array(1, 2);", 2),
        ("$x = (int) '12abc' . (string) 3;", b"123"),
        ("$f = 'str' . 'rev'; $x = $f('abc');", b"cba"),
        ("$x = implode('', array_map_is_not_here ?? array());", None),
        ("$x = implode('-', range(1, 4, 2)) . strlen('four');", b"1-34"),
        ("$x = array_flip(array('a', 'b')); $x = $x['b'];", 1),
        ("$x = hexdec('ff') . dechex(255) . ord('a') . intval('077', 8);", b"255ff9763"),
    ],
)  # fmt: skip
def test_machine_computes_as_php_does(source: str, value: object) -> None:
    """The results are PHP 8's own."""
    if value is None:
        with pytest.raises(Stuck):
            computed(source)
        return
    found = computed(source)[b"x"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "source",
    [
        "system('id');",
        "$x = $_GET['x'] . 'a';",
        "$x = file_get_contents('/etc/passwd');",
        "$f = 'unlink'; $f('x');",
        "while (true) { $x = 1; }",
        "$x = 'x'; while (true) { $x .= $x; }",
        "$x = 1; while (true) { $x = $x * 99999; $x = $x << 3; }",
        "include 'x.php';",
        "exit;",
        "$x = 5 / 0;",
        "$x = range(0, 999999999);",
        "$x = str_repeat('a', 999999999);",
        "$x = 9 ** 999;",
    ],
)
def test_machine_stops_at_what_is_not_pure_or_too_long(source: str) -> None:
    """Nothing is done, asked or waited for."""
    with pytest.raises(Stuck):
        computed(source)


def test_machine_function_that_calls_itself_for_ever_stops() -> None:
    """Neither the machine's stack nor Python's is used up."""
    source = b"<?php function f($x) { return f($x . 'a'); } eval(f('b')); $_GET;"

    assert read(source, lambda: False).whole


PACKED = {
    "xor with a key, in a loop": (
        "$k = 'key'; $d = base64_decode('{xored}'); $o = ''; for ($i = 0; $i < strlen($d); $i++) "
        "{{ $o .= chr(ord($d[$i]) ^ ord($k[$i % strlen($k)])); }} eval($o);"
    ),
    "an alphabet of its own, in a function": (
        "function d($s, $t) {{ $o = ''; for ($i = 0; $i < strlen($s); $i++) "
        "{{ $o .= isset($t[$s[$i]]) ? $t[$s[$i]] : $s[$i]; }} return base64_decode($o); }} "
        "$t = array('#' => 'A', '!' => 'B'); eval(d('{written}', $t));"
    ),
    "numbers that are letters": (
        "$n = array({numbers}); $o = ''; foreach ($n as $c) {{ $o .= chr($c - 3); }} eval($o);"
    ),
    "in a method": (
        "class A {{ static function d($s) {{ $r = ''; for ($i = strlen($s) - 1; $i >= 0; $i--) $r .= $s[$i]; "
        "return base64_decode($r); }} }} eval(A::d('{reversed}'));"
    ),
    "a function whose body runs it": (
        "function go($s) {{ $r = ''; foreach (str_split($s, 2) as $p) {{ $r .= chr(hexdec($p)); }} eval($r); }} "
        "go('{hex}');"
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", PACKED.values(), ids=PACKED)
def test_read_code_of_a_packer_of_its_own_is_opened(source: str) -> None:
    """What no list of decoders knows is computed, and what was hidden is judged."""
    parts = {
        "written": WRITTEN,
        "xored": base64.b64encode(bytes(byte ^ b"key"[place % 3] for place, byte in enumerate(PAYLOAD))).decode(),
        "numbers": ", ".join(str(byte + 3) for byte in PAYLOAD),
        "reversed": WRITTEN[::-1],
        "hex": PAYLOAD.hex(),
    }

    reading = read(b"<?php " + source.format(**parts).encode(), lambda: False)

    assert {"decoded_code", "request_to_command"} <= {hit.signal for hit in reading.hits}


@pytest.mark.parametrize(
    "source",
    [
        "foreach (array('exec', 'system') as $f) { if (function_exists($f)) break; } $f('uptime');",
        "$s = ''; for ($i = 0; $i < 3; $i++) { $s .= '<li>'; } echo $s;",
        "function t($n) { $o = ''; for ($i = 0; $i < $n; $i++) $o .= ' '; return $o; } echo t(4); eval('1;');",
    ],
)
def test_read_loop_that_hides_nothing_is_not_proved(source: str) -> None:
    """What was computed and also stands in the source was chosen, not hidden."""
    assert all(hit.weight < 3 for hit in read(b"<?php " + source.encode(), lambda: False).hits)
