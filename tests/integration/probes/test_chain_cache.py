"""The short ways to a verified connection, rtls and the verified-chain cache, on sites that change under them."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from probes import KINDS
from probes.tls_library import TlsChoice
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.checks import make_check
from tests.integration.authority import Authority, Identity, self_signed, server_with_swapped_key
from tests.integration.probing import SLOT, make_environment
from tests.integration.tls_stage import (
    TlsStage,
    close,
    hang_up,
    reset,
    say,
    shake_and,
    silent,
    talk_nonsense,
    tls_stage,
)

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")
STRANGER = Authority.root("Stranger Root")
SHOP = INTERMEDIATE.leaf("shop.test")

WAYS = {"rtls": TlsChoice("rtls"), "cache": TlsChoice("ssl", 3600)}
LONG_WAY = TlsChoice()

every_way = pytest.mark.parametrize("way", WAYS)


class Watcher:
    """Prepares one check, as the agent does, and probes it again and again."""

    def __init__(
        self, stage: TlsStage, ca_file: Path, choice: TlsChoice, *, kind: str = "http", **options: object
    ) -> None:
        host = str(options.pop("host", "shop.test"))
        settings = KINDS[kind].Options.model_validate({"kind": kind, "timeout_s": 5, **options})
        environment = replace(make_environment(ca_file=ca_file), tls=choice)
        self._probe = KINDS[kind](make_check(f"site/{kind}", options=settings, url=stage.url(host)), environment)

    async def probe(self) -> ProbeResult:
        result: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
        self._probe.start(SLOT, result.set_result)
        return await result


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    return ROOT.write(tmp_path / "ca.pem")


def rejudged(result: ProbeResult) -> bool:
    """Whether the standard library had to judge again."""
    return result.evidence.values.get("tls_rejudged") == 1


def said(result: ProbeResult) -> tuple[object, ...]:
    """What a result says of a site, without what differs from one probe to the next."""
    tls = result.evidence.tls
    shown = (tls.verified, tls.error, tls.version, [one.fingerprint_sha256 for one in tls.chain]) if tls else None
    return result.status, result.reason, result.failed_phase, result.detail, shown


async def warmed(stage: TlsStage, ca_file: Path, choice: TlsChoice, **options: object) -> Watcher:
    """Returns a check whose chain was verified and whose short way is open."""
    watcher = Watcher(stage, ca_file, choice, **options)  # type: ignore[arg-type]  # options of the check
    for _ in range(2):
        result = await watcher.probe()
        assert (result.status, rejudged(result)) == (Status.UP, False), result.detail
    return watcher


async def long_way(stage: TlsStage, ca_file: Path, **options: object) -> ProbeResult:
    """Returns what the standard library alone says of a site."""
    return await Watcher(stage, ca_file, LONG_WAY, **options).probe()  # type: ignore[arg-type]  # as above


@every_way
@pytest.mark.parametrize("kind", ["http", "tls"])
async def test_short_way_says_of_a_good_site_what_the_long_one_says(way: str, kind: str, ca_file: Path) -> None:
    """Status, phases, version, cipher, chain and expiry are the same on either way, probe after probe."""
    with tls_stage(SHOP.server_context()) as stage:
        expected = await long_way(stage, ca_file, kind=kind)
        watcher = Watcher(stage, ca_file, WAYS[way], kind=kind)
        results = [await watcher.probe() for _ in range(4)]
    for result in results:
        assert said(result) == said(expected)
        assert set(result.phases) == set(expected.phases)
        assert result.evidence.tls == expected.evidence.tls
        assert result.evidence.values == expected.evidence.values
    assert expected.status is Status.UP
    assert stage.rustls_hellos == (3 if way == "rtls" else 0)
    assert len(stage.hellos) == 5


def with_root(authority: Authority) -> Identity:
    """A leaf that is sent with the root that issued it."""
    leaf = authority.leaf("shop.test")
    return Identity(leaf.certificate, leaf.key, (authority.certificate,))


BAD: dict[str, Callable[[], ssl.SSLContext]] = {
    "wrong CA": lambda: STRANGER.leaf("shop.test").server_context(),
    "wrong CA with its root": lambda: with_root(STRANGER).server_context(),
    "wrong host": lambda: INTERMEDIATE.leaf("other.test").server_context(),
    "expired leaf": lambda: INTERMEDIATE.leaf("shop.test", days=(-90, -3.01)).server_context(),
    "leaf not yet valid": lambda: INTERMEDIATE.leaf("shop.test", days=(3.01, 90)).server_context(),
    "expired intermediate": lambda: ROOT.intermediate("Old", days=(-400, -1.01)).leaf("shop.test").server_context(),
    "swapped leaf, self-signed": lambda: self_signed("shop.test").server_context(),
    "swapped key": lambda: server_with_swapped_key(SHOP),
    "missing intermediate": lambda: SHOP.server_context(with_intermediates=False),
    "wrong intermediate": lambda: Identity(
        SHOP.certificate, SHOP.key, ROOT.intermediate("Earlier").above
    ).server_context(),
}


@every_way
@pytest.mark.parametrize("bad", BAD)
async def test_bad_certificate_within_the_life_is_refused_as_on_the_long_way(
    way: str, bad: str, ca_file: Path
) -> None:
    """A site that turns bad while its good chain is remembered gets the very verdict of the standard library."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way])
        stage.show(BAD[bad]())
        asked = len(stage.requests)
        result = await watcher.probe()
        again = await watcher.probe()
        expected = await long_way(stage, ca_file)
        assert not any(stage.requests[asked:]), "no request may reach a server that is not verified"
        stage.show(SHOP.server_context())
        mended = await watcher.probe()
    assert said(result) == said(again) == said(expected)
    assert (result.status, result.failed_phase) == (Status.DOWN, Phase.TLS)
    assert (rejudged(result), rejudged(again), rejudged(mended)) == (True, False, False)
    assert mended.status is Status.UP


