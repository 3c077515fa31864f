"""The agent: everything built, joined and kept running."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import structlog

from alerting.environment import ChannelEnvironment
from probes.environment import ProbeEnvironment
from probes.evidence import Collector
from probes.resolver import AiodnsResolver
from sentry.app.auditing.office import AuditOffice
from sentry.app.books import Books, open_books
from sentry.app.duties import Duties
from sentry.app.kinds import load_settings
from sentry.app.lookouts import Lookouts, downloading
from sentry.app.memory import beside_the_loop, give_back, keep_close, put_aside
from sentry.app.pages import application
from sentry.app.prober import LocalProber, Prober
from sentry.app.probing import probe_environment
from sentry.app.reactions import Reactions
from sentry.app.self_watch import build_hearing, resume
from sentry.app.workers.fleet import Fleet
from sentry.domain.errors import ConfigurationError, Problem, StoreError
from sentry.domain.events import Event, EventKind
from sentry.lookups.download import Download
from sentry.metrics.telemetry import Metrics
from sentry.outgoing import open_session
from sentry.ports import Clock
from sentry.services.watch import Watch
from sentry.settings import Settings
from sentry.settings.difference import SettingsDifference, difference
from sentry.web.access import require_token
from sentry.web.application import serving
from sentry.web.sources import AgentHealth
from sentry.wheel import STALL_S, Finished

RESTART_LOOP_AFTER_S = 1.0
STALLED_AFTER_S = 10 * STALL_S
"""A wheel that has not turned for so long makes /healthz say 503."""

STOP_WITHIN_S = 10.0
"""At an orderly stop, what was seen is written within this time."""

_log = structlog.get_logger()


class Agent:
    """Everything that runs, over books that are open.

    Attributes:
        port: where the pages are served, 0 until they are.
        books: configuration and store.
        workers: how many processes probe; 1: the agent itself.
    """

    def __init__(
        self,
        config: Path,
        books: Books,
        channels: ChannelEnvironment,
        resolver: AiodnsResolver,
        download: Download,
        *,
        workers: int = 1,
    ) -> None:
        self._config = config
        self.books = books
        settings, clock = books.settings, books.clock
        self.port = 0
        self._config_ok = True
        self._reloading = asyncio.Lock()
        self.metrics = Metrics(clock)
        self.workers = workers
        own_ports = frozenset({settings.web.address[1]})
        environment = probe_environment(settings.probe, clock, resolver, books.store.heartbeats, own_ports)
        self.prober = self._prober(environment)
        self.watch = Watch(
            books.store.watch,
            clock,
            self.metrics,
            recheck=self.prober.recheck,
            committed=self._events_written,
        )
        self._hearing = build_hearing(
            books, self.metrics, self.watch, environment, resolver, probes_here=workers == 1
        )
        collector = Collector(clock, settings.probe.resolvers, settings.probe.ca_file, resolver=resolver)
        self._lookouts = Lookouts(books, self.metrics, self.watch, environment, download, stretch=self.prober.stretch)
        self._reactions = Reactions(
            books,
            self.metrics,
            channels,
            collector,
            self.watch.view,
            self.watch.views,
            self._lookouts.requests.asked,
        )
        self.audits = AuditOffice(books, self.metrics, self._lookouts.requests.asked)
        self._scheduler = Duties(books, self.metrics).schedule()

    def _prober(self, environment: ProbeEnvironment) -> Prober:
        clock, probing = self.books.clock, self.books.settings.probe
        if self.workers > 1:
            return Fleet(
                probing, self.workers, environment, clock=clock, telemetry=self.metrics, finished=self._finished
            )
        return LocalProber(environment, clock, self.metrics, self._finished, max_concurrent=probing.max_concurrent)

    def _finished(self, done: Finished) -> None:
        self._lookouts.requests.took(done.check, done.result)
        self._hearing.take(self._lookouts.judged(done.check, done.result), done.kind, done.delay_s)

    def _events_written(self) -> None:
        self._reactions.dispatcher.wake()

    @property
    def process_id(self) -> int:
        """The number to send signals to."""
        return os.getpid()

    # ── configuration ────────────────────────────────────────────────────────────────────────────────────────

    async def reload(self) -> SettingsDifference:
        """Reads the configuration again; only what changed is touched.

        Raises:
            ConfigurationError: it cannot be used; the last good one stays in force.
            StoreUnavailable: the store does not answer; the last good one stays in force.
        """
        async with self._reloading:  # of two that overlap, the one that has read the older file must not win
            try:
                with beside_the_loop():
                    changes = await self._reload()
            except (ConfigurationError, StoreError) as error:
                self._config_ok = False
                self.metrics.gauge("config_last_reload_successful", 0)
                _log.error("the configuration cannot be used; the last good one stays", problems=str(error))
                raise
            await give_back()
            return changes

    async def _reload(self) -> SettingsDifference:
        settings, changes, enroll = await asyncio.to_thread(self._read)
        put_in_force = await self.prober.prepare(settings.checks())
        outlets = self._reactions.outlets(settings)
        await self._apply(settings, enroll, put_in_force)
        await self.books.store.events.publish(_changed(changes, self.books.clock.now()))
        await self._reactions.replace(outlets)
        _log.info("configuration loaded again", changes=list(changes.lines()) or "none")
        return changes

    def _read(self) -> tuple[Settings, SettingsDifference, Callable[[], None]]:
        """Does in a thread what takes long for ten thousand checks."""
        old, new = self.books.settings, load_settings(self._config, advised=False)
        new.keep_equal(old)
        return new, difference(old, new), self.books.roster.prepare(new)

    async def _apply(self, settings: Settings, enroll: Callable[[], None], put_in_force: Callable[[], None]) -> None:
        """Puts a configuration in force: in the store, then on every page and on the wheel, or nowhere."""
        checks = settings.checks()
        await self.books.maintenance.follow(settings)
        await self.watch.replace(checks)
        enroll()
        await self.books.maintenance.put_in_force()
        self.metrics.watch(checks)
        put_in_force()
        self._config_ok = True
        self.metrics.gauge("config_last_reload_successful", 1)
        self.metrics.gauge("config_last_reload_success_timestamp_seconds", self.books.clock.now().timestamp())

    def health(self) -> AgentHealth:
        """Returns how the agent is, for /healthz."""
        age = self.books.clock.monotonic() - self.prober.last_tick
        return AgentHealth(
            version=version("online-sentry"),
            last_tick_age_s=age,
            stalled=age > STALLED_AFTER_S,
            store_ok=self.watch.store_answers,
            config_ok=self._config_ok,
        )

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Serves the pages and keeps every loop turning until the block ends; then writes what was seen."""
        loops = {
            "write": self.watch.write,
            "dispatch": self._reactions.dispatcher.run,
            "alerts": self._reactions.alerts.run,
            "incidents": self._reactions.incidents.run,
            "hearing": self._hearing.run,
            "groups": self._reactions.groups.run,
            "wheel": self.prober.run,
            "maintenance": self._reactions.watch_maintenance,
            "audits": self.audits.loop,
            **self._lookouts.loops(),
        }
        settings = self.books.settings
        await self.books.store.marks.watch_started()
        enroll = self.books.roster.prepare(settings)
        await self._apply(settings, enroll, await self.prober.prepare(settings.checks()))
        await self._reactions.release_removed()
        await self._reactions.incidents.resume()
        await self._lookouts.load()
        await resume(self._hearing, self.books)
        put_aside()
        async with AsyncExitStack() as stack:
            self.port = await self._serve(stack)
            tasks = [asyncio.create_task(self._forever(name, loop), name=name) for name, loop in loops.items()]
            stack.push_async_callback(self._stop, tasks)
            self._scheduler.start()
            yield

    async def _serve(self, stack: AsyncExitStack) -> int:
        host, port = self.books.settings.web.address
        pages = application(
            self.books, self.metrics, self.watch, self._lookouts, self.audits.rounds, self, self._reload_for_web
        )
        try:
            return await stack.enter_async_context(serving(pages, host, port))
        except OSError as error:
            text = f"{host}:{port} cannot be listened on ({error.strerror or error}); another agent may run, "
            raise ConfigurationError(
                [Problem(str(self._config), 0, "web.listen", text + "or choose another address")]
            ) from error

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        self._scheduler.stop()
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._reactions.incidents.close()
        self._hearing.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self.watch.flush()
        except TimeoutError:
            _log.error("the store does not answer: what it has not taken is lost", results=self.watch.queued)

    async def _forever(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """A loop that a bug of ours ends must not end the watch: it is started again, loudly."""
        while True:
            try:
                await loop()
            except Exception:  # noqa: BLE001  # whatever it was, the night goes on
                self.metrics.count("loop_crashes_total", loop=name)
                _log.exception("a loop of the agent failed and starts again", loop=name)
            await asyncio.sleep(RESTART_LOOP_AFTER_S)

    async def _reload_for_web(self) -> None:
        await self.reload()


@asynccontextmanager
async def open_agent(config: Path, clock: Clock | None = None, *, workers: int | None = None) -> AsyncIterator[Agent]:
    """Builds an agent and keeps it working until the block ends.

    Args:
        config: the main configuration file.
        clock: the machine's own when absent.
        workers: how many processes probe; as many as `probe.workers` says when absent.

    Raises:
        ConfigurationError: the configuration cannot be used.
        StoreError: the store cannot be opened, or another agent works on it.
    """
    keep_close()
    async with AsyncExitStack() as stack:
        books = await stack.enter_async_context(open_books(config, clock, lasting=True))
        settings = books.settings
        await stack.enter_async_context(books.store.database.sole_agent())
        token = settings.web.token
        require_token(settings.web.address[0], token.get_secret_value() if token else None, file=str(config))
        session = await stack.enter_async_context(open_session())
        tls = await asyncio.to_thread(_trust, settings.probe.ca_file)
        resolver = AiodnsResolver(books.clock, settings.probe.resolvers)
        stack.push_async_callback(resolver.close)
        channels = ChannelEnvironment(clock=books.clock, session=session, tls=tls)
        download = await stack.enter_async_context(downloading(books, resolver, tls))
        agent = Agent(config, books, channels, resolver, download, workers=_workers(config, settings, workers))
        await stack.enter_async_context(agent.working())
        yield agent


def _workers(config: Path, settings: Settings, asked_for: int | None) -> int:
    """How many processes probe; each needs its part of the probes that may run at once."""
    workers, limit = asked_for or settings.probe.workers, settings.probe.max_concurrent
    if workers > limit:
        text = f"{workers} workers cannot share probe.max_concurrent: {limit}; give it at least one probe for each"
        raise ConfigurationError([Problem(str(config), 0, "probe.workers", text)])
    return workers


def _changed(changes: SettingsDifference, at: datetime) -> list[Event]:
    """What a reload changed, for the failure report: an outage often begins with a change."""
    told = {"added": "the check was added", "changed": "the configuration of the check was changed"}
    return [
        Event(EventKind.CHANGE_SEEN, at, key, {"kind": "configuration", "text": text})
        for field, text in told.items()
        for key in getattr(changes.checks, field)
    ]


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
