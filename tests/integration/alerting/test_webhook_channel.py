"""Webhooks against a real HTTP server: what arrives, how it is signed, and what each failure is called."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from alerting.environment import ChannelEnvironment
from alerting.webhook import WebhookChannel, WebhookOptions
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.outgoing import verify_signature
from tests.fakes.messages import end_of, opening
from tests.integration.alerting.http_server import Answer, serving
from tests.integration.servers.loopback import LOOPBACK, free_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def channel(url: str, environment: ChannelEnvironment, **options: object) -> WebhookChannel:
    return WebhookChannel("hook", WebhookOptions.model_validate({"url": url, "timeout_s": 5} | options), environment)


async def failure(channel: WebhookChannel) -> DeliveryError:
    """Sends and returns the error that this must raise."""
    with pytest.raises(DeliveryError) as caught:
        await channel.send(opening(), "")
    return caught.value


async def test_document_arrives_signed_and_verifies(environment: ChannelEnvironment) -> None:
    """The receiver can check origin and freshness, and sees every fact as JSON."""
    message = opening()
    async with serving() as server:
        await channel(f"{server.url}/hook?token=t0psecret", environment, secret=SECRET).send(message, "")
    (got,) = server.received
    now = datetime.now(UTC)
    assert verify_signature(SECRET, got.headers, got.body, now)
    assert not verify_signature("another secret, as long", got.headers, got.body, now)
    assert not verify_signature(SECRET, got.headers, got.body + b" ", now)
    assert not verify_signature(SECRET, got.headers, got.body, now + timedelta(minutes=6))
    assert got.headers["idempotency-key"] == message.key
    assert got.headers["content-type"] == "application/json"
    document = json.loads(got.body)
    assert document["version"] == 1
    assert document["kind"] == "opened"
    assert document["subject"] == message.subject
    assert document["facts"]["cause"] == "error 503"
    assert document["labels"]["site"] == "acme-shop"
    assert datetime.fromisoformat(document["starts_at"]) == message.starts_at
    assert document["ends_at"] is None


async def test_every_attempt_of_a_message_has_one_identity_and_the_end_another(
    environment: ChannelEnvironment,
) -> None:
    """Receivers drop repetitions by `webhook-id` or `Idempotency-Key`; each attempt is signed anew."""
    first = opening()
    async with serving() as server:
        hook = channel(server.url, environment)
        await hook.send(first, "")
        await hook.send(first, "")
        await hook.send(end_of(first), "")
    one, again, end = ((got.headers["webhook-id"], got.headers["idempotency-key"]) for got in server.received)
    assert one == again
    assert one[0] != end[0]
    assert one[1] != end[1]


async def test_further_headers_go_out_as_configured(environment: ChannelEnvironment) -> None:
    """For receivers that want a bearer token."""
    async with serving() as server:
        await channel(server.url, environment, headers={"Authorization": "Bearer abc"}).send(opening(), "")
    assert server.received[0].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (301, DeliveryReason.MISCONFIGURED, False),
        (400, DeliveryReason.REJECTED, False),
        (401, DeliveryReason.AUTHENTICATION, False),
        (403, DeliveryReason.AUTHENTICATION, False),
        (404, DeliveryReason.REJECTED, False),
        (408, DeliveryReason.TIMEOUT, True),
        (429, DeliveryReason.RATE_LIMITED, True),
        (500, DeliveryReason.SERVER_ERROR, True),
        (503, DeliveryReason.SERVER_ERROR, True),
    ],
)
async def test_answer_says_whether_to_try_again(
    environment: ChannelEnvironment, status: int, reason: DeliveryReason, retryable: bool
) -> None:
    """2xx accepts; 408, 425, 429 and 5xx ask to come again; everything else is final."""
    async with serving(status) as server:
        error = await failure(channel(server.url, environment))
    assert (error.reason, error.retryable) == (reason, retryable)


async def test_redirect_is_not_followed(environment: ChannelEnvironment) -> None:
    """A redirect could carry an alert to a machine that nobody meant."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{target.url}/elsewhere"})

    async with serving() as target, serving(redirect) as server:
        error = await failure(channel(server.url, environment))
    assert (error.reason, error.retryable) == (DeliveryReason.MISCONFIGURED, False)
    assert not target.received


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("120", 120, 120), ("Fri, 31 Dec 2199 23:59:59 GMT", 1e9, 1e10), ("soon", None, None), ("9" * 40, None, None)],
)
async def test_retry_after_is_read_as_seconds_or_date(
    environment: ChannelEnvironment, header: str, low: float | None, high: float | None
) -> None:
    """Both forms of RFC 9110; nonsense counts as absent. The service bounds it."""

    async def busy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": header})

    async with serving(busy) as server:
        error = await failure(channel(server.url, environment))
    if low is None or high is None:
        assert error.retry_after_s is None
    else:
        assert error.retry_after_s is not None
        assert low <= error.retry_after_s <= high


async def test_slow_server_times_out(environment: ChannelEnvironment) -> None:
    """The time-out holds over everything, also where headers come at once and the body never ends."""

    async def stall(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return web.Response()

    async with serving(stall) as server:
        error = await failure(channel(server.url, environment, timeout_s=0.2))
    assert (error.reason, error.retryable) == (DeliveryReason.TIMEOUT, True)


def endless(status: int) -> Answer:
    """An answer whose body goes on as long as somebody reads it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for _ in range(100_000):
            await response.write(b"x" * 65536)
        return response

    return answer


@pytest.mark.parametrize("status", [200, 500])
async def test_huge_answer_is_read_a_little_and_then_left(environment: ChannelEnvironment, status: int) -> None:
    """Six gigabytes of answer cost neither memory nor time."""
    begun = asyncio.get_running_loop().time()
    async with serving(endless(status)) as server:
        if status == 200:
            await channel(server.url, environment).send(opening(), "")
        else:
            error = await failure(channel(server.url, environment))
            assert len(str(error)) < 500
    assert asyncio.get_running_loop().time() - begun < 3


async def test_refusal_carries_what_the_server_says_as_one_inert_line(environment: ChannelEnvironment) -> None:
    """The reader of the log sees why, and no control characters."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=422, text="field 'x'\n\x1b[31mis missing\x00")

    async with serving(refuse) as server:
        error = await failure(channel(server.url, environment))
    assert str(error).endswith("answered 422: field 'x' [31mis missing")


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 banana\r\n\r\n", b""])
async def test_server_that_speaks_no_http_is_unreachable_and_the_token_stays_secret(
    environment: ChannelEnvironment, garbage: bytes
) -> None:
    """Errors name the host, never the path or the query."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    error = await failure(channel(f"http://{LOOPBACK}:{port}/hook/t0psecret?key=t0psecret", environment))
    server.close()
    assert (error.reason, error.retryable) == (DeliveryReason.UNREACHABLE, True)
    assert str(error).startswith(f"http://{LOOPBACK}:{port}: ")
    assert "t0psecret" not in str(error)


async def test_nobody_listening_is_unreachable(environment: ChannelEnvironment) -> None:
    """Refused connections are tried again."""
    error = await failure(channel(f"http://{LOOPBACK}:{free_port()}/t0psecret", environment))
    assert (error.reason, error.retryable) == (DeliveryReason.UNREACHABLE, True)
    assert "t0psecret" not in str(error)


async def test_https_without_tls_on_the_other_side_is_a_tls_failure(environment: ChannelEnvironment) -> None:
    """The wrong scheme is named for what it is."""
    async with serving() as server:
        error = await failure(channel(server.url.replace("http:", "https:"), environment))
    assert error.reason is DeliveryReason.TLS
