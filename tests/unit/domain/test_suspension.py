"""What is told to a web server can be taken out again to the byte, and fifteen days are the most."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.suspension import Method, Suspension, closed, gate, nginx_snippet, opened

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
SUSPENSION = Suspension(
    site_key="shop",
    docroot="/var/www/shop",
    method=Method.HTACCESS,
    token="a1" * 16,
    began_at=BEGAN,
    until=BEGAN + timedelta(days=3),
    cause="a shell",
    approver="Ana",
)


@pytest.mark.promise("001-42")
@given(before=st.none() | st.binary(max_size=200), method=st.sampled_from(Method))
def test_opened_gives_back_what_was_closed(before: bytes | None, method: Method) -> None:
    """Closing, closing for longer and opening again changes no byte, and leaves no file that was not there."""
    suspension = replace(SUSPENSION, method=method)

    once = closed(suspension, before)
    again = closed(replace(suspension, until=BEGAN + timedelta(days=9)), once)

    assert opened(once) == opened(again) == before


def test_opened_keeps_what_was_written_meanwhile() -> None:
    """Lines that others add while the site is closed stay, also in a file that is new."""
    assert opened(b"before\n" + closed(SUSPENSION, None) + b"after\n") == b"before\nafter\n"


def test_closed_settings_name_cookie_and_end() -> None:
    """Whoever has the cookie passes, and the lease is known to the server."""
    for text in (closed(SUSPENSION, None), gate(SUSPENSION)):
        assert SUSPENSION.token.encode() in text
        assert b"Retry-After" in text
    assert b"20261105090000" in closed(SUSPENSION, None)
    assert b"gate-a1a1a1a1.php" in closed(replace(SUSPENSION, method=Method.USER_INI), None)
    assert SUSPENSION.token in nginx_snippet(SUSPENSION)


@pytest.mark.promise("001-43")
@pytest.mark.parametrize(("days", "stage"), [(0, 0), (11.9, 0), (12, 1), (14.9, 1), (15, 2), (40, 2)])
def test_stage_warns_on_day_12_and_is_a_breach_on_day_15(days: float, stage: int) -> None:
    """Extending the lease moves neither day."""
    longer = replace(SUSPENSION, until=BEGAN + timedelta(days=100))

    assert SUSPENSION.stage(BEGAN + timedelta(days=days)) == longer.stage(BEGAN + timedelta(days=days)) == stage
