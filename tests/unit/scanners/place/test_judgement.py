"""Files by where they stand and what they are called, on inert samples and on what only looks like them."""

import pytest

from scanners.engine import AuditedFile
from scanners.place.judgement import RULES, PlaceEngine
from sentry.domain.finding import Evidence, FindingClass
from sentry.domain.tree_entry import EntryKind, TreeEntry

ENGINE = PlaceEngine()
ACTS = b"<?php echo strlen($_POST['inert']); fopen('a', 'r');"
OBEYS = b"<?php if (isset($_POST['a'])) { fwrite($h, 'inert'); }"
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(128, 256)) * 20


def rules_of(path: str, content: bytes) -> set[str]:
    """Returns what is said of a file."""
    return {sign.rule for sign in ENGINE.judge(AuditedFile(path, content), lambda: False).signs}


PHP_ARCHIVE = b"<?php __HALT_COMPILER(); ?>" + bytes(30) + b"GBMB"
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(60)
ZIP_WITH_PHP = b"PK\x03\x04" + bytes(30) + b"PK\x01\x02" + bytes(42) + b"site/a.php" + bytes(20)

FITS = {
    "a script among uploads": ("wp-content/uploads/2026/01/a.php", ACTS, "php_among_uploads"),
    "a list among uploads": ("wp-content/uploads/a.php", b"<?php return array('x');", "inert_php_among_uploads"),
    "another cms' uploads": ("sites/default/files/a.php", ACTS, "php_among_uploads"),
    "among certificates' proofs": (".well-known/acme.php", ACTS, "php_among_uploads"),
    "a script among pictures": ("theme/images/a.php", OBEYS, "php_among_pictures"),
    "a script among fonts": ("assets/fonts/a.php", OBEYS, "php_among_pictures"),
    "a script in a cache": ("wp-content/cache/x/a.php", OBEYS, "php_among_kept"),
    "a picture with php in it": ("a.jpg", PICTURE + ACTS, "php_in_picture"),
    "a picture that is none": ("favicon.ico", ACTS, "php_in_picture"),
    "a font that is none": ("a.woff", ACTS, "php_in_picture"),
    "a script like a picture": ("a.php", b"GIF89a;" + ACTS, "php_behind_picture"),
    "a style that is none": ("style.css", ACTS, "php_called_text"),
    "a log that is none": ("error.log", b"\n" + ACTS, "php_called_text"),
    "a picture before the script": ("a.jpg.php", ACTS, "covered_name"),
    "a picture after the script": ("a.php.jpg", ACTS, "php_in_picture"),
    "a text after the script": ("a.phtml.txt", ACTS, "covered_name"),
    "a hidden script": ("wp-includes/.cache.php", ACTS, "hidden_script"),
    "a digit for a letter": ("wp-1ogin.php", ACTS, "imitated_name"),
    "a capital for a letter": ("wp-Iogin.php", ACTS, "imitated_name"),
    "a foreign letter": ("wp-c\u043enfig.php", ACTS, "imitated_name"),
    "two letters for one": ("wp-adrnin.php", ACTS, "imitated_name"),
    "mixed alphabets": ("c\u043entact-form.php", ACTS, "unreadable_name"),
    "a letter nobody sees": ("index\u200b.php", ACTS, "unreadable_name"),
    "a blank": (" .php", ACTS, "blank_name"),
    "code before the beginning": (
        "wp-load.php",
        b"<?php $a = 'x'; $b = base64_decode($a); /* inert */ if ($b) { $c = 1; } ?><?php\n/**\n * Loads.\n */",
        "injected_first_line",
    ),
    "a program among uploads": ("wp-content/uploads/x", PROGRAM, "program_among_uploads"),
    "a program called picture": ("a.png", PROGRAM, "program_called_otherwise"),
    "a program": ("bin/tool", PROGRAM, "program"),
    "an archive called picture": ("a.gif", b"PK\x03\x04" + bytes(40), "archive_called_picture"),
    "a disguised archive of php": ("a.jpg", PHP_ARCHIVE, "php_archive_disguised"),
    "scripts in an archive": ("wp-content/uploads/site.zip", ZIP_WITH_PHP, "archived_php_among_uploads"),
}


