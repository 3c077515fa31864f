"""What the fault tests share: a site that obeys, a mail server, the agent, and a look at what it has written."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import Document, agent_document, write_config
from tests.integration.servers.process import ServerError, wait_until
from tests.integration.servers.smtp_sink import ReceivedMail, SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

RECIPIENT = "guardia@example.com"


def http_site(site: WebhookSink, **keys: Any) -> dict[str, Any]:
    """Returns a site of the configuration with one http check."""
    return {"url": site.url(), "checks": [{"kind": "http", "timeout_s": 3, **keys}]}


def mail_channel(mail: SmtpSink, **keys: Any) -> dict[str, Any]:
    """Returns a channel that mails to one person."""
    return {"kind": "email", "to": [RECIPIENT], "smtp": mail.url, **keys}


@dataclass(frozen=True, slots=True)
class House:
    """A site that answers with `site.status`, a mail server, and the agent as a process of its own."""

    site: WebhookSink
    mail: SmtpSink
    agent: AgentProcess
    store: Path

    @classmethod
    def prepare(
        cls, folder: Path, port: int, sites: Mapping[str, Any], *, store: Path | None = None, **sections: Any
    ) -> "House":
        """Writes a configuration that watches `acme-shop` and these sites; nothing runs yet."""
        site, mail = WebhookSink(), SmtpSink()
        channels = sections.pop("channels", {"guardia": mail_channel(mail)})
        store = store or folder / "sentry.db"
        document = agent_document(
            port, {"acme-shop": http_site(site), **sites}, channels, store=f"sqlite:///{store}", **sections
        )
        return cls(site, mail, AgentProcess(write_config(folder / "sentry.yaml", document), port), store)

    def json(self, *command: str) -> Any:
        """Returns what a reading command of the agent answers."""
        done = self.agent.cli(*command, "--json")
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def series(self, start: str) -> float:
        """Returns the sum of the agent's series whose line starts like this."""
        return series(self.agent.metrics(), start)

    def probes(self) -> float:
        """Returns how many probes have ended since the agent started."""
        return self.series("sentry_checks_total{")

    def is_down(self, site_key: str = "acme-shop") -> bool:
        """Whether the agent believes that a check of the site is down."""
        lines = [line for line in self.agent.metrics().splitlines() if line.startswith("sentry_check_down{")]
        return any(line.endswith(" 1") for line in lines if f'site="{site_key}"' in line)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Reads the store beside the agent."""
        return rows(self.store, query)

    def wait_for_probes(self, count: int = 2) -> None:
        """Waits until the agent has probed this often."""
        wait_until(lambda: self.probes() >= count, f"{count} probes")

    def turn(self, *, down: bool) -> None:
        """Breaks or mends the site and waits until the agent believes it."""
        self.site.status = 503 if down else 200
        wait_until(lambda: self.is_down() is down, f"the site to be seen {'down' if down else 'up'}")

    def health(self) -> Any:
        """Returns what /healthz says."""
        return self.agent.get("/healthz").json()

    def settle(self) -> None:
        """Waits until everything that happened has been written and handled."""
        owed = "SELECT count(*) FROM event_handlings WHERE state = 'pending'"
        wait_until(
            lambda: self.series("sentry_queue_depth") == 0 and self.rows(owed) == [(0,)], "every event to be handled"
        )

    def assert_one_story(self) -> None:
        """One incident, resolved; one solved ticket; one opening and one resolution in one thread; all proven."""
        incidents = self.json("incident", "list")
        assert [(one["id"], one["state"], one["opening"]) for one in incidents] == [(1, "resolved", 1)]
        tickets = self.json("ticket", "list")
        assert [(one["number"], one["state"]) for one in tickets] == [(1, "solved")]
        assert self.json("verify") == {"ok": True, "problems": []}
        assert_one_thread(self.mail.mails)


def series(page: str, start: str) -> float:
    """Returns the sum of the values of a metrics page whose line starts like this."""
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(start))


def rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    """Reads a SQLite store that may be in use."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def assert_one_thread(mails: Sequence[ReceivedMail]) -> None:
    """One recipient has heard of the opening once and then of the end once, as an answer to it."""
    assert [mail.subject for mail in mails][2:] == []
    opening, resolution = (mail.message for mail in mails)
    assert opening["References"] is None
    assert resolution["References"] == resolution["In-Reply-To"] == opening["Message-ID"]
    assert resolution["Message-ID"] != opening["Message-ID"]


def assert_tiled(ledger: Mapping[str, Any]) -> None:
    """The intervals of a ledger follow each other without gap or overlap, and the minutes add up."""
    intervals = ledger["intervals"]
    assert all(one["until"] == other["from"] for one, other in pairwise(intervals))
    minutes = dict(ledger["minutes"])
    assert sum(one["minutes"] for one in intervals) >= minutes["total"]
    assert minutes.pop("total") == sum(minutes.values())


def write(agent: AgentProcess, document: Document) -> None:
    """Puts another configuration in place of an agent's; it is not told."""
    write_config(agent.config, document)


async def until(holds: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    """Waits, beside an agent that runs in this event loop, until a condition holds.

    Raises:
        ServerError: it did not hold in time.
    """
    try:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110  # what is waited for may be another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ServerError(f"waited {within_s:g} s in vain for: {what}") from None
