"""A site's own job calls in over HTTP: silence and a reported failure are outages, told once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.integration.servers.loopback import Answer, fetch
from tests.integration.servers.process import ServerError, wait_until

TOKEN = "tok-of-the-nightly-backup"
PATH = "/heartbeat/job/backup"
BACKUP = {
    "kind": "heartbeat",
    "name": "backup",
    "every_s": 3,
    "grace_s": 1,
    "interval_s": 1,
    "token": TOKEN,
}


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[House]:
    sites = {"job": {"url": "http://127.0.0.1:9/", "checks": [BACKUP]}}
    house = House.prepare(tmp_path / "agent", free_port(), sites, language="en")
    with ExitStack() as stack:
        for server in (house.site, house.mail, house.agent):
            stack.enter_context(server)
        yield house


def call(house: House, suffix: str = "", *, token: str = TOKEN, body: bytes = b"") -> Answer:
    """Calls as the job does, with its token in the header that curl sends."""
    headers = {"Authorization": f"Bearer {token}"}
    return fetch(f"{house.agent.url}{PATH}{suffix}", method="POST", headers=headers, body=body)


def calling(house: House, holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Calls in once a second until a condition holds."""
    for _ in range(int(within_s)):
        assert call(house).status == 200
        try:
            wait_until(holds, what, within_s=1.0)
        except ServerError:
            continue
        return
    raise ServerError(f"waited in vain for: {what}")


def success(house: House) -> float | None:
    """What Prometheus would see of the job; None while nothing is known."""
    lines = [line for line in house.agent.metrics().splitlines() if line.startswith("probe_success{")]
    values = [float(line.rpartition(" ")[2]) for line in lines if 'job="backup"' in line]
    return values[0] if values else None


@pytest.mark.promise("001-31")
def test_job_that_calls_is_up_one_that_stops_or_fails_is_down_once(house: House) -> None:
    """Calls keep it up, silence is one incident, a reported failure opens it again in the job's own words."""
    assert house.agent.get(f"{PATH}?token={TOKEN}").status == 200
    calling(house, lambda: success(house) == 1, "the job to be up")
    for _ in range(4):
        calling(house, lambda: success(house) == 1, "the job to stay up")
    assert house.mail.wait_for(0) == ()

    (opening,) = house.mail.wait_for(1)
    assert not house.is_down("acme-shop")
    wait_until(lambda: house.series("sentry_checks_total{") > 0 and success(house) == 0, "the silence to be seen")
    calling(house, lambda: len(house.mail.mails) >= 2, "the end")
    house.settle()
    (incident,) = house.json("incident", "list")
    assert (incident["site_key"], incident["report"]["reason"]) == ("job", "heartbeat_missed")
    assert incident["state"] == "resolved"
    assert len(house.mail.mails) == 2
    assert house.mail.mails[1].message["References"] == opening.message["Message-ID"]

    assert call(house, "/fail", body=b"rsync: No space left on device").status == 200
    _, _, again = house.mail.wait_for(3)
    assert "rsync: No space left on device" in " ".join(again.text().split())
    calling(house, lambda: len(house.mail.mails) >= 4, "the second end")
    house.settle()
    (incident,) = house.json("incident", "list")
    assert (incident["state"], incident["opening"]) == ("resolved", 2)
    assert incident["report"]["reason"] == "heartbeat_failed"
    assert len(house.json("ticket", "list")) == 1
    assert len(house.mail.mails) == 4


def test_call_with_a_wrong_token_is_refused_and_keeps_nothing_up(house: House) -> None:
    """Wrong, missing or for a check that is not there: one answer for all, and no heartbeat."""
    answers = [
        call(house, token="tok-of-somebody-else"),
        fetch(f"{house.agent.url}{PATH}", method="POST"),
        house.agent.get(f"{PATH}?token=nonsense"),
        fetch(f"{house.agent.url}/heartbeat/acme-shop/http", method="POST", headers={"X-Heartbeat-Token": TOKEN}),
        fetch(f"{house.agent.url}/heartbeat/nobody/backup", method="POST", headers={"X-Heartbeat-Token": TOKEN}),
    ]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert house.series('sentry_heartbeats_total{result="refused"}') == len(answers)
    assert house.rows("SELECT count(*) FROM heartbeats") == [(0,)]
    house.mail.wait_for(1)
