"""The tls probe on real TLS servers with an authority of the tests' own."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, ProbeResult, Reason, Status
from tests.fakes.resolver import TableResolver
from tests.integration.authority import Authority, Identity, self_signed, small_key
from tests.integration.hostile_servers import (
    answer,
    full_backlog,
    hang_up,
    never,
    page,
    refused_port,
    reset,
    serving,
    serving_raw,
)
from tests.integration.probing import gauges, make_environment, probe_once

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    return ROOT.write(tmp_path / "ca.pem")


async def probe_identity(
    identity: Identity, ca_file: Path, *, complete: bool = True, min_days_left: int = 14
) -> ProbeResult:
    """Shows an identity for shop.test and returns what the probe says of it."""
    context = identity.server_context(with_intermediates=complete)
    async with serving(answer(page()), tls=context) as server:
        return await probe_once(
            server.url("shop.test"), kind="tls", ca_file=ca_file, options={"min_days_left": min_days_left}
        )


async def test_tls_good_chain_is_up_with_phases_and_chain(ca_file: Path) -> None:
    """A leaf under a trusted intermediate is up; phases, chain, versions and expiry gauges are there."""
    leaf = INTERMEDIATE.leaf("shop.test", "www.shop.test", days=(-1, 60))
    result = await probe_identity(leaf, ca_file)
    assert (result.status, result.reason, result.failed_phase) == (Status.UP, None, None)
    assert set(result.phases) == {Phase.DNS, Phase.CONNECT, Phase.TLS}
    assert all(seconds >= 0 for seconds in result.phases.values())
    tls = result.evidence.tls
    assert tls is not None
    assert (tls.version, tls.verified, tls.error) == ("TLSv1.3", True, None)
    assert [one.subject for one in tls.chain] == [
        "CN=shop.test,O=Online Sentry tests",
        "CN=Trusted Intermediate,O=Online Sentry tests",
    ]
    assert tls.chain[0].names == ("shop.test", "www.shop.test")
    assert tls.chain[0].key == "EC secp256r1"
    ends = leaf.certificate.not_valid_after_utc.timestamp()
    assert gauges(result)["ssl_earliest_cert_expiry"] == ends
    assert result.evidence.values["ssl_last_chain_expiry_timestamp_seconds"] == ends
    assert result.evidence.values["ip_protocol"] == 4


async def test_tls_expired_leaf_is_down_and_keeps_the_chain(ca_file: Path) -> None:
    """An expired leaf is named with its age and date, and the refused chain is evidence all the same."""
    leaf = INTERMEDIATE.leaf("shop.test", days=(-90, -3.01))
    result = await probe_identity(leaf, ca_file)
    ended = leaf.certificate.not_valid_after_utc
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.TLS_EXPIRED, Phase.TLS)
    assert result.detail == f"certificate of shop.test expired 3 days ago ({ended:%Y-%m-%d %H:%M} UTC)"
    tls = result.evidence.tls
    assert tls is not None
    assert not tls.verified
    assert tls.error == "certificate has expired"
    assert len(tls.chain) == 2
    assert gauges(result)["ssl_earliest_cert_expiry"] == ended.timestamp()
    assert "ssl_last_chain_expiry_timestamp_seconds" not in result.evidence.values


async def test_tls_expired_intermediate_is_told_from_an_expired_leaf(ca_file: Path) -> None:
    """Where the intermediate has expired and the leaf has not, the detail names the intermediate."""
    old = ROOT.intermediate("Old Intermediate", days=(-400, -1.01))
    result = await probe_identity(old.leaf("shop.test"), ca_file)
    assert result.reason is Reason.TLS_EXPIRED
    assert result.detail.startswith(
        "intermediate certificate CN=Old Intermediate,O=Online Sentry tests of shop.test expired 1 day ago"
    )


async def test_tls_not_yet_valid_leaf_is_down(ca_file: Path) -> None:
    """A certificate of the future says from when it is valid."""
    leaf = INTERMEDIATE.leaf("shop.test", days=(2.01, 90))
    result = await probe_identity(leaf, ca_file)
    assert (result.reason, result.failed_phase) == (Reason.TLS_NOT_YET_VALID, Phase.TLS)
    starts = leaf.certificate.not_valid_before_utc
    assert result.detail == f"certificate of shop.test becomes valid only in 2 days ({starts:%Y-%m-%d %H:%M} UTC)"


async def test_tls_wrong_host_names_what_the_certificate_is_for(ca_file: Path) -> None:
    """A certificate for other names lists them."""
    result = await probe_identity(INTERMEDIATE.leaf("other.test", "www.other.test"), ca_file)
    assert (result.reason, result.failed_phase) == (Reason.TLS_WRONG_HOST, Phase.TLS)
    assert result.detail == "the certificate is not for shop.test; it names other.test, www.other.test"


REFUSED = {
    Reason.TLS_EXPIRED: lambda: INTERMEDIATE.leaf("shop.test", days=(-90, -3)),
    Reason.TLS_SELF_SIGNED: lambda: self_signed("shop.test"),
    Reason.TLS_WRONG_HOST: lambda: INTERMEDIATE.leaf("other.test"),
    Reason.TLS_MISSING_INTERMEDIATE: lambda: replace(INTERMEDIATE.leaf("shop.test"), intermediates=()),
    Reason.TLS_WEAK: lambda: INTERMEDIATE.leaf("shop.test", key=small_key()),
}


@pytest.mark.promise("002-08")
@pytest.mark.parametrize("kind", ["tls", "http"])
@pytest.mark.parametrize("reason", REFUSED)
async def test_refused_certificate_has_its_reason_its_chain_and_its_expiry_metric(
    reason: Reason, kind: str, ca_file: Path
) -> None:
    """Each way to refuse a certificate is told from the others, and none takes the date off the metrics page."""
    identity = REFUSED[reason]()
    async with serving(answer(page()), tls=identity.server_context()) as server:
        result = await probe_once(server.url("shop.test"), kind=kind, ca_file=ca_file)
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, reason, Phase.TLS)
    assert result.evidence.tls is not None
    assert result.evidence.tls.chain[0].fingerprint_sha256 == identity.fingerprint
    assert gauges(result)["ssl_earliest_cert_expiry"] == identity.certificate.not_valid_after_utc.timestamp()


async def test_tls_wrong_address_is_a_wrong_host(ca_file: Path) -> None:
    """A literal address is compared with the certificate's addresses."""
    context = INTERMEDIATE.leaf("shop.test", "10.0.0.1").server_context()
    async with serving(answer(page()), tls=context) as server:
        result = await probe_once(server.url("127.0.0.1"), kind="tls", ca_file=ca_file)
    assert result.reason is Reason.TLS_WRONG_HOST
    assert result.detail == "the certificate is not for 127.0.0.1; it names shop.test, 10.0.0.1"


