"""A scene of the fault matrix: the agent's machine, the world, and what the agent has written of it."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.obedient_sites import Command
from benchmarks.time_lapse import SHIFT_FILE, Lapse
from tests.e2e.house import mail_channel, rows, series
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.loopback import free_port
from tests.integration.servers.process import ServerProcess, wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.matrix.network import Network

ROOT = Path(__file__).parents[2]
EPOCH = datetime(2025, 6, 10, 8, 0, tzinfo=UTC)
"""Where the agent's time begins: past, so that commands with the machine's own clock find the month over."""

ANCHORS = ("11.81.0.1:8080", "11.82.0.1:8080")
RESOLVERS = ("11.83.0.53", "11.84.0.53")
WEB_PORT = 8080
CLIENTS, OPERATORS = "clients", "operators"
"""The channels: who hears of sites, and who hears of the agent itself."""

MINUTE_S = 60
SITES = {f"site-{number:03}": [f"11.80.2.{number}"] for number in range(200)}


class QuickAgent(AgentProcess):
    """The agent in time lapse."""

    def __init__(self, config: Path, port: int, lapse: Lapse) -> None:
        super().__init__(config, port)
        self._lapse = lapse

    def command(self) -> Sequence[str]:
        return (
            "nice",
            "-n",
            "-15",
            sys.executable,
            "-m",
            "benchmarks.time_lapse",
            str(self.config),
            *self._lapse.arguments(),
        )

    def environment(self) -> Mapping[str, str]:
        # Traced for coverage it would be too slow for its clock; the other tests cover the same lines.
        plain = {name: value for name, value in super().environment().items() if not name.startswith("COV")}
        return {**plain, "PYTHONPATH": str(ROOT)}


class WorldProcess(ServerProcess):
    """A program of ours, run in the world until it is killed.

    Args:
        module: of the program.
        words: its command line.
        control: where it listens for commands; it is ready once that is there.
    """

    def __init__(self, folder: Path, network: Network, module: str, *words: str, control: Path | None = None) -> None:
        super().__init__(folder)
        self.name = f"{module.rpartition('.')[2]}-{words[0]}"
        self._control = control
        self._command = network.in_world(["nice", "-n", "-10", sys.executable, "-m", module, *words])

    def command(self) -> Sequence[str]:
        return self._command

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "PYTHONPATH": str(ROOT)}

    def is_ready(self) -> bool:
        return self._control is None or self._control.exists()

    def tell(self, host: str, mode: str) -> float:
        """Has a site behave in another way; returns the machine's monotonic time of the change."""
        assert self._control is not None
        with Command(self._control) as command:
            return command(host, mode)


@dataclass
class Plot:
    """What a scene is made of.

    Attributes:
        sites: the addresses of each site, by its key; the name is `key.test`.
        ports: of sites that stand on a server process of their own.
        keys: further keys of every site; own: of some sites, by their key.
        sections: further sections of the configuration.
    """

    speed: float = 12
    epoch: datetime = EPOCH
    sites: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sections: Mapping[str, Any] = field(default_factory=dict)
    store: Path | None = None


