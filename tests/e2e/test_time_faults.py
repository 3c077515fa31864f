"""Time itself fails: the clock jumps, the process stands still. No site is accused, and nothing is told twice."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sentry.app.agent import Agent, open_agent
from sentry.domain.health import HealthState
from sentry.domain.incident import IncidentState
from sentry.ports import Heartbeat
from tests.e2e.house import House, http_site, mail_channel, rows, series, until
from tests.fakes.driven_clock import DrivenClock
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

HOUR_S = 3600
STILL_S = 5.0
OURS = {"agent_stalled", "slot_missed"}


@pytest.fixture
def site() -> Iterator[WebhookSink]:
    with WebhookSink() as site:
        yield site


@pytest.fixture
def mail() -> Iterator[SmtpSink]:
    with SmtpSink() as mail:
        yield mail


def configure(folder: Path, site: WebhookSink, mail: SmtpSink, **keys: Any) -> Path:
    """Writes the configuration of one site with an http check, probed each second, and a job that calls in."""
    shop = http_site(site)
    shop["checks"].append({"kind": "heartbeat", "name": "backup", "every_s": 600, "counts": False})
    document = agent_document(
        0, {"acme-shop": shop}, {"guardia": mail_channel(mail)}, store=f"sqlite:///{folder}/sentry.db", **keys
    )
    return write_config(folder / "sentry.yaml", document)


def state(agent: Agent, check_key: str = "acme-shop/http") -> HealthState:
    """What the agent believes of a check now."""
    view = agent.watch.view(check_key)
    assert view is not None
    return view.health.state


async def assert_minutes_add_up(agent: Agent) -> None:
    """The running month of the site has each minute once, in one state."""
    site = agent.books.site("acme-shop")
    month = await agent.books.budgets.of_month(site)
    intervals = await agent.books.budgets.explain(site, month.month)
    assert all(one.end == other.start for one, other in pairwise(intervals))
    totals = month.budget.minutes
    assert totals.total == totals.answered + totals.down + totals.maintenance + totals.unknown


@pytest.mark.promise("001-28")
async def test_clock_that_jumps_stops_no_probe_floods_none_and_turns_nothing_down(
    tmp_path: Path, site: WebhookSink, mail: SmtpSink
) -> None:
    """Forward, back, by years: the next probe comes within its interval, and each minute has one state."""
    clock = DrivenClock()
    async with open_agent(configure(tmp_path, site, mail, interval_s=1), clock) as agent:
        await agent.books.store.heartbeats.record("acme-shop/backup", Heartbeat(clock.now()))
        await until(lambda: state(agent) is state(agent, "acme-shop/backup") is HealthState.UP, "both to be up")
        jumps = (2 * HOUR_S, -HOUR_S, 90, -90, 400 * 24 * HOUR_S, -400 * 24 * HOUR_S, -HOUR_S)
        for jump_s in jumps:
            clock.jump(jump_s)
            before = len(site.calls)
            await until(lambda before=before: len(site.calls) >= before + 2, "probing to go on at once", within_s=5)  # type: ignore[misc]  # bound now
            await asyncio.sleep(1)
            assert len(site.calls) <= before + 8
            assert state(agent) is state(agent, "acme-shop/backup") is HealthState.UP
            await assert_minutes_add_up(agent)
        await until(lambda: agent.watch.queued == 0, "everything to be written")

        assert series(agent.metrics.page().decode(), "sentry_clock_jumps_total") == len(jumps)
        assert series(agent.metrics.page().decode(), "sentry_loop_crashes_total") == 0
        assert rows(tmp_path / "sentry.db", "SELECT count(*) FROM samples WHERE status = 1") == [(0,)]
        assert rows(tmp_path / "sentry.db", "SELECT count(*) FROM events WHERE kind = 'failure_suspected'") == [(0,)]
        assert await agent.books.store.incidents.list() == []
    assert mail.mails == ()


@pytest.mark.promise("001-28", "001-31")
async def test_clock_set_back_during_an_outage_makes_no_second_incident_and_no_negative_time(
    tmp_path: Path, site: WebhookSink, mail: SmtpSink
) -> None:
    """The same incident ends, the hour is written a second time with the worse state, and mail comes once each."""
    clock = DrivenClock()
    async with open_agent(configure(tmp_path, site, mail, interval_s=1), clock) as agent:
        await agent.books.store.heartbeats.record("acme-shop/backup", Heartbeat(clock.now()))
        await until(lambda: state(agent) is HealthState.UP, "the site to be up")
        clock.jump(HOUR_S)
        await until(lambda: state(agent) is HealthState.UP, "the site to be up still")
        site.status = 503
        await until(lambda: len(mail.mails) == 1, "the opening")
        clock.jump(-HOUR_S)
        fallen_back_at = clock.now().timestamp() / 60
        await asyncio.sleep(2)
        assert state(agent) is HealthState.DOWN
        site.status = 200
        await until(lambda: len(mail.mails) == 2, "the end")

        (incident,) = await agent.books.store.incidents.list()
        assert (incident.id, incident.state, incident.opening) == (1, IncidentState.RESOLVED, 1)
        assert incident.time_to_resolve is not None
        assert incident.time_to_resolve.total_seconds() >= 0
        ((started, ended),) = rows(tmp_path / "sentry.db", "SELECT started_us, ended_us FROM outages")
        assert ended >= started
        await assert_minutes_add_up(agent)
        down = rows(tmp_path / "sentry.db", "SELECT start_minute, end_minute FROM ledger_runs WHERE state = 'down'")
        assert any(start <= fallen_back_at <= end for start, end in down)
        assert [ticket.number for ticket in await agent.books.store.tickets.list()] == [1]
        assert await agent.books.store.tickets.verify() == []
        assert "-" not in mail.mails[1].subject.partition("]")[2].partition("(")[0].replace("acme-shop", "")


# ── standing still ───────────────────────────────────────────────────────────────────────────────────────────────


class Stage:
    """Quick sites, slow ones, and one that hangs just while the agent stands still: none of them ever fails."""

    def __init__(self, stack: ExitStack) -> None:
        self.quick, self.slow, self.hanging = (stack.enter_context(WebhookSink()) for _ in range(3))
        self.slow.delay_s = 1.3

    @property
    def sites(self) -> Mapping[str, Any]:
        """What is to be watched; many of each, so that the stand-still meets probes in every phase."""
        slow = {"timeout_s": 3, "max_response_s": 2}
        return {
            **{f"quick{number}": http_site(self.quick) for number in range(4)},
            **{f"slow{number}": http_site(self.slow, **slow) for number in range(6)},
            **{f"hanging{number}": http_site(self.hanging, timeout_s=1.5) for number in range(4)},
        }

    def assert_nobody_accused(self, store: Path, page: str) -> None:
        """No sample is down or degraded; what was not seen is unknown, with a reason that names the agent."""
        counts = dict(rows(store, "SELECT status, count(*) FROM samples GROUP BY status"))
        reasons = {reason for (reason,) in rows(store, "SELECT DISTINCT reason FROM samples WHERE status = 3")}
        assert set(counts) == {0, 3}
        assert reasons == OURS
        assert rows(store, "SELECT count(*) FROM outages") == [(0,)]
        assert rows(store, "SELECT count(*) FROM ledger_runs WHERE state != 'up'") == [(0,)]
        assert series(page, "sentry_stalls_total") >= 1
        assert series(page, "sentry_stalled_seconds_total") > STILL_S - 1.5
        assert series(page, "sentry_missed_slots_total") >= 14
        assert series(page, 'sentry_failures_total{reason="agent_stalled"}') >= 1


@pytest.fixture
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(stack)


@pytest.mark.promise("001-28")
def test_process_frozen_for_five_seconds_accuses_no_site(
    tmp_path: Path, stage: Stage, free_port: Callable[[], int]
) -> None:
    """SIGSTOP and SIGCONT: what a hypervisor does to a whole machine, seen from outside."""
    house = House.prepare(tmp_path / "agent", free_port(), stage.sites)
    with house.site, house.mail, house.agent:
        wait_until(lambda: house.series("probe_success{") == 15, "every site to be up")
        stage.hanging.gate.clear()
        time.sleep(0.7)
        house.agent.pause()
        time.sleep(STILL_S)
        stage.hanging.gate.set()
        house.agent.resume()

        seen = house.probes()
        wait_until(lambda: house.probes() >= seen + 40, "probing to go on")
        wait_until(lambda: house.series("probe_success{") == 15, "every site to be up")
        house.settle()
        page = house.agent.metrics()
        assert house.agent.stop() == 0
    stage.assert_nobody_accused(house.store, page)
    assert house.mail.mails == ()


@pytest.mark.promise("001-28")
async def test_event_loop_blocked_for_five_seconds_accuses_no_site(tmp_path: Path, stage: Stage) -> None:
    """A fault of our own inside the loop: deadlines pass unseen, and answers lie unread."""
    document = agent_document(0, stage.sites, store=f"sqlite:///{tmp_path}/sentry.db")
    async with open_agent(write_config(tmp_path / "sentry.yaml", document)) as agent:
        await until(lambda: all(view.health.state is HealthState.UP for view in agent.watch.views()), "all to be up")
        stage.hanging.gate.clear()
        await asyncio.sleep(0.7)
        asyncio.get_running_loop().call_soon(time.sleep, STILL_S)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        stage.hanging.gate.set()

        seen = len(stage.quick.calls)
        await until(lambda: len(stage.quick.calls) >= seen + 10, "probing to go on")
        await until(lambda: all(view.health.state is HealthState.UP for view in agent.watch.views()), "all to be up")
        await until(lambda: agent.watch.queued == 0, "everything to be written")
        page = agent.metrics.page().decode()
    stage.assert_nobody_accused(tmp_path / "sentry.db", page)
