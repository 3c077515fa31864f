"""What a healthy installation of each system may differ in, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scanners.packs.components import Component, ComponentKind


@dataclass(frozen=True, slots=True)
class Expectation:
    """What may be otherwise than published.

    Attributes:
        closed: folders in which nothing stands but what was published.
        strays: what stands there all the same, and means nothing.
        own: files that a site changes; judged like any other, and never said to be changed.
        removable: files that people remove.
        plain_lines: lines whose addition changes nothing.
    """

    closed: re.Pattern[bytes] | None = None
    strays: re.Pattern[bytes] = re.compile(rb"(?:^|/)(?:error_log|\.DS_Store|Thumbs\.db|\.gitkeep|\.well-known/.*)\Z")
    own: re.Pattern[bytes] = re.compile(rb"(?:^|/)(?:\.htaccess|robots\.txt)\Z")
    removable: re.Pattern[bytes] = re.compile(
        rb"(?:^|/)(?:readme|license|licence|licen[cz]ia|changelog|changes|history|install|upgrade|copying|credits|authors|"
        rb"release-notes)[^/]*\Z|(?:^|/)(?:docs?|tests?|examples?|\.github)/|\.(?:md|txt|po|pot|map)\Z|(?:^|/)\.[^/]+\Z",
        re.IGNORECASE,
    )
    plain_lines: re.Pattern[bytes] = re.compile(rb"\s*\Z")


WORDPRESS = Expectation(
    closed=re.compile(rb"wp-(?:admin|includes)/"),
    own=re.compile(
        rb"(?:wp-config(?:-sample)?\.php|\.htaccess|robots\.txt|readme\.html|licen[cs]\w*\.txt|favicon\.ico|"
        rb"wp-content/(?:plugins/|themes/)?index\.php)\Z"
    ),
    removable=re.compile(
        rb"(?:readme\.html|licen[cs]\w*\.txt|wp-config(?:-sample)?\.php|xmlrpc\.php|wp-admin/install(?:-helper)?\.php|"
        rb"wp-content/.*|\.htaccess)\Z"
    ),
    # A build in a language has these two things more than the other one in its version.php.
    plain_lines=re.compile(rb"\s*(?:\$wp_local_package = '[A-Za-z_]{2,12}';|/\*\*|\*/|\* ?[\w $@.,-]*)?\s*\Z"),
)
MEDIAWIKI = Expectation(
    closed=re.compile(rb"(?:includes|languages|maintenance|resources|mw-config)/"),
    own=re.compile(rb"(?:LocalSettings\.php|\.htaccess|robots\.txt|composer\.(?:json|lock)|vendor/.*)\Z"),
    removable=re.compile(
        rb"(?:mw-config|tests|docs|maintenance|extensions|skins|images|cache|LocalSettings\.php|config)(?:/.*)?\Z|"
        rb"[A-Z0-9._-]+(?:\.md|\.txt)?\Z"
    ),
)
JOOMLA = Expectation(
    closed=re.compile(rb"(?:libraries/src|libraries/vendor|administrator/includes|includes|api/includes)/"),
    own=re.compile(
        rb"(?:configuration\.php|\.htaccess|htaccess\.txt|robots\.txt(?:\.dist)?|web\.config(?:\.txt)?)\Z"
    ),
    removable=re.compile(rb"(?:installation/.*|[\w.-]+\.txt|language/.*|images/.*|templates/.*|web\.config\.txt)\Z"),
)
DRUPAL = Expectation(
    closed=re.compile(rb"(?:core|includes|misc)/"),
    own=re.compile(rb"(?:sites/.*|\.htaccess|robots\.txt|composer\.(?:json|lock)|web\.config|vendor/.*)\Z"),
    removable=re.compile(rb"(?:[\w.-]+\.(?:txt|md)|core/[\w.-]+\.txt|.*/tests/.*|sites/.*|core/install\.php)\Z"),
)
ANYTHING = Expectation()
CORES: Mapping[str, Expectation] = {
    "wordpress": WORDPRESS,
    "mediawiki": MEDIAWIKI,
    "joomla": JOOMLA,
    "drupal": DRUPAL,
}

SCRIPTS = re.compile(rb"\.(?:ph(?:p[0-9]?|tml|t|ar|ps)|inc|aspx?|jspx?|cgi|pl|py|sh|shtml)\Z", re.IGNORECASE)
"""How the names of files end that a server may run."""


def expectation(component: Component) -> Expectation:
    """Returns what is expected of a component."""
    return CORES.get(component.name, ANYTHING) if component.kind is ComponentKind.CORE else ANYTHING