@every_way
async def test_swapped_leaf_of_the_same_authority_is_verified_anew(way: str, ca_file: Path) -> None:
    """A renewed certificate is judged in full, is good, and shows itself in the evidence at once."""
    renewed = INTERMEDIATE.leaf("shop.test", days=(-1, 30))
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way])
        stage.show(renewed.server_context())
        result = await watcher.probe()
        hellos = stage.rustls_hellos
        after = await watcher.probe()
    assert result.status is Status.UP
    assert rejudged(result)
    assert result.evidence.tls is not None
    assert result.evidence.tls.chain[0].fingerprint_sha256 == renewed.fingerprint
    assert (after.status, rejudged(after)) == (Status.UP, False)
    assert stage.rustls_hellos == hellos, "after a doubt the name takes the long way"


@every_way
async def test_certificate_that_expires_within_the_life_is_refused(way: str, tmp_path: Path) -> None:
    """The chain stays the same, byte for byte, and time passes: leaf, intermediate and root each end it."""
    parts = ("leaf", "intermediate", "root")
    watched: list[tuple[TlsStage, Path, Watcher]] = []
    with ExitStack() as stages:
        for mortal in parts:
            days = {part: (-1.0, 3 / 86_400) if part == mortal else (-1.0, 90.0) for part in parts}
            root = Authority.root("Mortal Root", days=days["root"])
            leaf = root.intermediate(days=days["intermediate"]).leaf("shop.test", days=days["leaf"])
            ca_file = root.write(tmp_path / f"{mortal}.pem")
            stage = stages.enter_context(tls_stage(leaf.server_context()))
            watcher = await warmed(stage, ca_file, WAYS[way], kind="tls", min_days_left=0)
            watched.append((stage, ca_file, watcher))
        await asyncio.sleep(4)
        for stage, ca_file, watcher in watched:
            result = await watcher.probe()
            expected = await long_way(stage, ca_file, kind="tls", min_days_left=0)
            assert (result.status, result.reason) == (Status.DOWN, Reason.TLS_EXPIRED)
            assert said(result)[:3] == said(expected)[:3]


MANNERS = {
    "close": close,
    "reset": reset,
    "plain HTTP": say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "alert": say(b"\x15\x03\x03\x00\x02\x02\x28"),
    "farewell": say(b"\x15\x03\x03\x00\x02\x01\x00"),
    "nonsense after the handshake": shake_and(SHOP.server_context(), talk_nonsense),
    "close after the handshake": shake_and(SHOP.server_context(), hang_up),
}