class Scene:
    """Everything runs, and every site was seen up.

    Attributes:
        servers: the web servers by their port.
        resolvers: the name servers by their address.
        began_at: when every site had been seen up, seconds since 1970 in the agent's time.
    """

    def __init__(self, folder: Path, network: Network, plot: Plot) -> None:
        self.network, self.plot = network, plot
        self.began_at = 0.0
        self._heard = 0
        self.lapse = Lapse.begin(plot.speed, plot.epoch)
        self.mail = SmtpSink()
        self.servers = {port: self._server(folder, port) for port in {WEB_PORT, *plot.ports.values()}}
        zone = folder / "zone.json"
        zone.write_text(json.dumps({f"{key}.test": list(of) for key, of in plot.sites.items()}))
        self.resolvers = {address: self._resolver(folder, address, zone) for address in RESOLVERS}
        self.store = plot.store or folder / "agent" / "sentry.db"
        self.agent = self._agent(folder / "agent")

    def _server(self, folder: Path, port: int) -> WorldProcess:
        control = folder / f"{port}.socket"
        return WorldProcess(
            folder, self.network, "benchmarks.obedient_sites", str(port), str(control), control=control
        )

    def _resolver(self, folder: Path, address: str, zone: Path) -> WorldProcess:
        ready = folder / f"{address}.ready"
        words = (address, str(zone), str(ready))
        return WorldProcess(folder, self.network, "tests.matrix.name_server", *words, control=ready)

    def _agent(self, folder: Path) -> QuickAgent:
        port = free_port()
        check = {"kind": "http", "timeout_s": 1.5 * self.plot.speed, **self.plot.check}
        sites = {
            key: {
                "url": f"http://{key}.test:{self.plot.ports.get(key, WEB_PORT)}/",
                "checks": [check],
                **self.plot.keys,
                **self.plot.own.get(key, {}),
            }
            for key in self.plot.sites
        }
        document = agent_document(
            port,
            sites,
            {name: mail_channel(self.mail, to=[f"{name}@example.com"]) for name in (CLIENTS, OPERATORS)},
            routes=[{"about": "site", "to": [CLIENTS]}, {"about": "agent", "to": [OPERATORS]}],
            interval_s=MINUTE_S,
            recheck_after_s=(10, 20),
            language="en",
            store=f"sqlite:///{self.store}",
            probe={"resolvers": list(RESOLVERS), "anchors": list(ANCHORS)},
            **self.plot.sections,
        )
        return QuickAgent(write_config(folder / "sentry.yaml", document), port, self.lapse)

    @contextmanager
    def playing(self) -> Iterator["Scene"]:
        """Runs all of it until the block ends."""
        with ExitStack() as stack:
            stack.enter_context(self.network.inside())
            stack.enter_context(self.mail)
            for process in (*self.servers.values(), *self.resolvers.values(), self.agent):
                stack.enter_context(process)
            up = float(len(self.plot.sites))
            wait_until(lambda: self.series("probe_success{") == up, "every site to be up", within_s=60)
            wait_until(lambda: not any(one["state"] == "open" for one in self.incidents()), "the agent to be at ease")
            self.settle()
            self._heard = len(self.mail.mails)
            self.began_at = self.lapse.seconds()
            yield self

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def turn(self, site: str, mode: str) -> float:
        """Has a site behave in another way; returns the instant, seconds since 1970 in the agent's time."""
        at = self.servers[self.plot.ports.get(site, WEB_PORT)].tell(f"{site}.test", mode)
        return self.lapse.epoch + (at - self.lapse.origin) * self.lapse.speed

    def pass_by(self, minutes: float) -> None:
        """Lets so many minutes of the agent go by."""
        self.lapse.wait_until(self.lapse.seconds() + minutes * MINUTE_S)

    def skip(self, seconds: float) -> None:
        """Lets time go by at once, while no agent runs that could see it."""
        assert not self.agent.is_running
        self.lapse.epoch += seconds

    def set_clock(self, shift_s: float) -> None:
        """Sets the agent's wall clock to so many seconds beside its course."""
        (self.agent.folder / SHIFT_FILE).write_text(repr(shift_s))
        self.agent.signal(signal.SIGUSR1)

    # ── what the agent made of it ────────────────────────────────────────────────────────────────────────────────

    def series(self, start: str) -> float:
        """Returns the sum of the agent's series whose line starts like this."""
        return series(self.agent.metrics(), start)

    def json(self, path: str) -> Any:
        """Returns what the agent's interface answers."""
        answer = self.agent.get(f"/api/v1/{path}")
        assert answer.status == 200, answer.text
        return answer.json()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Reads the store beside the agent."""
        return rows(self.store, query)

    def settle(self) -> None:
        """Waits until everything that happened has been written and handled."""
        owed = "SELECT count(*) FROM event_handlings WHERE state = 'pending'"
        wait_until(
            lambda: self.series("sentry_queue_depth") == 0 and self.rows(owed) == [(0,)], "every event to be handled"
        )

    def incidents(self) -> list[dict[str, Any]]:
        """Returns every incident, newest first."""
        items: list[dict[str, Any]] = self.json("incidents?limit=500")["items"]
        return items

    def told(self, channel: str) -> list[str]:
        """Returns the subjects of the mails to a channel since the scene began, oldest first."""
        return [
            mail.subject for mail in self.mail.mails[self._heard :] if mail.recipients == (f"{channel}@example.com",)
        ]

    def minutes(self, site: str) -> dict[int, str]:
        """Returns the state of each minute that the agent has written of a site, by its number since 1970."""
        runs = self.rows(
            "SELECT checks.key, start_minute, end_minute, state FROM ledger_runs JOIN checks ON checks.id = check_id"
        )
        return {
            minute: state for key, start, end, state in runs if key == f"{site}/http" for minute in range(start, end)
        }

    def down_minutes(self) -> dict[str, set[int]]:
        """Returns the minutes down of every site that has any."""
        down = {
            key: {minute for minute, state in self.minutes(key).items() if state == "down"} for key in self.plot.sites
        }
        return {key: minutes for key, minutes in down.items() if minutes}


def assert_nobody_accused(scene: Scene) -> None:
    """No outage, no incident, no minute down, and no client was told anything."""
    assert scene.rows("SELECT count(*) FROM outages") == [(0,)]
    assert [incident for incident in scene.incidents() if incident["site"]] == []
    assert scene.down_minutes() == {}
    assert scene.told(CLIENTS) == []


def unknown_of(scene: Scene, site: str, first: int, last: int) -> list[int]:
    """Returns the minutes [first, last] of a site that nothing is written of, or that are written as unknown."""
    known = scene.minutes(site)
    return [minute for minute in range(first, last + 1) if known.get(minute, "unknown") == "unknown"]
