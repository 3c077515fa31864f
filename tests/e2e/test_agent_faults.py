"""The agent is told to stop, or is killed, at any moment: nothing seen is lost, and nobody is told twice."""

import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.house import House, assert_tiled, http_site, mail_channel
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

STOPS_WITHIN_S = 5.0
KILLS = 7


@dataclass(frozen=True, slots=True)
class Slow:
    """The agent beside six sites that take long to answer, so that probes are always under way."""

    house: House
    site: WebhookSink


@pytest.fixture
def slow(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Slow]:
    with ExitStack() as stack:
        site = stack.enter_context(WebhookSink())
        site.delay_s = 0.9
        sites = {f"slow{number}": http_site(site) for number in range(6)}
        house = House.prepare(tmp_path / "agent", free_port(), sites)
        for server in (house.site, house.mail, house.agent):
            stack.enter_context(server)
        house.wait_for_probes(14)
        yield Slow(house, site)


def end(house: House, within_s: float) -> float:
    """Tells the agent to stop, and returns how long it took to end with exit code 0."""
    began = time.monotonic()
    house.agent.signal(signal.SIGTERM)
    wait_until(lambda: not house.agent.is_running, "the agent to end", within_s)
    took_s = time.monotonic() - began
    assert house.agent.kill() == 0
    return took_s


def test_agent_told_to_stop_during_probes_ends_in_seconds_and_loses_no_result(slow: Slow) -> None:
    """Every result that was counted is in the store, also those of the last moment; no probe is left as a failure."""
    house = slow.house
    seen = house.probes()
    assert end(house, STOPS_WITHIN_S + 5) < STOPS_WITHIN_S

    statuses = dict(house.rows("SELECT status, count(*) FROM samples WHERE kind < 2 GROUP BY status"))
    assert statuses.keys() == {0}
    assert statuses[0] >= seen
    assert house.rows("SELECT count(*) FROM outages") == [(0,)]
    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    assert "Traceback" not in house.agent.log


def test_agent_told_to_stop_while_the_store_is_locked_ends_all_the_same(slow: Slow) -> None:
    """Whoever holds the lock must not hold up a shutdown for ever."""
    house = slow.house
    with closing(sqlite3.connect(house.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        house.wait_for_probes(int(house.probes()) + 7)
        took_s = end(house, within_s=30)
        other.execute("ROLLBACK")
    assert took_s < 20
    assert "Traceback" not in house.agent.log


# ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Desk:
    """The agent, two people who are mailed, and a machine that is called."""

    house: House
    mail: SmtpSink
    hook: WebhookSink


@pytest.fixture
def desk(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Desk]:
    with ExitStack() as stack:
        hook, mail = stack.enter_context(WebhookSink()), stack.enter_context(SmtpSink())
        channels = {
            "guardia": mail_channel(mail, to=["guardia@example.com", "jefa@example.com"]),
            "central": {"kind": "webhook", "url": hook.url(), "secret": "a-secret-of-sixteen"},
        }
        house = House.prepare(tmp_path / "agent", free_port(), {}, channels=channels, interval_s=1)
        stack.enter_context(house.site)
        stack.enter_context(house.agent)
        yield Desk(house, mail, hook)


def _kill_at_random(desk: Desk, chance: random.Random) -> None:
    """Lets the agent live for a moment of any length, from its first breath to well into its work."""
    time.sleep(chance.uniform(0.0, 1.8))
    desk.house.agent.kill()
    desk.house.agent.start()


@pytest.mark.promise("001-28", "001-31", "001-32")
@pytest.mark.timeout(180)
def test_agent_killed_many_times_during_an_outage_tells_one_story(desk: Desk) -> None:
    """One incident, one ticket, and to each recipient one opening and one end, whenever the power went."""
    house, chance = desk.house, random.Random(20261122)  # noqa: S311  # moments, no secrets
    house.wait_for_probes(2)
    failed_at = time.time()
    house.site.status = 503
    for _ in range(KILLS):
        _kill_at_random(desk, chance)
    wait_until(lambda: len(told(desk)) == 3, "every opening")
    house.site.status = 200
    for _ in range(3):
        _kill_at_random(desk, chance)
    wait_until(lambda: len(told(desk)) == 6, "every end")
    mended_at = time.time()
    house.settle()
    house.wait_for_probes(4)
    assert house.agent.stop() == 0

    (incident,) = house.json("incident", "list")
    assert (incident["id"], incident["state"], incident["opening"]) == (1, "resolved", 1)
    assert [(one["number"], one["state"]) for one in house.json("ticket", "list")] == [(1, "solved")]
    assert house.json("verify") == {"ok": True, "problems": []}
    assert Counter(kind for _, kind in told(desk).values()) == {"opened": 3, "resolved": 3}
    assert house.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("sent", 6)]
    assert house.rows("SELECT count(*), count(ended_us) FROM outages") == [(1, 1)]
    ledger = house.json("ledger", "acme-shop")
    assert_tiled(ledger)
    down = house.rows("SELECT start_minute, end_minute FROM ledger_runs WHERE state = 'down'")
    assert all(failed_at // 60 <= start and end <= mended_at // 60 + 1 for start, end in down)
    assert down


def told(desk: Desk) -> dict[str, tuple[str, str]]:
    """Whom was told what, by the identity that a receiver throws repetitions out by.

    A killed agent may send again what it could not mark as sent; the identity is then the same, and so is the story.
    """
    mails = {
        str(mail.message["Message-ID"]): (mail.recipients[0], "resolved" if mail.message["References"] else "opened")
        for mail in desk.mail.mails
    }
    calls = {call.headers["idempotency-key"]: ("central", call.json()["kind"]) for call in desk.hook.calls}
    return mails | calls