async def test_tls_self_signed_leaf_is_down(ca_file: Path) -> None:
    """A leaf that signed itself is called so."""
    result = await probe_identity(self_signed("shop.test"), ca_file)
    assert (result.reason, result.failed_phase) == (Reason.TLS_SELF_SIGNED, Phase.TLS)
    assert result.detail == "the certificate of shop.test is self-signed"
    assert result.evidence.tls is not None
    assert len(result.evidence.tls.chain) == 1


async def test_tls_missing_intermediate_is_told_from_an_unknown_authority(ca_file: Path) -> None:
    """A server that sends its leaf only is told which certificate it must send."""
    result = await probe_identity(INTERMEDIATE.leaf("shop.test"), ca_file, complete=False)
    assert (result.reason, result.failed_phase) == (Reason.TLS_MISSING_INTERMEDIATE, Phase.TLS)
    assert result.detail == (
        "the server does not send the intermediate certificate CN=Trusted Intermediate,O=Online Sentry tests"
    )


async def test_tls_other_intermediate_sent_is_a_missing_intermediate(ca_file: Path) -> None:
    """A server that sends the intermediate of an earlier certificate is told both names."""
    leaf = INTERMEDIATE.leaf("shop.test")
    wrong = Identity(leaf.certificate, leaf.key, ROOT.intermediate("Earlier Intermediate").above)
    result = await probe_identity(wrong, ca_file)
    assert result.reason is Reason.TLS_MISSING_INTERMEDIATE
    assert "Trusted Intermediate" in result.detail
    assert "it sends CN=Earlier Intermediate" in result.detail


