"""A site's own job calls in over HTTP: silence and a reported failure are outages, told once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.house import House, assert_one_thread
from tests.integration.servers.loopback import Answer, fetch
from tests.integration.servers.process import wait_until

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


@contextmanager
def calling(house: House) -> Iterator[None]:
    """Lets the job call in once a second until the block ends."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            call(house)
            ended.wait(1.0)

    job = threading.Thread(target=work, daemon=True)
    job.start()
    try:
        yield
    finally:
        ended.set()
        job.join()


def success(house: House) -> float | None:
    """What Prometheus would see of the job; None while nothing is known."""
    lines = [line for line in house.agent.metrics().splitlines() if line.startswith("probe_success{")]
    values = [float(line.rpartition(" ")[2]) for line in lines if 'job="backup"' in line]
    return values[0] if values else None


@pytest.mark.promise("001-31")
def test_job_that_calls_is_up_one_that_stops_or_fails_is_down_once(house: House) -> None:
    """Calls keep it up, silence is one incident, a reported failure opens it again in the job's own words."""
    assert house.agent.get(f"{PATH}?token={TOKEN}").status == 200
    with calling(house):
        wait_until(lambda: success(house) == 1, "the job to be up")
        time.sleep(5)
        assert success(house) == 1
        assert house.mail.wait_for(0) == ()

    (opening,) = house.mail.wait_for(1)
    assert success(house) == 0
    assert not house.is_down("acme-shop")
    time.sleep(2)
    with calling(house):
        house.mail.wait_for(2)
        house.settle()
        (incident,) = house.json("incident", "list")
        assert (incident["site_key"], incident["report"]["reason"]) == ("job", "heartbeat_missed")
        assert incident["state"] == "resolved"
        assert_one_thread(house.mail.mails)

    assert call(house, "/fail", body=b"rsync: No space left on device").status == 200
    again = house.mail.wait_for(3)[2]
    assert "rsync: No space left on device" in " ".join(again.text().split())
    assert again.message["References"] == opening.message["Message-ID"]
    with calling(house):
        house.mail.wait_for(4)
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