@pytest.mark.parametrize(("path", "content", "rule"), FITS.values(), ids=FITS)
def test_file_in_the_wrong_place_is_seen(path: str, content: bytes, rule: str) -> None:
    """Each disguise has its sign."""
    assert rule in rules_of(path, content)


HARMLESS = {
    "silence": ("wp-content/uploads/index.php", b"<?php\n// Silence is golden.\n"),
    "a refusal": ("wp-content/uploads/x/index.php", b"<?php header('HTTP/1.0 403 Forbidden'); exit;"),
    "a guard": ("wp-content/uploads/index.php", b"<?php if (!defined('ABSPATH')) { exit; } // quiet"),
    "data behind an end": ("wp-content/uploads/log.php", b"<?php exit; ?>\nip|$_GET|eval(1)"),
    "a class in a folder of that name": ("includes/upload/Base.php", b"<?php\nclass Base { function a() { $x(); } }"),
    "a style by a script": ("lib/images/index.php", b"<?php header('Content-Type: text/css'); echo $a;"),
    "a compiled template": ("wp-content/cache/a.php", b"<?php\nclass T { function r() { echo $_GET['a']; } }"),
    "a picture with marks by chance": ("a.jpg", PICTURE + b"<?= \x00\x01" + PICTURE + b"<? \xff"),
    "a picture with a description": ("a.jpg", PICTURE + b'<?xpacket begin="" id="W5M0"?><?xml version="1.0"?>'),
    "a drawing": ("a.svg", b'<?xml version="1.0"?><svg></svg>'),
    "a readme with an example": ("readme.txt", b"Use it so:\n<?php echo $_GET['x'];"),
    "a readme that begins with one": ("readme.md", ACTS),
    "a style": ("style.css", b"a { color: red }"),
    "two words in a name": ("template.min.php", ACTS),
    "a programmer's settings": (".php-cs-fixer.php", ACTS),
    "the real thing": ("wp-login.php", ACTS),
    "another language": ("\u043a\u043e\u043d\u0442\u0430\u043a\u0442.php", ACTS),
    "accents": ("informaci\u00f3n.php", ACTS),
    "two blocks": ("a.php", b"<?php require 'a.php'; ?>\n<?php\n/**\n * A page.\n */"),
    "an archive": ("wp-content/uploads/photos.zip", b"PK\x03\x04" + bytes(30) + b"PK\x01\x02" + bytes(42) + b"a.jpg"),
    "a document that is an archive": ("wp-content/uploads/a.docx", b"PK\x03\x04" + bytes(40)),
    "two letters of a program": ("a.txt", b"MZ is a code"),
    "nothing": ("a.php", b""),
}


@pytest.mark.parametrize(("path", "content"), HARMLESS.values(), ids=HARMLESS)
def test_file_that_only_looks_odd_is_not_seen(path: str, content: bytes) -> None:
    """What programs and people really do is no sign."""
    assert rules_of(path, content) == set()


def test_place_is_judged_by_the_name_on_the_disk() -> None:
    """A path is escaped to be shown; letters that nobody sees are looked for in the name itself."""
    path = "index\u200b.php"
    entry = TreeEntry(path.encode(), EntryKind.FILE, 9, 0o644, "a", "a", 0, 0, 1)

    signs = ENGINE.judge(AuditedFile(entry.shown_path, ACTS, entry), lambda: False).signs

    assert "unreadable_name" in {sign.rule for sign in signs}


def test_place_alone_is_never_a_proof() -> None:
    """A person may have put it there; what the code does must be seen by another engine."""
    assert {rule.evidence for rule in RULES.values()} == {Evidence.PLACE}
    assert FindingClass.CONFIRMED not in {rule.verdict for rule in RULES.values()}


def test_sign_shows_the_line_of_the_code() -> None:
    """The way to what is hidden in a picture."""
    (sign,) = ENGINE.judge(AuditedFile("a.jpg", PICTURE + b"\n\n" + ACTS), lambda: False).signs

    assert (sign.way[0].number, sign.way[0].text[:10]) == (3, "<?php echo")
