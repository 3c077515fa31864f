"""What a failure report calls the thing that was looked at."""

import pytest

from probes import KINDS

SITE = "https://shop.acme.test/"


@pytest.mark.parametrize(
    ("options", "watched"),
    [
        ({"kind": "http"}, SITE),
        ({"kind": "http", "url": "/status?token=3f1c"}, "https://shop.acme.test/status"),
        ({"kind": "http", "url": "http://bob:pw@api.acme.test:8080/v1"}, "http://api.acme.test:8080/v1"),
        ({"kind": "tls"}, SITE),
        ({"kind": "tls", "port": 993}, "tls://shop.acme.test:993"),
        ({"kind": "tls", "host": "2001:db8::7", "port": 443}, "tls://[2001:db8::7]:443"),
        ({"kind": "tcp", "port": 3306}, "tcp://shop.acme.test:3306"),
        ({"kind": "tcp", "host": "mail.acme.test", "port": 465, "tls": True}, "tls://mail.acme.test:465"),
        ({"kind": "dns"}, SITE),
        ({"kind": "dns", "query_name": "acme.test"}, "dns://acme.test"),
        ({"kind": "icmp"}, SITE),
        ({"kind": "icmp", "host": "2001:db8::7"}, "icmp://[2001:db8::7]"),
        ({"kind": "heartbeat", "every_s": 60}, SITE),
    ],
)
def test_watched_url_names_what_the_check_looks_at_without_secrets(options: dict[str, object], watched: str) -> None:
    """A database port that refuses is not reported as the web site, and the evidence is taken where it failed."""
    parsed = KINDS[str(options["kind"])].Options.model_validate(options)
    assert parsed.watched_url(SITE) == watched
