"""What is kept of good answers, ten thousand a minute: little, and nothing twice."""

import asyncio
from dataclasses import fields, replace
from pathlib import Path

from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http import HttpProbe
from probes.http_checks import Demands
from sentry.domain.result import ProbeResult, Reason, Status
from tests.fakes.checks import make_check
from tests.integration.authority import Authority
from tests.integration.hostile_servers import Behaviour, Exchange, answer, page, serving
from tests.integration.probing import SLOT, make_environment

HEADERS = ("Server: nginx", "X-Request-Id: 17", "Last-Modified: Mon, 02 Nov 2026 09:00:00 GMT")


def as_the_agent(ca_file: Path | None = None) -> ProbeEnvironment:
    """An environment that keeps what the agent keeps."""
    return make_environment(ca_file=ca_file, whole_evidence=False)


def http_probe(url: str, environment: ProbeEnvironment, **options: object) -> HttpProbe:
    """A prepared probe."""
    settings = HttpProbe.Options.model_validate({"kind": "http", "timeout_s": 5, **options})
    return HttpProbe(make_check("site/http", options=settings, url=url), environment)


async def probed(probe: HttpProbe) -> ProbeResult:
    """The result of one more run."""
    result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
    probe.start(SLOT, result.set_result)
    return await result


def in_turn(*responses: bytes) -> Behaviour:
    """Gives one response after the other."""
    left = list(responses)

    async def behave(exchange: Exchange) -> None:
        await exchange.send(left.pop(0))

    return behave


async def test_good_answer_keeps_what_tells_a_change_and_no_more() -> None:
    """Neither log nor body nor the headers that nobody compares; the figures are all there."""
    async with serving(answer(page(b"hola", headers=HEADERS))) as server:
        result = await probed(http_probe(server.url(), as_the_agent()))
    assert result.status is Status.UP
    evidence = result.evidence
    assert (evidence.log, evidence.addresses) == ((), ("127.0.0.1",))
    assert evidence.http is not None
    assert evidence.http.headers == (("Server", "nginx"),)
    assert (evidence.http.status, evidence.http.body_head, evidence.http.uncompressed_bytes) == (200, "", 4)
    assert evidence.http.last_modified is not None
    assert [hop.status for hop in evidence.http.hops] == [200]


async def test_good_answer_hides_our_secret_where_the_server_echoes_it() -> None:
    """The Server header of a good answer is kept and told when it changes; our own token must not be in it."""
    async with serving(answer(page(headers=("Server: you said s3cret-token",)))) as server:
        result = await probed(http_probe(server.url(), as_the_agent(), bearer_token="s3cret-token"))  # a test's
    assert result.evidence.http is not None
    assert result.evidence.http.headers == (("Server", "you said [redacted]"),)


async def test_failed_answer_keeps_its_log_and_its_body() -> None:
    """The failure report needs both, however little a good answer keeps."""
    async with serving(answer(page(b"database error", status=500, headers=HEADERS))) as server:
        result = await probed(http_probe(server.url(), as_the_agent()))
    assert result.reason is Reason.HTTP_SERVER_ERROR
    assert result.evidence.http is not None
    assert result.evidence.http.body_head == "database error"
    assert ("X-Request-Id", "17") in result.evidence.http.headers
    assert any("answers 500" in line for line in result.evidence.log)


async def test_good_answer_like_the_last_is_the_same_object(tmp_path: Path) -> None:
    """The same page and the same certificate take no memory twice; another page is seen as another."""
    root = Authority.root()
    tls = root.intermediate().leaf("site.test").server_context()
    same, other = page(b"hola", headers=HEADERS), page(b"adios", headers=HEADERS)
    async with serving(in_turn(same, same, other), tls=tls) as server:
        probe = http_probe(server.url(), as_the_agent(root.write(tmp_path / "ca.pem")))
        first, second, third = [(await probed(probe)).evidence for _ in range(3)]
    assert first.http is second.http
    assert first.tls is second.tls is third.tls
    assert third.http is not None
    assert third.http.uncompressed_bytes == 5


class CountedDemands(Demands):
    """Demands that count how often a body is searched."""

    searched = 0

    def of_body(self, body: bytes, content_type: str | None) -> ProbeFailure | None:
        """Counts, and searches."""
        type(self).searched += 1
        return super().of_body(body, content_type)


async def test_body_that_was_judged_is_not_searched_again() -> None:
    """A body is known by its hash: good or bad, the same one has the same verdict; another one is searched."""
    good, bad = page(b"All systems OK"), page(b"database error")
    async with serving(in_turn(good, good, bad, bad, good)) as server:
        probe = http_probe(server.url(), as_the_agent(), expect_text="All systems OK")
        probe.demands = CountedDemands(**{one.name: getattr(probe.demands, one.name) for one in fields(Demands)})
        results = [await probed(probe) for _ in range(5)]
    missing = Reason.BODY_TEXT_MISSING
    assert [result.reason for result in results] == [None, None, missing, missing, None]
    assert results[2].detail == results[3].detail == "text 'All systems OK' is not in the body (14 bytes)"
    assert CountedDemands.searched == 3


async def test_body_of_another_character_set_is_judged_anew() -> None:
    """The same bytes hold another text where Content-Type says so."""
    body = "dirección".encode("latin-1")
    latin = page(body, headers=("Content-Type: text/html; charset=iso-8859-1",))
    utf8 = page(body, headers=("Content-Type: text/html; charset=utf-8",))
    async with serving(in_turn(latin, utf8, latin)) as server:
        probe = http_probe(server.url(), as_the_agent(), expect_text="dirección")
        reasons = [(await probed(probe)).reason for _ in range(3)]
    assert reasons == [None, Reason.BODY_TEXT_MISSING, None]


async def test_what_probe_shows_is_kept_whole() -> None:
    """`online-sentry probe --explain` shows the log and the body of a good answer."""
    async with serving(answer(page(b"hola", headers=HEADERS))) as server:
        result = await probed(http_probe(server.url(), replace(as_the_agent(), whole_evidence=True)))
    assert result.evidence.http is not None
    assert result.evidence.http.body_head == "hola"
    assert any(line.startswith("connected to 127.0.0.1:") for line in result.evidence.log)