async def test_tls_unknown_authority_is_untrusted(ca_file: Path) -> None:
    """A leaf straight under a root that nobody trusts here is untrusted."""
    result = await probe_identity(Authority.root("Stranger Root").leaf("shop.test"), ca_file)
    assert (result.reason, result.failed_phase) == (Reason.TLS_UNTRUSTED, Phase.TLS)
    assert result.detail == "CN=Stranger Root,O=Online Sentry tests is not trusted here"


async def test_tls_complete_chain_to_an_unknown_root_is_untrusted(ca_file: Path) -> None:
    """With the intermediate sent, what is not trusted is the root above it."""
    result = await probe_identity(Authority.root("Stranger Root").intermediate().leaf("shop.test"), ca_file)
    assert result.reason is Reason.TLS_UNTRUSTED
    assert result.detail == "CN=Stranger Root,O=Online Sentry tests is not trusted here"


async def test_tls_untrusted_root_in_the_chain_is_untrusted(ca_file: Path) -> None:
    """A root that the server sends along is not trusted for that, and is not a self-signed leaf either."""
    stranger = Authority.root("Stranger Root")
    leaf = stranger.leaf("shop.test")
    result = await probe_identity(Identity(leaf.certificate, leaf.key, (stranger.certificate,)), ca_file)
    assert result.reason is Reason.TLS_UNTRUSTED
    assert "ends in CN=Stranger Root" in result.detail


async def test_tls_certificate_ending_soon_is_degraded(ca_file: Path) -> None:
    """Fewer days left than wanted degrade the site and say how many there are."""
    leaf = INTERMEDIATE.leaf("shop.test", days=(-80, 10.01))
    result = await probe_identity(leaf, ca_file)
    assert (result.status, result.reason, result.failed_phase) == (Status.DEGRADED, Reason.TLS_EXPIRES_SOON, None)
    ends = leaf.certificate.not_valid_after_utc
    assert result.detail == (
        f"certificate CN=shop.test,O=Online Sentry tests expires in 10 days ({ends:%Y-%m-%d %H:%M} UTC), "
        "wanted 14 days"
    )
    relaxed = await probe_identity(leaf, ca_file, min_days_left=10)
    assert relaxed.status is Status.UP


async def test_tls_client_that_wants_1_3_refuses_a_1_2_server(ca_file: Path) -> None:
    """With min_version 1.3 a server of 1.2 fails the handshake."""
    context = INTERMEDIATE.leaf("shop.test").server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(answer(page()), tls=context) as server:
        result = await probe_once(
            server.url("shop.test"), kind="tls", ca_file=ca_file, options={"min_version": "1.3"}
        )
        accepted = await probe_once(server.url("shop.test"), kind="tls", ca_file=ca_file)
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.TLS_HANDSHAKE, Phase.TLS)
    assert result.detail == "the server closed the connection during the handshake"
    assert accepted.evidence.tls is not None
    assert accepted.evidence.tls.version == "TLSv1.2"