@every_way
@pytest.mark.parametrize("manners", MANNERS)
async def test_broken_handshake_is_judged_by_the_standard_library(way: str, manners: str, ca_file: Path) -> None:
    """Whatever breaks on the short way, verdict, phase and words are those of the long one."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way])
        stage.manners = MANNERS[manners]
        result = await watcher.probe()
        expected = await long_way(stage, ca_file)
    assert said(result)[:3] == said(expected)[:3]
    assert result.status is Status.DOWN
    assert rejudged(result)


@every_way
@pytest.mark.parametrize("manners", MANNERS)
async def test_short_way_that_breaks_once_is_no_failure(way: str, manners: str, ca_file: Path) -> None:
    """Where the standard library then finds the site good, it is good, and the phases are of that attempt."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way])
        usual, broken = stage.manners, MANNERS[manners]

        def once(accepted: object) -> None:
            stage.manners = usual
            broken(accepted)  # type: ignore[arg-type]  # the socket, passed on

        stage.manners = once
        result = await watcher.probe()
    assert (result.status, result.reason) == (Status.UP, None)
    assert rejudged(result)
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER}
    assert result.evidence.http is not None
    assert len(result.evidence.http.hops) == 1


@every_way
async def test_silence_on_the_short_way_leaves_time_for_the_judge(way: str, ca_file: Path) -> None:
    """A handshake that hangs is given up after a quarter of the deadline; a site that answers then is up."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way], timeout_s=2)
        usual = stage.manners

        def once(accepted: object) -> None:
            stage.manners = usual
            silent(accepted)  # type: ignore[arg-type]  # the socket, passed on

        stage.manners = once
        result = await watcher.probe()
        assert (result.status, rejudged(result)) == (Status.UP, True)
        assert result.phases[Phase.TLS] < 0.4
        stage.manners = silent
        hanging = Watcher(stage, ca_file, WAYS[way], timeout_s=1)
        late = await hanging.probe()
    assert (late.status, late.reason, late.failed_phase) == (Status.DOWN, Reason.TLS_TIMEOUT, Phase.TLS)


@every_way
async def test_silence_in_both_attempts_is_a_tls_timeout_in_the_deadline(way: str, ca_file: Path) -> None:
    """A site that hangs is a TLS time-out, at the deadline of the check and not after a second one."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way], timeout_s=1)
        stage.manners = silent
        result = await watcher.probe()
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.TLS_TIMEOUT, Phase.TLS)
    assert 0.9 < result.duration_s < 1.5
    assert rejudged(result)


@pytest.mark.parametrize("way", [*WAYS, "long"])
async def test_farewell_without_the_end_of_the_connection_ends_the_body(way: str, ca_file: Path) -> None:
    """A body that ends with the farewell of TLS alone is complete, whoever closes the connection afterwards."""

    def linger(secured: ssl.SSLSocket) -> None:
        secured.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        secured.unwrap()  # waits for the probe's own farewell, or its end

    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS.get(way, LONG_WAY))
        stage.manners = shake_and(SHOP.server_context(), linger)
        result = await watcher.probe()
    assert (result.status, rejudged(result)) == (Status.UP, False)
    assert result.evidence.http is not None
    assert result.evidence.http.uncompressed_bytes == len("all of it")


@every_way
async def test_large_body_is_read_whole_on_the_short_way(way: str, ca_file: Path) -> None:
    """A body of many records arrives as it was sent."""
    body = bytes(range(256)) * 3000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with tls_stage(SHOP.server_context()) as stage:
        stage.show(SHOP.server_context(), answer)
        watcher = await warmed(stage, ca_file, WAYS[way])
        result = await watcher.probe()
    assert result.evidence.http is not None
    assert result.evidence.http.uncompressed_bytes == len(body)


