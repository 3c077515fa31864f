"""What a configuration sets, read as text."""

from scanners.database.settings_file import read_environment, read_php


def _never() -> bool:
    return False


def test_php_settings_as_wordpress_writes_them_are_read() -> None:
    """Quotes, comments, conditions and pieces of text are what they are to PHP."""
    written = read_php(
        b"<?php // define('DB_NAME', 'not this');\n"
        b"define( 'DB_NAME', 'shop' ); define(\"DB_USER\", \"u\\x73er\");\n"
        b"if ( ! defined('DB_PASSWORD') ) { define('DB_PASSWORD', 'it\\'s ' . \"\\\"new\\\"\"); }\n"
        b"defined('DB_HOST') or define('DB_HOST', 'db' . ':' . 3307);\n"
        b"$site = 'shop'; $table_prefix = $site . '_';\n",
        b"/srv/site",
        _never,
    )
    assert written.constants["DB_NAME"] == ["shop"]
    assert written.constants["DB_USER"] == ["user"]
    assert written.constants["DB_PASSWORD"] == ['it\'s "new"']
    assert written.constants["DB_HOST"] == ["db:3307"]
    assert written.variables["table_prefix"] == "shop_"


def test_php_settings_that_depend_on_the_server_keep_every_value() -> None:
    """Which branch is taken nobody knows who does not run it; the other one may be the right one."""
    written = read_php(
        b"<?php if ($_SERVER['HTTP_HOST'] === 'dev') { define('DB_NAME', 'a'); } else { define('DB_NAME', 'b'); }"
        b" define('DB_USER', getenv('USER'));",
        b"/srv/site",
        _never,
    )
    assert written.constants == {"DB_NAME": ["a", "b"]}


def test_php_settings_in_other_files_are_named_with_their_whole_path() -> None:
    """What a configuration includes may hold the account; where it stands is worked out."""
    written = read_php(
        b"<?php require_once __DIR__ . '/local.php'; include dirname(__FILE__) . '/b.php';"
        b" require dirname(__DIR__) . '/config/application.php'; require_once ABSPATH . 'wp-settings.php';"
        b" if ( ! defined('ABSPATH') ) { define('ABSPATH', __DIR__ . '/'); }",
        b"/srv/site/web",
        _never,
    )
    assert written.includes == [
        b"/srv/site/web//local.php",
        b"/srv/site/web//b.php",
        b"/srv/site/config/application.php",
        b"/srv/site/web/wp-settings.php",
    ]


def test_php_settings_of_garbage_are_none() -> None:
    """Whatever stands there, nothing is raised."""
    assert read_php(b"<?php define(" * 500 + b"\xff\0", b"/srv", _never).constants == {}


def test_environment_file_is_read_with_quotes_and_comments() -> None:
    """The file of Bedrock and of many others."""
    read = read_environment(
        b'# DB_NAME=no\nDB_NAME=\'shop\'\nexport DB_USER="a\\"b"\r\nDB_PASSWORD=x#y # a remark\n'
        b"  DB_HOST = db:3307\n=\n"
    )
    assert read == {"DB_NAME": "shop", "DB_USER": 'a"b', "DB_PASSWORD": "x#y", "DB_HOST": "db:3307"}
