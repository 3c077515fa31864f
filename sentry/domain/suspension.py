"""A site that is closed to visitors while it is disinfected: for how long, and what its web server is told.

What is written stands between marks of ours, so that it can be taken out again to the byte, whatever else was changed
in the file meanwhile. It ends by itself with its lease, also where nobody comes back.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(days=15)
"""As promised; what lasts longer is a breach."""

WARNED_AFTER = timedelta(days=12)
COOKIE = "online_sentry"
RETRY_AFTER_S = 3600
_BEGIN, _END = "BEGIN online-sentry suspension", "END online-sentry suspension"
_BLOCK = re.compile(
    rb"(?P<mark>[#;]) " + _BEGIN.encode() + rb"(?P<new> \(new file\))?(?P<joined> \(line end added\))?\n"
    rb".*?\n(?P=mark) " + _END.encode() + rb"\n",
    re.DOTALL,
)


class Method(StrEnum):
    """How a web server is told."""

    HTACCESS = "htaccess"
    """Apache and LiteSpeed; at once."""
    USER_INI = "user_ini"
    """PHP behind FPM; within `user_ini.cache_ttl`, five minutes unless the server says otherwise."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A site that is closed.

    Attributes:
        began_at: when it was closed first; extending changes nothing of it.
        until: the end of its lease.
        token: opens the site to whoever has it as a cookie; letters and digits.
        cause, approver: why, and who approved of it.
        window: the key of the announced work.
        docroot: as its host has it.
    """

    site_key: str
    docroot: str
    method: Method
    token: str
    began_at: datetime
    until: datetime
    cause: str
    approver: str
    window: str = ""

    @property
    def limit(self) -> datetime:
        """Until when it may last at most."""
        return self.began_at + LONGEST

    def stage(self, now: datetime) -> int:
        """Returns 2 once it lasts longer than was promised, 1 once that is near, else 0."""
        return (now >= self.began_at + WARNED_AFTER) + (now >= self.limit)


def gate_name(suspension: Suspension) -> bytes:
    """Returns the name of the file that FPM is told to run first."""
    return f".online-sentry-gate-{suspension.token[:8]}.php".encode()


def gate(suspension: Suspension) -> bytes:
    """Returns PHP that closes the site to whoever has no token, until the lease ends."""
    return (
        "<?php\n"
        f"if (time() < {int(suspension.until.timestamp())} "
        f"&& !hash_equals('{suspension.token}', (string) ($_COOKIE['{COOKIE}'] ?? ''))) {{\n"
        "    http_response_code(503);\n"
        f"    header('Retry-After: {RETRY_AFTER_S}');\n"
        "    header('Cache-Control: no-store');\n"
        "    header('Content-Type: text/plain; charset=utf-8');\n"
        "    exit('This site is being worked on and will be back soon.');\n"
        "}\n"
    ).encode()


def closed(suspension: Suspension, before: bytes | None) -> bytes:
    """Returns what the server's settings become; a block of ours that stands there is replaced.

    Args:
        suspension: what is to be said.
        before: what stands there, None for no file.
    """
    site = opened(before) if before is not None else None
    # The last word counts in both kinds of settings, and a line that has no end must not run into ours.
    joined = bool(site) and not (site or b"").endswith(b"\n")
    flags = f"{' (new file)' if site is None else ''}{' (line end added)' if joined else ''}"
    mark, lines = (
        ("#", _htaccess(suspension)) if suspension.method is Method.HTACCESS else (";", _user_ini(suspension))
    )
    block = f"{mark} {_BEGIN}{flags}\n{lines}\n{mark} {_END}\n".encode()
    return (site or b"") + (b"\n" if joined else b"") + block


def opened(settings: bytes) -> bytes | None:
    """Returns settings without our block, to the byte as they were before; None where there was no file."""
    found = _BLOCK.search(settings)
    if found is None:
        return settings
    rest = settings[: found.start() - bool(found["joined"])] + settings[found.end() :]
    return None if found["new"] and not rest else rest


def nginx_snippet(suspension: Suspension) -> str:
    """Returns what an administrator of nginx may put into the site's `server` block."""
    return (
        f"if ($cookie_{COOKIE} != '{suspension.token}') {{ return 503; }}\n"
        f"add_header Retry-After {RETRY_AFTER_S} always;\n"
    )


def _htaccess(suspension: Suspension) -> str:
    """Returns directives that also close folders with rewrite rules of their own, as those of mod_rewrite would not.

    LiteSpeed knows no `<If>`. The server's clock shows local time, so the lease may end some hours early or late.
    """
    until = suspension.until.astimezone(UTC)
    cookie = f"(^|;\\s*){COOKIE}={suspension.token}(;|$)"
    return f"""ErrorDocument 503 "This site is being worked on and will be back soon."
<IfModule !LiteSpeed>
<If "! (%{{HTTP_COOKIE}} =~ /{cookie}/) && %{{TIME}} -lt {until:%Y%m%d%H%M%S}">
Redirect 503 /
<IfModule mod_headers.c>
Header always set Retry-After {RETRY_AFTER_S}
</IfModule>
</If>
</IfModule>
<IfModule LiteSpeed>
RewriteEngine On
RewriteCond %{{HTTP_COOKIE}} !{cookie}
RewriteCond %{{TIME}} <{until:%Y%m%d%H%M%S}
RewriteRule ^ - [R=503,L]
</IfModule>"""


def _user_ini(suspension: Suspension) -> str:
    return f'auto_prepend_file = "{suspension.docroot.rstrip("/")}/{gate_name(suspension).decode()}"'
