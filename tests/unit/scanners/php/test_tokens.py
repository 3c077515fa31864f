"""The words that decide whether a source is read at all: what they pass over must be harmless."""

import pytest

from scanners.php.reader import READ_WHOLE_BYTES, read
from scanners.php.tokens import tokens


@pytest.mark.parametrize(
    "source",
    [
        b"<?php class A { private $b = 1; function c() { return $this->b . ' text'; } }",
        b"<?php echo sprintf('%s', htmlspecialchars($title)); // see https://example.test",
        b"<?php $lines = explode('\\n', $text); return array_map('trim', $lines);",
    ],
)
def test_tokens_source_without_anything_foreign_or_hidden_may_not_act(source: bytes) -> None:
    """Most of a framework is like that, and need not be understood."""
    assert not tokens(source).may_act


@pytest.mark.parametrize(
    "source",
    [
        b"<?php $f($_GET['x']);",
        b"<?php EVAL /* x */ ($a);",
        b"<?php $f = 'sys' . 'tem'; $f('id');",
        b"<?php ${'a' . 'b'} = 1;",
        b"<?php include 'logo.png';",
        b"<?php `$_GET[x]`;",
        b"<?php usort($a, base64_decode('eA=='));",
    ],
)
def test_tokens_source_that_could_run_what_is_hidden_or_foreign_may_act(source: bytes) -> None:
    """However little of it there is."""
    assert tokens(source).may_act


def test_read_long_source_finds_what_stands_between_harmless_functions() -> None:
    """A back door in one method of a large class is read, though the others are passed over."""
    harmless = b"".join(
        b"function f%d($a) { return $a . 'x'; }\n" % number for number in range(READ_WHOLE_BYTES // 30)
    )
    source = b"<?php class A {\n" + harmless + b"function g() { eval($_POST['x']); }\n" + harmless + b"}"

    assert "request_to_code" in {hit.signal for hit in read(source, lambda: False).hits}
