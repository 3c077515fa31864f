"""What must not be served, by name, and the proof that it is: a name alone exposes nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from sentry.domain.finding import FindingClass

GOOD = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})


@dataclass(frozen=True, slots=True)
class Suspect:
    """One kind of thing that is left lying about.

    Attributes:
        rule: its lasting name.
        meaning: what it says, and what to do.
        names: fits paths below the docroot.
        proof: fits the beginning of the body when it is really served.
        well_known: paths that are asked for also where nobody sees the tree.
        verdict: what it is when it is served.
        in_pages: whether the proof itself is a page; else a page proves nothing.
        statuses: of an answer that counts.
        same_bytes: whether bytes as they stand on disk are a proof by themselves.
        most: how many of a tree are asked for.
        is_no_file: the server itself makes it, so no tree shows it.
    """

    rule: str
    meaning: str
    names: re.Pattern[bytes]
    proof: re.Pattern[bytes]
    well_known: tuple[str, ...] = ()
    verdict: FindingClass = FindingClass.EXPOSED
    in_pages: bool = False
    statuses: frozenset[int] = GOOD
    same_bytes: bool = False
    most: int = 40
    is_no_file: bool = False


def _names(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[bytes]:
    return re.compile(rb"(?:^|/)(?:" + pattern.encode() + rb")$", flags)


_AS_WRITTEN = re.NOFLAG
"""Classes are called `Info.php` and `Installer.php`, pages are not."""


_ARCHIVE = (
    rb"\APK\x03\x04|\A\x1f\x8b|\ABZh[1-9]|\A\xfd7zXZ\x00|\A7z\xbc\xaf\x27\x1c|\ARar!\x1a\x07|\A(?s:.){257}ustar"
)
_DUMPED = rb"-- (?:MySQL|MariaDB) dump|-- phpMyAdmin SQL Dump|-- PostgreSQL database dump|-- Adminer \d|"
_BINARY = rb"\APGDMP|\ASQLite format 3\x00|" + _ARCHIVE
_DUMP = rb"(?i:CREATE TABLE|INSERT INTO)|" + _DUMPED + _BINARY
_SQL = rb"\.(?:sql|sqlite3?|dump|mysql|pgsql)(?:\.(?:gz|bz2|xz|zip))?$"
_SOURCE = rb"<\?(?:php|=)|\Ab0VIM|DB_PASSWORD|(?m:^[ \t]*\$[A-Za-z_]\w{0,60}[ \t]*=)"
_COPY = r"(?:\.(?:bak|backup|old|orig|save|saved|copy|swp|swo|tmp|disabled|1|2)|~|_(?:bak|backup|old))"
_LIKE_BACKUP = (
    r"[^/]*(?:back-?up|dump|public_html|htdocs|wwwroot|wordpress|wp-content|database|snapshot|_db_|site|export)[^/]*"
)
_PACKED = r"\.(?:zip|tar|tgz|tar\.gz|tar\.bz2|tar\.xz|tbz2|7z|rar|wpress|jpa)"

SUSPECTS: Sequence[Suspect] = (
    Suspect(
        "git_repository_served",
        "the folder of git can be fetched: whoever does has all the source, with its history; forbid `.git`",
        _names(r"\.git/HEAD"),
        re.compile(rb"\A(?:ref: refs/|[0-9a-f]{40}\s*\Z)"),
        ("/.git/HEAD",),
    ),
    Suspect(
        "subversion_served",
        "the folder of Subversion can be fetched: whoever does has all the source; forbid `.svn`",
        _names(r"\.svn/(?:wc\.db|entries)"),
        re.compile(rb"\ASQLite format 3\x00|\A[0-9]{1,2}\s*(?:\n|\Z)"),
        ("/.svn/wc.db", "/.svn/entries"),
    ),
    Suspect(
        "mercurial_served",
        "the folder of Mercurial can be fetched: whoever does has all the source; forbid `.hg`",
        _names(r"\.hg/requires"),
        re.compile(rb"\A(?:dotencode|fncache|generaldelta|revlogv1|store|share-safe|sparserevlog)\s"),
        ("/.hg/requires",),
    ),
    Suspect(
        "environment_file_served",
        "a file with settings and secrets can be fetched: change the secrets, and move it out of the docroot",
        _names(r"\.env(?!\.(?:example|sample|dist|template)$)(?:[._-][\w.-]{1,40})?"),
        re.compile(rb"(?m)^(?:export )?[A-Z][A-Z0-9_]{2,60} ?=[^\n]"),
        ("/.env", "/.env.local", "/.env.production", "/.env.bak"),
    ),
    Suspect(
        "configuration_served",
        "a configuration with secrets is served as text: change the secrets, and remove or forbid it",
        _names(
            r"wp-config(?:\.php)?[^/]*|configuration\.php[^/]*|localsettings\.php[^/]*|auth\.json|\.npmrc|\.htpasswd"
            r"|\.vscode/sftp\.json|sftp-config\.json|\.ftpconfig|\.aws/credentials|\.my\.cnf|\.pgpass|\.netrc"
            r"|\.git-credentials|web\.config\.(?:bak|old)|settings\.php" + _COPY
        ),
        re.compile(
            rb"DB_PASSWORD|\$password|\$wgDBpassword|'password' *=>|_authToken|http-basic|\"password\" *:|aws_secret"
            rb"|(?m:^password *=)|://[^/\s:@]+:[^/\s:@]+@|(?m:^[^:\s<]{1,64}:(?:\$(?:apr1|2[aby]|5|6)\$|\{SHA\}))"
        ),
        (
            *("/wp-config.php.bak", "/wp-config.php~", "/wp-config.php.old", "/wp-config.php.save", "/wp-config.txt"),
            *("/.wp-config.php.swp", "/wp-config.php.swp", "/configuration.php.bak", "/.htpasswd", "/auth.json"),
        ),
    ),
    Suspect(
        "private_key_served",
        "a private key can be fetched: revoke it, and move it out of the docroot",
        _names(r"id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:key|pem|ppk)"),
        re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY|\APuTTY-User-Key-File"),
        ("/.ssh/id_rsa", "/id_rsa", "/server.key"),
    ),
    Suspect(
        "database_dump_served",
        "a copy of the database can be fetched: remove it, and change the passwords that stand in it",
        # At the root, or in a name or a folder that speaks of data.
        re.compile(
            rb"^(?!(?:.*/)?(?:vendor|node_modules|sql|schema|migrations|updates|patches|tests?)/)"
            rb"(?:[^/]+|.*(?:back-?up|dump|export|_db)(?:[^/a-z][^/]*)?(?:/[^/]+)?)" + _SQL,
            re.IGNORECASE,
        ),
        re.compile(_DUMP),
        ("/backup.sql", "/dump.sql", "/database.sql", "/db.sql", "/backup.sql.gz", "/mysql.sql", "/data.sql"),
        same_bytes=True,
    ),
    Suspect(
        "database_dump_served_within",
        "a copy of the database can be fetched: remove it, and change the passwords that stand in it",
        # Software brings its empty tables along, wherever it likes: only what a program has dumped is none of that.
        re.compile(rb"[^/]" + _SQL, re.IGNORECASE),
        re.compile(_DUMPED + _BINARY),
        most=10,
    ),
    Suspect(
        "archive_served",
        "an archive that looks like a copy of the site can be fetched: remove it",
        re.compile(
            rb"(?:^(?:[^/]+"
            + _PACKED.encode()
            + rb")$)|(?:^|/)(?:(?:updraft|backup[^/]*|ai1wm-backups|snapshots|wpvividbackups)/(?:[^/]+/)*[^/]+|"
            + _LIKE_BACKUP.encode()
            + rb")"
            + _PACKED.encode()
            + rb"$",
            re.IGNORECASE,
        ),
        re.compile(_ARCHIVE),
        ("/backup.zip", "/backup.tar.gz", "/site.zip", "/www.zip", "/public_html.zip", "/wordpress.zip"),
        same_bytes=True,
    ),
    Suspect(
        "source_copy_served",
        "a copy of a script is served as text, with whatever stands in it: remove it",
        _names(
            r"[^/]+\.(?:php[0-9]?|phtml|inc|asp|aspx|jsp|ini|yml|yaml|conf|htaccess)"
            + _COPY
            + r"|\.[^/]+\.php\.sw[po]"
            r"|\.htaccess" + _COPY
        ),
        re.compile(_SOURCE),
        ("/index.php.bak", "/index.php~", "/.index.php.swp"),
        same_bytes=True,
    ),
    Suspect(
        "log_served",
        "a log can be fetched: it shows paths, addresses and now and then secrets; move it out of the docroot",
        _names(r"debug\.log|error_log|(?:php_?)?errors?\.log|laravel\.log|access[_.]log|[^/]*debug[^/]*\.log"),
        re.compile(
            rb"PHP (?:Warning|Notice|Fatal error|Parse error|Deprecated|Stack trace)|\A\[\d\d-[A-Z][a-z]{2}-\d{4} "
            rb"|\A\[\d{4}-\d\d-\d\d[T ][\d:.+-]+\] \w+\.[A-Z]+:|(?m:^[\d.a-f:]+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:)"
        ),
        ("/wp-content/debug.log", "/error_log", "/debug.log", "/storage/logs/laravel.log"),
        same_bytes=True,
    ),
    Suspect(
        "phpinfo_served",
        "a page shows the whole configuration of PHP: remove it",
        _names(r"(?:php_?)?info[0-9]?\.php|pinfo\.php|i\.php|test[0-9]?\.php|phpversion\.php", _AS_WRITTEN),
        re.compile(rb"(?i)<title>[^<]{0,40}phpinfo\(\)|<h1 class=\"p\">PHP Version"),
        ("/phpinfo.php", "/info.php", "/test.php", "/i.php"),
        in_pages=True,
    ),
    Suspect(
        "wordpress_not_installed",
        "the installer of WordPress waits for somebody: whoever comes first takes the site over; finish or forbid it",
        _names(r"wp-admin/(?:install|setup-config)\.php"),
        # An installed WordPress answers there too, with a page without any of these.
        re.compile(rb"name=\"weblog_title\"|setup-config\.php\?step=|name=\"dbname\"|id=\"language-continue\""),
        ("/wp-admin/install.php", "/wp-admin/setup-config.php"),
        in_pages=True,
    ),
    Suspect(
        "installer_served",
        "an installer was left behind and answers: whoever comes first can take the site over; remove it",
        _names(
            r"(?<!wp-admin/)(?:install|setup|installer|installer-backup)\.php"
            r"|(?:install|installation|setup)/index\.(?:php|html?)",
            _AS_WRITTEN,
        ),
        re.compile(
            rb"(?i)<title>[^<]{0,80}(?:\binstall(?:er|ation)?\b|\binstalaci|setup wizard|phpmyadmin setup)"
            rb"|name=\"dbname\""
        ),
        ("/install.php", "/installer.php", "/install/index.php", "/installation/index.php", "/setup/index.php"),
        in_pages=True,
    ),
    Suspect(
        "server_status_served",
        "the server's page of its own state can be read: allow it to your own addresses only",
        _names(r"server-status|nginx_status"),
        re.compile(rb"<title>Apache Status|\AActive connections: \d+"),
        ("/server-status", "/nginx_status"),
        in_pages=True,
        is_no_file=True,
    ),
    Suspect(
        "package_list_served",
        "the list of packages with their versions can be fetched: forbid it",
        re.compile(
            rb"^(?:composer\.(?:json|lock)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml)$"
            rb"|^vendor/composer/installed\.json$"
        ),
        re.compile(
            rb"\"(?:require|packages|packages-dev|dependencies|devDependencies|lockfileVersion|autoload)\"\s*:"
            rb"|\A# (?:THIS IS AN AUTOGENERATED|yarn lockfile)|\Alockfileversion"
        ),
        ("/composer.json", "/composer.lock", "/package.json", "/vendor/composer/installed.json"),
        verdict=FindingClass.ADVICE,
    ),
    Suspect(
        "version_page_served",
        "a page that came with the CMS tells its version: remove or forbid it",
        re.compile(
            rb"^(?:[^/]+/)?(?:readme\.html|licen[sc]e\.txt|changelog\.txt|core/changelog\.txt)$", re.IGNORECASE
        ),
        re.compile(rb"(?i)WordPress|Drupal|Joomla|PrestaShop|Magento"),
        ("/readme.html", "/license.txt", "/CHANGELOG.txt"),
        verdict=FindingClass.ADVICE,
        in_pages=True,
    ),
    Suspect(
        "xmlrpc_answers",
        "xmlrpc.php answers: passwords can be tried there by the hundred; forbid it where nothing uses it",
        re.compile(rb"^(?:[^/]+/)?xmlrpc\.php$"),
        re.compile(rb"XML-RPC server accepts POST requests only"),
        ("/xmlrpc.php",),
        verdict=FindingClass.ADVICE,
        in_pages=True,
        statuses=GOOD | {HTTPStatus.METHOD_NOT_ALLOWED},
    ),
)

LISTING = Suspect(
    "folder_listed",
    "the server lists what is in a folder, with whatever should not be found: switch listings off",
    re.compile(rb"/$"),
    re.compile(
        rb"(?i)<title>(?:Index of|Directory listing for|Listing of|Directory:?) ?/|<h1>(?:Index of|Directory) /"
        rb"|\[To Parent Directory\]"
    ),
    ("/wp-content/uploads/", "/wp-includes/", "/uploads/", "/images/", "/backup/", "/backups/", "/files/", "/logs/"),
    in_pages=True,
)
