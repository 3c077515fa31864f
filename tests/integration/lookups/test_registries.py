"""When a domain ends, asked of real servers: RDAP, then WHOIS by way of IANA's."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web

from sentry.lookups.download import Download
from sentry.lookups.public_names import PublicNames
from sentry.lookups.registries import WebRegistries
from sentry.lookups.whois import MAX_ANSWER_BYTES
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.resolver import as_written
from tests.integration.alerting.http_server import serving

ENDS = datetime(2027, 8, 13, 4, tzinfo=UTC)
EXPIRY = "Registry Expiry Date: 2027-08-13T04:00:00Z"


@dataclass
class World:
    """What the registries say, and what they were asked.

    Attributes:
        rdap: domain → its expiration, or a status.
        whois: what a question over WHOIS is answered with.
        private: whether they may stand at private addresses.
        down: whether IANA's list cannot be had.
    """

    rdap: dict[str, str | int] = field(default_factory=dict)
    whois: dict[str, str] = field(default_factory=dict)
    tops: tuple[str, ...] = ("example",)
    private: bool = True
    down: bool = False
    url: str = ""
    whois_port: int = 0
    asked: list[str] = field(default_factory=list)
    findings: MemoryObservations = field(default_factory=MemoryObservations)
    clock: ManualClock = field(default_factory=ManualClock)

    async def serve_web(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path == "/dns.json":
            listed = {"services": [[list(self.tops), [f"{self.url}/rdap/"]]]}
            return web.Response(status=503) if self.down else web.Response(body=json.dumps(listed).encode())
        domain = request.path.rpartition("/")[2]
        said = self.rdap.get(domain, 404)
        if isinstance(said, int):
            return web.Response(status=said)
        events = [{"eventAction": "expiration", "eventDate": said}]
        return web.Response(body=json.dumps({"ldhName": domain, "events": events}).encode())

    async def serve_whois(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = (await reader.readline()).decode().strip()
        self.asked.append(f"whois {question}")
        answer = self.whois.get(question, "No match")
        writer.write(answer.replace("SERVER", f"127.0.0.1:{self.whois_port}").encode())
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def registries(self) -> AsyncIterator[WebRegistries]:
        listener = await asyncio.start_server(self.serve_whois, "127.0.0.1", 0)
        self.whois_port = listener.sockets[0].getsockname()[1]
        download = Download(PublicNames(as_written, lambda: self.private), timeout_s=2)
        async with serving(self.serve_web) as server:
            self.url = server.url
            yield WebRegistries(
                download,
                self.findings,
                self.clock,
                bootstrap=lambda: f"{server.url}/dns.json",
                whois_server=lambda: f"127.0.0.1:{self.whois_port}",
            )
        await download.aclose()
        listener.close()
        await listener.wait_closed()


CANDIDATES = ("acme.example", "www.acme.example")
REFERRED: Mapping[str, str] = {"es": "refer: SERVER", "example": "refer: SERVER", "uk": "refer: SERVER"}


@pytest.mark.promise("002-08")
async def test_domain_is_asked_of_its_registry_by_rdap() -> None:
    """IANA's list names the server; it is had once and kept in the store."""
    world = World(rdap={"acme.example": "2027-08-13T04:00:00Z"})
    async with world.registries() as registries:
        for _ in range(2):
            found = await registries.ask(CANDIDATES)
    assert (found.domain, found.expires_at, found.why) == ("acme.example", ENDS, "")
    assert found.source == world.url.removeprefix("http://")
    assert world.asked == ["/dns.json", "/rdap/domain/acme.example", "/rdap/domain/acme.example"]
    assert (await world.findings.all("rdap"))["servers"].facts == {"example": f"{world.url}/rdap/"}


async def test_list_of_servers_serves_over_a_restart_and_a_failure() -> None:
    """The last one that could be had is better than none."""
    world = World(rdap={"acme.example": "2027-08-13T04:00:00Z"})
    async with world.registries() as registries:
        await registries.ask(CANDIDATES)
        kept = (await world.findings.all("rdap"))["servers"]
        world.clock.jump(30 * 86_400)
        world.down = True
        assert (await registries.ask(CANDIDATES)).expires_at == ENDS
        assert (await world.findings.all("rdap"))["servers"] == kept


@pytest.mark.promise("002-08")
@pytest.mark.parametrize("rdap", [503, "soon"], ids=["fails", "names no date"])
async def test_domain_whose_rdap_says_nothing_is_asked_of_whois(rdap: str | int) -> None:
    """The registry's WHOIS is found by way of IANA's."""
    world = World(rdap={"acme.example": rdap}, whois={**REFERRED, "acme.example": EXPIRY})
    async with world.registries() as registries:
        found = await registries.ask(CANDIDATES)
    assert (found.domain, found.expires_at, found.source) == ("acme.example", ENDS, "127.0.0.1")
    assert world.asked[-2:] == ["whois example", "whois acme.example"]


async def test_top_level_without_rdap_is_asked_of_whois_alone() -> None:
    """The referral is remembered."""
    world = World(whois={**REFERRED, "acme.es": EXPIRY})
    async with world.registries() as registries:
        for _ in range(2):
            assert (await registries.ask(("acme.es",))).expires_at == ENDS
    assert world.asked == ["/dns.json", "whois es", "whois acme.es", "whois acme.es"]


@pytest.mark.promise("002-08")
async def test_registry_that_names_no_date_leaves_the_domain_unknown() -> None:
    """As that of .es does: the answer says who said nothing."""
    world = World(whois={**REFERRED, "acme.es": "Esta IP no está autorizada"})
    async with world.registries() as registries:
        found = await registries.ask(("acme.es",))
    assert (found.domain, found.expires_at) == ("acme.es", None)
    assert "names no date" in found.why


@pytest.mark.parametrize("rdap", [404, 400])
async def test_registered_name_is_found_below_a_public_suffix(rdap: int) -> None:
    """No list of suffixes is needed: the registry does not know `co.uk`, and knows what is below it."""
    known: dict[str, str | int] = {"co.uk": rdap, "acme.co.uk": "2027-08-13T04:00:00Z"}
    world = World(known, {**REFERRED, "co.uk": "This domain cannot be registered"}, tops=("uk",))
    async with world.registries() as registries:
        found = await registries.ask(("co.uk", "acme.co.uk", "www.acme.co.uk"))
    assert (found.domain, found.expires_at) == ("acme.co.uk", ENDS)


async def test_whois_answer_without_end_is_cut_off() -> None:
    """A registry may send what it likes; what is read of it is bounded."""
    flood = "Registrar: x\n" * MAX_ANSWER_BYTES
    world = World(whois={**REFERRED, "acme.es": flood + EXPIRY})
    async with world.registries() as registries:
        assert (await registries.ask(("acme.es",))).expires_at is None


async def test_registries_at_private_addresses_are_not_asked() -> None:
    """A referral may name any host; none within our own network is asked."""
    world = World(private=False, whois={**REFERRED, "acme.es": EXPIRY})
    async with world.registries() as registries:
        found = await registries.ask(("acme.es",))
    assert found.expires_at is None
    assert found.why.endswith("127.0.0.1 leads to no public address")
    assert world.asked == []
