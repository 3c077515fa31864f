"""Names of authorities and registries that nobody answers."""

import asyncio
import socket
import threading

import pytest

from probes.resolver import AiodnsResolver
from sentry.clock import SystemClock
from sentry.domain.errors import LookupFailed
from sentry.lookups.download import Download
from sentry.lookups.public_names import PublicNames

MANY = 40
"""More than a machine's loop has threads."""


async def test_names_that_nobody_answers_hold_no_thread() -> None:
    """While the resolvers are dead, what else runs in threads (metrics, pages) is not held up by look-ups."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = AiodnsResolver(SystemClock(), [f"127.0.0.1:{silent.getsockname()[1]}"], timeout_s=0.2, tries=1)
        download = Download(PublicNames(resolver.addresses, lambda: True), timeout_s=1)
        asked = [asyncio.create_task(download.get(f"http://a{number}.test/", max_bytes=1)) for number in range(MANY)]
        silent.settimeout(0)
        await asyncio.get_running_loop().sock_recv(silent, 512)  # the first question has come

        threads = await asyncio.to_thread(threading.enumerate)
        assert [thread.name for thread in threads if thread.name.startswith("asyncio_")] == ["asyncio_0"]

        answers = await asyncio.gather(*asked, return_exceptions=True)
        await download.aclose()
        await resolver.close()
    assert len(answers) == MANY
    assert all(isinstance(answer, Exception) for answer in answers)


async def test_download_from_a_name_without_an_address_says_so() -> None:
    """The reason is that of the name, not of some socket."""

    async def nowhere(name: str) -> list[str]:
        raise LookupFailed(f"{name} does not exist")

    download = Download(PublicNames(nowhere, lambda: True), timeout_s=1)
    try:
        with pytest.raises(LookupFailed, match=r"authority\.test does not exist"):
            await download.get("http://authority.test/", max_bytes=1)
    finally:
        await download.aclose()
