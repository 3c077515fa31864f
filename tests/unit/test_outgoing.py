"""Signatures of outgoing documents, and the example that the documentation gives to receivers."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentry.outgoing import message_identity, origin, signature_headers, verify_signature

NOW = datetime(2026, 11, 22, 2, 14, 41, tzinfo=UTC)
DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def documented_check() -> Callable[[str, dict[str, str], bytes], bool]:
    """The function that docs/webhooks.md tells receivers to use."""
    (source,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102  # our own documentation
    check: Callable[[str, dict[str, str], bytes], bool] = names["is_genuine"]
    return check


def test_signature_equals_the_example_of_the_specification() -> None:
    """Worked figure of the Standard Webhooks reference libraries."""
    headers = signature_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(min_size=1, max_size=40), st.binary(max_size=200))
def test_signature_verifies_with_its_own_secret_and_body_only(secret: str, body: bytes) -> None:
    """Any other byte or key is refused."""
    headers = signature_headers(secret, "msg_1", NOW, body)
    assert verify_signature(secret, headers, body, NOW)
    assert not verify_signature(secret + "x", headers, body, NOW)
    assert not verify_signature(secret, headers, body + b"x", NOW)
    assert not verify_signature(secret, headers | {"webhook-id": "msg_2"}, body, NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_signature_from_another_time_is_refused(minutes: int) -> None:
    """A recorded document cannot be sent again later."""
    headers = signature_headers("secret", "msg_1", NOW, b"{}")
    assert not verify_signature("secret", headers, b"{}", NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "headers", [{}, {"webhook-timestamp": "soon"}, {"webhook-timestamp": "9" * 30}, {"webhook-signature": "v1,é"}]
)
def test_verification_of_nonsense_is_false(headers: dict[str, str]) -> None:
    """Whatever a stranger sends is refused, never an error."""
    whole = signature_headers("secret", "msg_1", NOW, b"{}") | headers
    assert not verify_signature("secret", whole if headers else {}, b"{}", NOW)


def test_check_of_the_documentation_accepts_ours_and_refuses_others() -> None:
    """The snippet that receivers copy works as it stands."""
    check = documented_check()
    for secret in ("whsec_" + base64.b64encode(b"0" * 24).decode(), "any text of some length"):
        now = datetime.fromtimestamp(time.time(), UTC)
        headers = signature_headers(secret, "msg_1", now, b'{"a": 1}')
        assert check(secret, headers, b'{"a": 1}')
        assert not check(secret, headers, b'{"a": 2}')
        old = signature_headers(secret, "msg_1", now - timedelta(minutes=6), b"{}")
        assert not check(secret, old, b"{}")


def test_key_after_the_prefix_is_base64() -> None:
    """`whsec_` keys are decoded, as every library of the specification does."""
    headers = signature_headers("whsec_AAAA", "m", NOW, b"{}")
    signed = f"m.{int(NOW.timestamp())}.{{}}".encode()
    wanted = base64.b64encode(hmac.new(b"\0\0\0", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"


def test_identity_differs_between_stores_and_stays_over_attempts() -> None:
    """Incident 1 of a new store began at another time."""
    assert message_identity("1:1:opened:hook:", "a") == message_identity("1:1:opened:hook:", "a")
    assert message_identity("1:1:opened:hook:", "a") != message_identity("1:1:opened:hook:", "b")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@hooks.example/T0/B0/x?key=y#z", "https://hooks.example"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_origin_shows_the_host_and_nothing_else(url: str, shown: str) -> None:
    """Everything but scheme, host and port may be a secret."""
    assert origin(url) == shown
