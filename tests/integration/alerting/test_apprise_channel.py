"""Apprise against a local server of its `json://` service."""

import asyncio
import json
import threading

import pytest
from aiohttp import web
from pydantic import ValidationError

from alerting.apprise import MAX_HANGING, AppriseChannel, AppriseOptions
from alerting.environment import ChannelEnvironment
from sentry.domain.errors import DeliveryError, DeliveryReason
from tests.fakes.messages import end_of, opening
from tests.integration.alerting.http_server import serving
from tests.integration.servers.loopback import LOOPBACK, free_port

# One of Apprise's services imports a module that Python 3.13 drops, and shims it where it is gone.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def channel(url: str, environment: ChannelEnvironment, **options: object) -> AppriseChannel:
    address = url.replace("http://", "json://")
    return AppriseChannel(
        "chat", AppriseOptions.model_validate({"url": address, "timeout_s": 5} | options), environment
    )


async def failure(channel: AppriseChannel) -> DeliveryError:
    """Sends and returns the error that this must raise."""
    with pytest.raises(DeliveryError) as caught:
        await channel.send(opening(), "")
    return caught.value


async def test_message_arrives_with_subject_text_and_type(environment: ChannelEnvironment) -> None:
    """An opening is a failure, an end a success."""
    message = opening()
    async with serving(200) as server:
        chat = channel(f"{server.url}/hook", environment)
        await chat.send(message, "")
        await chat.send(end_of(message), "")
    first, end = (json.loads(got.body) for got in server.received)
    assert first["title"] == message.subject
    assert first["message"].strip() == message.text.strip()
    assert (first["type"], end["type"]) == ("failure", "success")


@pytest.mark.parametrize("query", ["", "?redirect=yes"])
async def test_redirect_is_not_followed_even_where_the_url_asks_for_it(
    environment: ChannelEnvironment, query: str
) -> None:
    """Apprise has a switch for it in the URL; it is overruled."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{target.url}/elsewhere"})

    async with serving(200) as target, serving(redirect) as server:
        error = await failure(channel(f"{server.url}/hook{query}", environment))
    assert not target.received
    assert error.retryable


async def test_failure_is_retryable_and_keeps_the_url_secret(environment: ChannelEnvironment) -> None:
    """What Apprise says of it is shown without any part of the URL."""
    async with serving(500) as server:
        url = server.url.replace("http://", "http://user:t0psecret@")
        error = await failure(channel(f"{url}/t0psecret-path?+X-Token=t0psecret", environment))
    assert (error.reason, error.retryable) == (DeliveryReason.SERVER_ERROR, True)
    assert "500" in str(error)
    assert "t0psecret" not in str(error)


async def test_nobody_listening_is_a_failure(environment: ChannelEnvironment) -> None:
    """A refused connection comes back as a delivery error."""
    error = await failure(channel(f"http://{LOOPBACK}:{free_port()}/", environment))
    assert error.retryable


async def test_service_that_hangs_times_out_and_blocks_neither_loop_nor_further_messages(
    environment: ChannelEnvironment,
) -> None:
    """Each attempt has its own thread; beyond a handful of hanging ones it waits for them."""
    release = asyncio.Event()

    async def stall(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    async with serving(stall) as server:
        chat = channel(server.url, environment, timeout_s=0.3)
        for _ in range(MAX_HANGING):
            assert (await failure(chat)).reason is DeliveryReason.TIMEOUT
        begun = asyncio.get_running_loop().time()
        error = await failure(chat)
        assert asyncio.get_running_loop().time() - begun < 0.2
        assert "still hang" in str(error)
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "apprise")
        release.set()
        for _ in range(100):
            await asyncio.sleep(0.02)
            if not [thread for thread in threading.enumerate() if thread.name == "apprise"]:
                break
        await asyncio.sleep(0.05)
        await chat.send(opening(), "")


@pytest.mark.parametrize("url", ["nosuchservice://t0psecret", "t0psecret", "json://"])
def test_url_of_no_service_is_refused_without_being_shown(url: str) -> None:
    """The configuration says so before anything is sent."""
    with pytest.raises(ValidationError) as caught:
        AppriseOptions.model_validate({"url": url})
    assert "knows no service" in str(caught.value)
    assert "t0psecret" not in str(caught.value)
