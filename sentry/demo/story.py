"""The story of one night, told in two minutes: sites work, fail, are noticed, repaired, and reported on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml
from aiohttp import web
from rich.console import Console
from rich.markup import escape

from sentry.app.agent import Agent, open_agent
from sentry.clock import SystemClock
from sentry.demo.sites import HOST, DemoSites
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.site import Language
from sentry.reports import KINDS

T = TypeVar("T")

INTERVAL_S = 2
RECHECK_AFTER_S = [1, 2]
TIMEOUT_S = 3
PATIENCE_S = 45.0
"""Longest wait for any one step; the story says so when it is not reached."""


class DemoFailed(Exception):  # noqa: N818  # the end of the story, not an error of the house
    """A step of the story did not come."""


@dataclass(slots=True)
class Inbox:
    """A local webhook that takes the alerts, in place of a mail server that this machine may not have."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def start(self) -> web.AppRunner:
        """Opens the inbox on a free port."""
        application = web.Application()
        application.router.add_post("/", self._take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        self.url = f"http://{HOST}:{runner.addresses[0][1]}/"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.Response()


class Story:
    """Plays the story and says at each step what happened and where to look."""

    def __init__(self, folder: Path, console: Console, language: Language) -> None:
        self._folder = folder
        self._console = console
        self._language = language
        self._clock = SystemClock()
        self._sites = DemoSites()
        self._inbox = Inbox()
        self._step = 0

    async def play(self, *, stay: bool) -> None:
        """Plays it to its end; with `stay` the pages then stay up until Ctrl-C.

        Raises:
            DemoFailed: a step did not come in time.
        """
        await self._sites.start(self._folder, self._clock.now())
        runner = await self._inbox.start()
        try:
            config = self._folder / "sentry.yaml"
            config.write_text(self._configuration(), encoding="utf-8")
            async with open_agent(config) as agent:
                await self._night(agent, config)
                if stay:
                    self._console.print("\nThe pages stay up until you press Ctrl-C.")
                    await asyncio.Event().wait()
            self._console.print(
                f"\nThe agent has stopped and its pages with it; what it wrote is in {escape(str(self._folder))}."
                "\nRun online-sentry demo --stay to look at the pages."
            )
        finally:
            await runner.cleanup()
            await self._sites.stop()

    async def _night(self, agent: Agent, config: Path) -> None:
        root = f"http://{HOST}:{agent.port}"
        self._say(
            "Four real web sites run on this machine, and the agent watches them",
            [
                *(f"{name:<10}{url}" for name, url in self._sites.urls.items()),
                f"status page   {root}/",
                f"metrics       {root}/metrics",
                f"configuration {config}",
            ],
        )
        await self._until("every site was probed", lambda: self._probed(agent))
        await self._expired_certificate(agent, root)
        self._sites.shop_works = False
        self._sites.bookings_answers.clear()
        self._say("The shop begins to answer 500, and the bookings site accepts connections but never answers", [])
        shop = await self._failure(agent, root, "shop")
        await self._failure(agent, root, "bookings")
        await self._ticket(agent, shop)
        await self._alert("opened", "shop")
        self._sites.shop_works = True
        self._sites.bookings_answers.set()
        self._say("Somebody repairs both", [])
        await self._recovery(agent, root, "shop")
        await self._recovery(agent, root, "bookings")
        await self._alert("resolved", "shop")
        await self._report(agent, config)

    async def _expired_certificate(self, agent: Agent, root: str) -> None:
        incident = await self._incident(agent, "expired", IncidentState.OPEN)
        self._say(
            "The certificate of one site expired three days ago: confirmed, an incident is open",
            [
                agent.books.messages.cause(incident, self._language),
                f"look at {root}/incidents/{incident.id}",
            ],
        )

    async def _failure(self, agent: Agent, root: str, site: str) -> Incident:
        incident = await self._incident(agent, site, IncidentState.OPEN)
        report = agent.books.messages.report_text(incident, self._language)
        self._say(
            f"Outage of {site} confirmed by {len(RECHECK_AFTER_S)} re-checks: incident {incident.id} opens",
            [
                agent.books.messages.cause(incident, self._language),
                f"failed first {incident.started_at:%H:%M:%S}, confirmed {_seconds(incident.time_to_detect)} later",
                "its failure report begins:",
                *(f"│ {line}" for line in report.splitlines()[:14]),
                f"the rest: {root}/incidents/{incident.id}",
            ],
        )
        return incident

    async def _ticket(self, agent: Agent, incident: Incident) -> None:
        tickets = agent.books.store.tickets
        ticket = await self._until("the ticket is filed", lambda: tickets.find(f"incident:{incident.id}"))
        self._say(
            f"Ticket {ticket.number} is filed, with the report in its unalterable history",
            [
                ticket.title,
                f"look at: online-sentry --config {self._folder / 'sentry.yaml'} ticket show {ticket.number}",
            ],
        )

    async def _alert(self, kind: str, site: str) -> None:
        def arrived() -> Awaitable[dict[str, Any] | None]:
            found = (one for one in self._inbox.messages if one["kind"] == kind and one["labels"]["site"] == site)
            return _now(next(found, None))

        message = await self._until(f"the alert ({kind}) arrives", arrived)
        self._say(
            f"The alert ({kind}) is accepted by its channel, once; this is what the on-call reader gets",
            [
                f"│ {message['subject']}",
                "│",
                *(f"│ {line}" for line in message["text"].splitlines()[:12]),
            ],
        )

    async def _recovery(self, agent: Agent, root: str, site: str) -> None:
        incident = await self._incident(agent, site, IncidentState.RESOLVED)
        lasted = incident.time_to_resolve
        self._say(
            f"Recovery of {site} confirmed: incident {incident.id} is resolved",
            [
                f"it lasted {_seconds(lasted)}" if lasted else "",
                f"look at {root}/incidents/{incident.id}",
            ],
        )

    async def _report(self, agent: Agent, config: Path) -> None:
        books = agent.books
        minute_over = 60 - self._clock.now().second + INTERVAL_S
        with self._console.status("the ledger counts whole minutes: waiting for the end of this one …"):
            await self._clock.sleep(minute_over)
        await agent.watch.flush()
        data = await books.reports.build(books.client_sites("demo"), None, self._language)
        page = self._folder / "report.html"
        page.write_text(KINDS["html"]().render(data), encoding="utf-8")
        self._say(
            "The client's monthly report is written from the same ledger",
            [
                f"open file://{page}",
                f"or: online-sentry --config {config} report demo --format text",
                f"every minute and its rule: online-sentry --config {config} ledger shop --explain",
            ],
        )

    # ── waiting and saying ───────────────────────────────────────────────────────────────────────────────────

    async def _incident(self, agent: Agent, site: str, state: IncidentState) -> Incident:
        async def find() -> Incident | None:
            latest = await agent.books.store.incidents.latest(site)
            return latest if latest is not None and latest.state is state else None

        return await self._until(f"the incident of {site} is {state}", find)

    async def _probed(self, agent: Agent) -> bool:
        return all(view.last is not None for view in agent.watch.views())

    async def _until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> T:
        began = self._clock.monotonic()
        with self._console.status(f"waiting until {what} …"):
            while self._clock.monotonic() - began < PATIENCE_S:
                value = await found()
                if value:
                    return value
                await self._clock.sleep(0.2)
        raise DemoFailed(f"{what}: did not come within {PATIENCE_S:g} s; the store is in {self._folder}")

    def _say(self, headline: str, lines: list[str]) -> None:
        self._step += 1
        at: datetime = self._clock.now()
        self._console.print(f"\n[bold]{self._step}. {escape(headline)}[/bold]  [dim]{at:%H:%M:%S} UTC[/dim]")
        for line in lines:
            if line:
                self._console.print(f"   {escape(line)}")

    def _configuration(self) -> str:
        check = {"kind": "http", "timeout_s": TIMEOUT_S, "max_response_s": 2}
        sites = [
            {
                "key": name,
                "client": "demo",
                "plan": "demo",
                "url": url,
                "name": name,
                "contract_start": self._clock.now().date(),
                "checks": [check],
            }
            for name, url in self._sites.urls.items()
        ]
        return yaml.safe_dump(
            {
                "agency": {"name": "Online Sentry demo", "language": str(self._language), "time_zone": "UTC"},
                "store": f"sqlite:///{self._folder}/sentry.db",
                "web": {"listen": f"{HOST}:0"},
                "probe": {"ca_file": str(self._folder / "authority.pem")},
                "plans": {"demo": {"interval_s": INTERVAL_S, "recheck_after_s": RECHECK_AFTER_S}},
                "clients": {"demo": {"name": "Demo client"}},
                "sites": sites,
                "channels": {"inbox": {"kind": "webhook", "url": self._inbox.url, "secret": "only for the demo"}},
            },
            sort_keys=False,
        )


async def _now(value: T) -> T:
    return value


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
