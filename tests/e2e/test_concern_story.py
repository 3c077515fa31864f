"""A site that becomes slow, by a real agent: no outage, but mail, ticket, page and webhook tell of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.house import House, assert_one_thread, mail_channel
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

pytestmark = pytest.mark.integration

LOOKS_WITHIN_S = 60.0
"""The agent looks each 5 s, and a turn has to last for a second; the rest is for a busy machine."""


@pytest.fixture
def desk() -> Iterator[WebhookSink]:
    with WebhookSink() as desk:
        yield desk


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int], desk: WebhookSink) -> Iterator[House]:
    shop, mail = WebhookSink(), SmtpSink()
    channels = {
        "guardia": mail_channel(mail),
        "desk": {"kind": "webhook", "url": desk.url()},
        "acme": {"kind": "webhook", "url": desk.url("/acme")},
    }
    plan = {"interval_s": 1, "recheck_after_s": [0.3], "degraded_after_s": 1}
    routes = [{"severities": ["SEV3"], "to": ["guardia", "desk"]}, {"about": "agent", "to": ["acme"]}]
    sites = {"slow": {"url": shop.url(), "checks": [{"kind": "http", "max_response_s": 0.5, "timeout_s": 3}]}}
    prepared = House.prepare(tmp_path, free_port(), sites, channels=channels, plans={"priority": plan}, routes=routes)
    with shop, mail, prepared.site, prepared.agent:
        yield House(shop, mail, prepared.agent, prepared.store)


@pytest.mark.promise("001-31", "002-06")
def test_site_that_is_slow_for_a_while_is_told_to_each_and_never_down(house: House, desk: WebhookSink) -> None:
    """One incident of its own kind: mail and webhook once each, a ticket, a page; then its end; no minute is down."""
    house.wait_for_probes()
    house.site.delay_s = 1.0
    (opening,) = house.mail.wait_for(1, LOOKS_WITHIN_S)

    assert opening.subject.startswith("[SEV3] 127.0.0.1")
    assert "necesita atención: lenta" in opening.subject
    assert "ningún minuto cuenta como caída" in " ".join(opening.text().split())
    (call,) = desk.wait_for(1)
    facts = call.json()["facts"]
    assert (facts["kind"], facts["concern"]["check"], facts["report"]) == ("degraded", "slow/http", None)
    (incident,) = house.json("incident", "list")
    assert (incident["concern"], incident["key"], incident["checks_down"]) == ("degraded", "degraded:slow", [])
    wait_until(lambda: house.json("incident", "show", "1")["ticket_number"] == 1, "the ticket")
    for path in ("/", "/incidents/1"):
        assert "necesita atención: lenta" in house.agent.get(path).text

    house.site.delay_s = 0.0
    house.mail.wait_for(2, LOOKS_WITHIN_S)
    desk.wait_for(2)
    house.settle()

    assert_one_thread(house.mail.mails)
    assert [call.json()["kind"] for call in desk.calls] == ["opened", "resolved"]
    assert {call.path for call in desk.calls} == {"/"}
    (ticket,) = house.json("ticket", "list")
    assert ticket["state"] == "solved"
    assert not house.is_down("slow")
    assert house.json("ledger", "slow")["minutes"]["down"] == 0
    assert house.json("verify") == {"ok": True, "problems": []}
