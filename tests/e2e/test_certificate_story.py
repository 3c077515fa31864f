"""A certificate that nobody renews, then one that its authority takes back, by a real agent with its own mail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.app.agent import Agent, open_agent
from sentry.domain.incident import IncidentState
from sentry.domain.result import Reason
from tests.e2e.house import mail_channel, series, until
from tests.fakes.driven_clock import DrivenClock
from tests.integration.alerting.http_server import serving
from tests.integration.authority import Authority
from tests.integration.revoking import Revoking
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.tls_stage import tls_stage

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

DAY_S = 86_400
SPEED = 30.0
"""The agent looks once a minute, which is then two seconds."""

NAME = "127.0.0.1"
WITHIN_S = 30.0


@pytest.fixture
def mail() -> Iterator[SmtpSink]:
    with SmtpSink() as mail:
        yield mail


def configure(folder: Path, url: str, authority: Authority, mail: SmtpSink) -> Path:
    """Writes the configuration of a site with an https and a tls check, which see the same certificate."""
    site = {"url": url, "name": "Acme", "checks": [{"kind": "http"}, {"kind": "tls", "min_days_left": 0}]}
    ca_file = authority.write(folder / "ca.pem")
    document = agent_document(
        0,
        {"acme-shop": site},
        {"guardia": mail_channel(mail)},
        language="en",
        interval_s=10,
        recheck_after_s=(5, 5),
        store=f"sqlite:///{folder}/sentry.db",
        probe={"ca_file": str(ca_file)},
        routes=[{"about": "site", "to": ["guardia"]}],  # that the clock was set is the agent's own affair
        lookups={"private_addresses": True, "domains": False},
    )
    return write_config(folder / "sentry.yaml", document)


async def heard(mail: SmtpSink, count: int) -> str:
    """Waits for so many mails in all, and returns the subject of the last."""
    await until(lambda: len(mail.mails) >= count, f"{count} mails", within_s=WITHIN_S)
    assert len(mail.mails) == count
    return mail.mails[-1].subject


@pytest.mark.promise("002-08")
async def test_certificate_is_told_at_each_threshold_until_renewed_and_down_once_revoked(
    tmp_path: Path, mail: SmtpSink
) -> None:
    """One incident with a mail a threshold, ended by the new date; then an outage for what the authority says."""
    authority, clock = Authority.root("Agency Root"), DrivenClock(speed=SPEED)
    revoking = Revoking(authority, hours=(-1, 60 * 24))
    old = authority.leaf(NAME, days=(-80, 10))
    with tls_stage(old.server_context()) as stage:
        async with (
            serving(revoking.serve) as desk,
            open_agent(configure(tmp_path, stage.url(NAME), authority, mail), clock) as agent,
        ):
            assert await heard(mail, 1) == "[SEV3] Acme: the certificate expires in 9 days (#1)"
            clock.jump(4 * DAY_S)
            assert await heard(mail, 2) == "[SEV3] Acme: the certificate expires in 5 days (#1)"
            new = revoking.issue(desk.url, NAME)
            revoking.known.append(new.certificate)
            stage.show(new.server_context())
            ends = f"{new.certificate.not_valid_after_utc.astimezone(agent.books.roster.zone):%-d %b %Y}"
            assert f"valid until {ends}" in await heard(mail, 3)
            good = 'sentry_revocation_lookups_total{result="good"}'
            await until(lambda: figure(agent, good) >= 1, "the authority to be asked")

            revoking.revoked.append(new.certificate)
            clock.jump(1.1 * DAY_S)

            assert (await heard(mail, 4)).startswith("[SEV1] Acme is down: certificate withdrawn (#")
            await assert_two_incidents(agent)
            await until(lambda: figure(agent, 'sentry_certificate_revoked{site="acme-shop"}') == 1, "the metric")
            assert figure(agent, "sentry_loop_crashes_total") == 0


def figure(agent: Agent, start: str) -> float:
    """What the metrics page says in the lines that start like this."""
    return series(agent.metrics.page().decode(), start)


async def assert_two_incidents(agent: Agent) -> None:
    """The certificate's concern is over, the outage stands, and nothing else was opened."""
    outage, concern = await agent.books.store.incidents.list(site_key="acme-shop")
    assert (concern.kind, concern.state, concern.opening) == ("certificate", IncidentState.RESOLVED, 2)
    assert (outage.kind, outage.state) == ("outage", IncidentState.OPEN)
    assert outage.report is not None
    assert outage.report.reason is Reason.TLS_REVOKED
