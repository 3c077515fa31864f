"""The configuration changes under a running agent: a broken one changes nothing, a good one only what it names."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House, http_site
from tests.integration.servers.agent_config import Document, agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.webhook_sink import WebhookSink

IN_FORCE = "sentry_config_last_reload_successful"


class Street:
    """Sites, each a server of its own, and the agent that watches some of them."""

    def __init__(self, stack: ExitStack, folder: Path, port: int) -> None:
        self.sites = {key: stack.enter_context(WebhookSink()) for key in ("steady", "gone", "slow", "fresh")}
        self._port = port
        self.house = House.prepare(folder, port, self.watched("steady", "gone", "slow"))
        stack.enter_context(self.house.site)
        stack.enter_context(self.house.agent)
        wait_until(lambda: all(self.calls(key) for key in ("steady", "gone", "slow")), "every site to be probed")

    def watched(self, *keys: str, **slow: Any) -> dict[str, Any]:
        """Sections of the sites of these keys; `slow` are further keys of that site's check."""
        return {key: http_site(self.sites[key], **(slow if key == "slow" else {})) for key in keys}

    def document(self, sites: dict[str, Any]) -> Document:
        """The configuration with these sites beside `acme-shop`."""
        everything = {"acme-shop": http_site(self.house.site), **sites}
        return agent_document(self._port, everything, store=f"sqlite:///{self.house.store}")

    def calls(self, key: str) -> int:
        """How often a site was probed."""
        return len(self.sites[key].calls)

    def write(self, document: Document) -> None:
        write_config(self.house.agent.config, document)

    def slots(self, key: str) -> list[int]:
        """The instants, in ms, of the probes of a site, without re-checks."""
        query = "SELECT minute * 60000 + offset_ms FROM samples JOIN checks ON checks.id = check_id"
        return [at for (at,) in self.house.rows(f"{query} WHERE key = '{key}/http' AND kind = 0 ORDER BY 1")]

    def wait_for_more(self, key: str, count: int = 3) -> None:
        """Waits until a site was probed this often from now on."""
        before = self.calls(key)
        wait_until(lambda: self.calls(key) >= before + count, f"{count} more probes of {key}")


@pytest.fixture
def street(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Street]:
    with ExitStack() as stack:
        yield Street(stack, tmp_path / "agent", free_port())


def test_broken_configuration_is_refused_with_every_problem_and_the_last_good_one_stays(street: Street) -> None:
    """By signal and by request: the gauge falls, each problem has file and line, and every site is still probed."""
    house = street.house
    assert house.series(IN_FORCE) == 1

    house.agent.config.write_text("sites:\n  - {key: half, url: 'http://127.0.0.1/'\n")
    house.agent.reload()
    wait_until(lambda: house.series(IN_FORCE) == 0, "the gauge to fall")
    assert not house.health()["config_ok"]

    broken = street.document(street.watched("steady", "gone", "slow"))
    broken["sites"][1]["url"] = "ftp://127.0.0.1/"
    broken["sites"][2]["plan"] = "no-such-plan"
    broken["sites"][3]["checks"][0]["timeout"] = 3
    street.write(broken)
    answer = house.agent.post("/-/reload")
    problems = answer.json()["problems"]
    assert answer.status == 400
    lines = house.agent.config.read_text().splitlines()
    said = {problem["path"]: lines[problem["line"] - 1] for problem in problems}
    assert len(problems) == len(said) == 3
    assert {problem["file"] for problem in problems} == {str(house.agent.config)}
    assert any("ftp://" in line for line in said.values())
    assert any("no-such-plan" in line for line in said.values())
    assert any("timeout: 3" in line for line in said.values())
    assert house.series(IN_FORCE) == 0

    for key in ("steady", "gone", "slow"):
        street.wait_for_more(key)
    assert house.series("probe_success{") == 4

    street.write(street.document(street.watched("steady", "gone", "slow")))
    house.agent.reload()
    wait_until(lambda: house.series(IN_FORCE) == 1, "the gauge to rise")
    assert house.health()["config_ok"]


def test_good_configuration_restarts_only_what_it_changes(street: Street) -> None:
    """One site is new, one is gone, one has another interval; the others keep their slots to the millisecond."""
    house = street.house
    street.wait_for_more("steady")

    street.write(street.document(street.watched("steady", "slow", "fresh", interval_s=1)))
    answer = house.agent.post("/-/reload")
    assert answer.status == 200
    assert answer.json() == {"reloaded": True, "sites": 4, "checks": 4}
    gone = street.calls("gone")
    wait_until(lambda: street.calls("fresh") > 0, "the new site to be probed", within_s=8)

    street.wait_for_more("steady", 4)
    street.wait_for_more("slow", 4)
    page = house.agent.metrics()
    assert 'site="fresh"' in page
    assert 'site="gone"' not in page
    assert street.sites["gone"].url() not in page
    assert street.calls("gone") <= gone + 1
    assert house.agent.stop() == 0

    gaps = {key: [after - before for before, after in pairwise(street.slots(key))] for key in ("steady", "slow")}
    # The first probe after a start stands before the first slot. A busy machine may miss a slot; a restart moves it.
    assert {gap % 2000 for gap in gaps["steady"][1:]} == {0}
    assert 1000 in gaps["slow"][-3:]


def test_reload_while_the_store_is_locked_changes_nothing_and_can_be_repeated(street: Street) -> None:
    """503, and neither pages nor probes are half of the old configuration and half of the new."""
    house = street.house
    street.write(street.document(street.watched("steady", "slow", "fresh")))
    with closing(sqlite3.connect(house.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = house.agent.post("/-/reload", within_s=20)
        assert answer.status == 503
        assert house.series(IN_FORCE) == 0
        sites = {site["key"] for site in house.agent.get("/api/v1/sites").json()["items"]}
        assert sites == {"acme-shop", "steady", "gone", "slow"}
        street.wait_for_more("gone")
        other.execute("ROLLBACK")

    assert house.agent.post("/-/reload").status == 200
    assert house.series(IN_FORCE) == 1
    wait_until(lambda: street.calls("fresh") > 0, "the new site to be probed")


def test_site_that_is_removed_while_it_is_down_holds_no_incident_open(street: Street) -> None:
    """Nobody would see it recover, so its incident ends with its watch, and says so."""
    house = street.house
    street.sites["gone"].status = 503
    wait_until(lambda: house.is_down("gone"), "the outage")
    wait_until(lambda: bool(house.json("incident", "list")), "the incident")

    street.write(street.document(street.watched("steady", "slow")))
    assert house.agent.post("/-/reload").status == 200
    house.settle()

    (incident,) = house.json("incident", "list")
    assert (incident["site_key"], incident["state"]) == ("gone", "resolved")
    assert any("no longer watched" in entry["text"] for entry in house.json("incident", "show", "1")["timeline"])
    assert house.json("ticket", "show", "1")["state"] == "solved"