async def test_tls_plain_http_on_the_port_is_a_handshake_failure(ca_file: Path) -> None:
    """A port that answers in plain HTTP is told so."""
    async with serving_raw(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        result = await probe_once(f"https://shop.test:{port}/", kind="tls", ca_file=ca_file)
    assert (result.reason, result.failed_phase) == (Reason.TLS_HANDSHAKE, Phase.TLS)
    assert result.detail == "what answers on this port is not TLS"


async def test_tls_silent_server_is_a_tls_timeout(ca_file: Path) -> None:
    """A port that accepts and says nothing fails in TLS, not in connect."""
    async with serving_raw(never) as port:
        result = await probe_once(
            f"https://shop.test:{port}/", kind="tls", ca_file=ca_file, options={"timeout_s": 0.2}
        )
    assert (result.status, result.reason, result.failed_phase) == (Status.DOWN, Reason.TLS_TIMEOUT, Phase.TLS)
    assert result.detail == "the TLS handshake did not end within 0.2 s"
    assert result.phases[Phase.TLS] > 0.1


async def test_tls_hang_up_and_reset_in_the_handshake_are_told_apart(ca_file: Path) -> None:
    """A close in the handshake is a handshake failure, a reset is a reset, both in the phase TLS."""
    async with serving_raw(hang_up) as port:
        closed = await probe_once(f"https://shop.test:{port}/", kind="tls", ca_file=ca_file)
    async with serving_raw(reset) as port:
        was_reset = await probe_once(f"https://shop.test:{port}/", kind="tls", ca_file=ca_file)
    assert closed.reason in {Reason.TLS_HANDSHAKE, Reason.CONNECTION_RESET}  # unread bytes turn a close into a reset
    assert was_reset.reason is Reason.CONNECTION_RESET
    assert (closed.failed_phase, was_reset.failed_phase) == (Phase.TLS, Phase.TLS)


async def test_tls_refused_and_unanswered_ports_fail_in_connect() -> None:
    """Nobody listening is refused; a dropped SYN is a connect time-out."""
    with refused_port() as port:
        refused = await probe_once(f"https://shop.test:{port}/", kind="tls")
    with full_backlog() as port:
        unanswered = await probe_once(f"https://shop.test:{port}/", kind="tls", options={"timeout_s": 0.2})
    assert (refused.reason, refused.failed_phase) == (Reason.CONNECT_REFUSED, Phase.CONNECT)
    assert refused.detail == f"{refused.evidence.address} refused the connection"
    assert (unanswered.reason, unanswered.failed_phase) == (Reason.CONNECT_TIMEOUT, Phase.CONNECT)
    assert unanswered.detail == "no answer to the connection attempt within 0.2 s"


async def test_tls_resolver_failure_is_passed_on() -> None:
    """What the resolver says of a name is the verdict, in the phase DNS."""
    gone = ProbeFailure(Reason.DNS_NXDOMAIN, "shop.test does not exist", phase=Phase.DNS)
    environment = make_environment(resolver=TableResolver({"shop.test": gone}))
    result = await probe_once("https://shop.test/", kind="tls", environment=environment)
    assert (result.reason, result.failed_phase) == (Reason.DNS_NXDOMAIN, Phase.DNS)
    assert result.detail == "shop.test does not exist"
    hanging = make_environment(resolver=TableResolver({"shop.test": None}))
    late = await probe_once("https://shop.test/", kind="tls", environment=hanging, options={"timeout_s": 0.1})
    assert (late.reason, late.failed_phase) == (Reason.DNS_TIMEOUT, Phase.DNS)


async def test_tls_verdict_stands_when_the_second_look_hangs(ca_file: Path) -> None:
    """The chain is read on a second connection; where that one hangs, the deadline keeps the first verdict."""
    context = INTERMEDIATE.leaf("shop.test", days=(-90, -3)).server_context()
    first = True

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if first:
            first = False
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await writer.start_tls(context)
        else:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await probe_once(f"https://shop.test:{port}/", kind="tls", ca_file=ca_file, options={"timeout_s": 0.5})
    server.close()
    assert (result.reason, result.failed_phase) == (Reason.TLS_EXPIRED, Phase.TLS)
    assert result.duration_s >= 0.4
