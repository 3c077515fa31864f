"""Announced in time, announced late, overrun: the real agent, real sites and a real mail server, minute by minute."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentry.app.agent import Agent, open_agent
from sentry.clock import SystemClock
from sentry.domain.counting import Rule
from sentry.domain.ledger import MinuteState
from sentry.domain.maintenance_window import window_of
from sentry.services.budgets import Budgets
from tests.e2e.house import http_site, mail_channel
from tests.fakes.clock import ManualClock
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

PATIENCE_S = 100.0
IN_TIME, LATE = "in-time", "late"


class SoonFull(SystemClock):
    """The machine's clock, moved so that the next minute begins some seconds after the start."""

    def __init__(self, seconds: float) -> None:
        now = super().now()
        self._ahead = timedelta(seconds=60 - seconds - now.second - now.microsecond / 1e6)

    def now(self) -> datetime:
        return super().now() + self._ahead


@asynccontextmanager
async def watched(folder: Path, site: WebhookSink, mail: SmtpSink, clock: SystemClock) -> AsyncIterator[Agent]:
    """Two sites on one server; the plan of one asks for no notice, that of the other for two days."""
    sites = {key: http_site(site) | {"plan": key} for key in (IN_TIME, LATE)}
    document = agent_document(0, sites, {"guardia": mail_channel(mail)}, interval_s=1, recheck_after_s=(0.2, 0.2))
    base = document["plans"]["priority"]
    document["plans"] |= {IN_TIME: {**base, "maintenance_notice_h": 0}, LATE: base}
    document["store"] = f"sqlite:///{folder}/sentry.db"
    document["incidents"] = {"group_hold_s": 0}
    async with open_agent(write_config(folder / "sentry.yaml", document), clock) as agent:
        yield agent


async def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that the agent does by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what is waited for is seen from outside only
            await asyncio.sleep(0.1)
    assert condition(), what


@pytest.mark.timeout(200)
@pytest.mark.promise("001-23")
async def test_maintenance_in_time_is_excluded_late_counts_and_what_overruns_counts_and_wakes(tmp_path: Path) -> None:
    """Both sites fail in the minute of the work and after it; nobody is woken in it, everybody at its end."""
    clock = SoonFull(8)
    with WebhookSink() as site, SmtpSink() as mail:
        async with watched(tmp_path, site, mail, clock) as agent:
            begin = (clock.now() + timedelta(minutes=1)).replace(second=0, microsecond=0)
            plan = {"reason": "New disks", "starts_at": f"{begin:%Y-%m-%dT%H:%M}", "duration_min": 1, "zone": "UTC"}
            await agent.books.maintenance.announce(window_of(plan | {"all_sites": True}), "ana")
            await until(lambda: clock.now() >= begin + timedelta(seconds=1), "the work to begin")
            site.status = 503
            await until(lambda: _down(agent) == 2, "both sites to be down")
            await until(lambda: clock.now() >= begin + timedelta(seconds=57), "the work to be nearly over")
            assert not mail.mails
            await until(lambda: len(mail.mails) == 2, "a mail for each site")
            assert clock.now() >= begin + timedelta(minutes=1)
            await until(lambda: clock.now() >= begin + timedelta(seconds=75), "some seconds after the work")
            told = {key: await _down_minutes(agent, key, begin) for key in (IN_TIME, LATE)}
    assert told[IN_TIME][:1] == [Rule.OVERRUN]
    assert told[LATE][:2] == [Rule.ANNOUNCED_LATE, Rule.CONFIRMED_DOWN]


def _down(agent: Agent) -> int:
    return sum(view.health.outage is not None for view in agent.watch.views())


async def _down_minutes(agent: Agent, key: str, begin: datetime) -> list[Rule]:
    """The rules of the site's down minutes since the work began."""
    # As it will be when the minute that runs is over.
    later = Budgets(agent.books.store.ledger, ManualClock(begin + timedelta(minutes=2)))
    intervals = await later.explain(agent.books.site(key))
    minute = int(begin.timestamp()) // 60
    return [one.rule for one in intervals if one.end > minute and one.state is MinuteState.DOWN]