@every_way
@pytest.mark.parametrize("host", ["127.0.0.1", "a.wild.test", "xn--bcher-kva.test", "SHOP.test"])
async def test_names_of_every_form_take_the_short_way(way: str, host: str, ca_file: Path) -> None:
    """Addresses, wildcards, encoded international names and capitals are verified on either way."""
    leaf = INTERMEDIATE.leaf("shop.test", "*.wild.test", "127.0.0.1", "xn--bcher-kva.test")
    with tls_stage(leaf.server_context()) as stage:
        await warmed(stage, ca_file, WAYS[way], host=host)
    assert stage.rustls_hellos == (1 if way == "rtls" else 0)


@every_way
async def test_name_that_only_rtls_accepts_is_refused(way: str, ca_file: Path) -> None:
    """To rustls `shop.test.` is `shop.test`; to OpenSSL it is not, and it is OpenSSL that opens the short way."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = Watcher(stage, ca_file, WAYS[way], kind="tls", server_name="shop.test.")
        results = [await watcher.probe() for _ in range(3)]
    assert {result.reason for result in results} == {Reason.TLS_WRONG_HOST}
    assert stage.rustls_hellos == 0


async def test_server_that_rtls_cannot_speak_with_is_up_and_left_to_the_standard_library(ca_file: Path) -> None:
    """A server of old ciphers costs one double handshake, then none."""
    old = SHOP.server_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    with tls_stage(old) as stage:
        watcher = Watcher(stage, ca_file, WAYS["rtls"])
        results = [await watcher.probe() for _ in range(4)]
    assert [(one.status, rejudged(one)) for one in results] == [
        (Status.UP, False),
        (Status.UP, True),
        (Status.UP, False),
        (Status.UP, False),
    ]
    assert (len(stage.hellos), stage.rustls_hellos) == (5, 1)


@every_way
async def test_client_certificate_takes_the_long_way(way: str, ca_file: Path, tmp_path: Path) -> None:
    """What is shown to a server is shown to a verified one only; with a client certificate nothing is shortened."""
    client = INTERMEDIATE.leaf("client.test").write(tmp_path / "client.pem")
    with tls_stage(SHOP.server_context(clients_of=ROOT)) as stage:
        watcher = Watcher(stage, ca_file, WAYS[way], client_cert_file=client)
        results = [await watcher.probe() for _ in range(3)]
        assert [one.status for one in results] == [Status.UP] * 3, results[0].detail
        stage.show(STRANGER.leaf("shop.test").server_context(clients_of=ROOT))
        refused = await watcher.probe()
    assert (refused.reason, rejudged(refused)) == (Reason.TLS_UNTRUSTED, False)
    assert stage.rustls_hellos == 0


@every_way
async def test_unverified_check_takes_the_long_way(way: str, ca_file: Path) -> None:
    """Where nothing is verified there is nothing to remember."""
    with tls_stage(self_signed("shop.test").server_context()) as stage:
        watcher = Watcher(stage, ca_file, WAYS[way], verify_tls=False)
        results = [await watcher.probe() for _ in range(3)]
    assert [one.status for one in results] == [Status.UP] * 3
    assert stage.rustls_hellos == 0


@every_way
async def test_removed_root_counts_for_a_check_prepared_anew(way: str, ca_file: Path) -> None:
    """A root taken out of the file is trusted for the rest of a life, and no longer once the check is reloaded."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = await warmed(stage, ca_file, WAYS[way])
        STRANGER.write(ca_file)
        within_its_life = await watcher.probe()
        reloaded = await Watcher(stage, ca_file, WAYS[way]).probe()
    assert within_its_life.status is Status.UP
    assert reloaded.reason is Reason.TLS_UNTRUSTED


async def test_agent_told_nothing_remembers_nothing(ca_file: Path) -> None:
    """Without a choice every probe is verified in full by the standard library."""
    with tls_stage(SHOP.server_context()) as stage:
        watcher = Watcher(stage, ca_file, LONG_WAY)
        good = [await watcher.probe() for _ in range(3)]
        stage.show(STRANGER.leaf("shop.test").server_context())
        bad = await watcher.probe()
    assert [one.status for one in good] == [Status.UP] * 3
    assert (bad.reason, rejudged(bad)) == (Reason.TLS_UNTRUSTED, False)
    assert len(stage.hellos) == 5  # the second look of the refused one
