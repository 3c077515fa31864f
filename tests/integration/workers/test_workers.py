"""Two workers do what one agent does alone: the same results, the same story, the same figures."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import House, http_site
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.webhook_sink import WebhookSink
from tests.integration.workers.conftest import OpenShop, Shop, children, page

PASSWORD = "s3cret-of-the-shop"  # a test credential


@pytest.mark.timeout(150)
def test_story_and_metrics_are_the_same_with_two_workers(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """An outage from its first failure to its last mail, and every series of the page but those of the workers."""
    names: dict[int, set[str]] = {}
    for workers in (1, 2):
        with ExitStack() as stack:
            others = stack.enter_context(WebhookSink())
            sites: dict[str, Any] = {f"other{n}": http_site(others) for n in range(6)} | _further_kinds(others)
            house = House.prepare(
                tmp_path / f"agent{workers}", free_port(), sites, probe={"workers": workers}, interval_s=1
            )
            for server in (house.site, house.mail, house.agent):
                stack.enter_context(server)
            house.wait_for_probes(30)
            assert len(children(house.agent.pid)) == (0 if workers == 1 else workers)
            house.turn(down=True)
            house.turn(down=False)
            wait_until(lambda house=house: len(house.mail.mails) >= 2, "both mails")  # type: ignore[misc]  # bound now
            house.settle()
            house.assert_one_story()
            names[workers] = _names(house)
    assert {name for name in names[1] if "worker" in name} == set()
    assert {name for name in names[2] if "sentry_worker_" not in name} == names[1]


def _further_kinds(server: WebhookSink) -> dict[str, Any]:
    """One of each kind that needs no further server; a heartbeat stays with the agent."""
    url = server.url()
    checks = [
        {"kind": "tcp", "port": server.port},
        {"kind": "icmp"},
        {"kind": "heartbeat", "every_s": 3600},
    ]
    return {"kinds": {"url": url, "checks": checks}}


def _names(house: House) -> set[str]:
    """Every series of the page, without its value and what differs from run to run."""
    lines = (line for line in house.agent.metrics().splitlines() if line and not line.startswith("#"))
    found = {line.rpartition(" ")[0] for line in lines}
    ports = {str(house.site.port): "SITE", house.agent.url.rpartition(":")[2]: "AGENT"}
    return {_without(ports, name) for name in found if "handler=" not in name and "le=" not in name}


def _without(ports: Mapping[str, str], name: str) -> str:
    name = name if "sentry_web_requests_total" not in name else "web"
    for port, word in ports.items():
        name = name.replace(port, word)
    start, colon, rest = name.partition("127.0.0.1:")
    return f"{start}{colon}{rest.lstrip('0123456789')}"


@pytest.mark.timeout(90)
def test_rechecks_reach_the_worker_that_probes_the_check(open_shop: OpenShop) -> None:
    """With a slot a minute, sites of both workers are confirmed down, and up again, in seconds."""
    shop = open_shop(interval_s=60, sites=6)
    wait_until(lambda: len(shop.calls()) == 6, "each page to be asked for")
    shop.reload(plans=_faster(shop.document, recheck_after_s=[0.6, 0.6]))
    shop.site.status = 503
    sites = [{**site, "url": f"{site['url']}?now"} for site in shop.document["sites"]]
    shop.reload(sites=sites)  # changed checks are probed at once
    wait_until(lambda: shop.down() == 6, "six outages", within_s=15)
    shop.site.status = 200
    shop.reload(sites=shop.document["sites"])
    wait_until(lambda: shop.down() == 0, "six recoveries", within_s=15)


@pytest.mark.promise("000-26")
@pytest.mark.timeout(120)
def test_site_whose_request_budget_is_used_up_is_left_in_peace_by_every_worker(open_shop: OpenShop) -> None:
    """Twelve checks a second use 96 requests up at once; from then on each is probed a few times an hour."""
    shop = open_shop(sites=1)
    (site,) = shop.document["sites"]
    checks = [{"kind": "http", "name": f"c{number}", "url": f"/s0?{number}", "timeout_s": 3} for number in range(12)]
    shop.reload(sites=[{**site, "checks": checks, "request_budget": {"requests_per_day": 96}}])
    wait_until(lambda: shop.series("sentry_request_budget_used_ratio{") >= 1, "the budget to be used up", within_s=60)
    wait_until(lambda: _rests(shop), "no check to be probed for a while", within_s=30)
    asked = sum(shop.calls().values())
    assert asked - 12 <= shop.series("sentry_site_requests_today{") <= asked  # as of the last look


def _rests(shop: Shop) -> bool:
    """Whether every check was last probed some seconds ago, though its slots are a second apart."""
    start = "sentry_last_run_age_seconds{"
    ages = [float(line.rpartition(" ")[2]) for line in shop.agent.metrics().splitlines() if line.startswith(start)]
    return len(ages) == 12 and min(ages) > 5


def _faster(document: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    return {name: {**plan, **keys} for name, plan in document["plans"].items()}


@pytest.mark.timeout(90)
def test_reload_is_taken_up_by_every_worker_and_touches_nothing_else(open_shop: OpenShop) -> None:
    """Added, removed and changed checks of both shards; the workers stay the same processes."""
    shop = open_shop(interval_s=1)
    shop.wait_for_all()
    before = shop.workers()
    sites = shop.document["sites"]
    added = [
        {"key": f"n{number}", "client": "acme", "plan": "priority", **page(shop.site, f"n{number}")}
        for number in range(6)
    ]
    changed = [{**site, "checks": [{"kind": "http", "expect_text": "no such text"}]} for site in sites[2:5]]
    shop.reload(sites=[*changed, *sites[5:], *added])
    time.sleep(1)  # probes under way end
    gone = {path: shop.calls()[path] for path in ("/s0", "/s1")}
    wait_until(lambda: shop.down() == 3, "the changed checks to be down")
    wait_until(lambda: {f"/n{number}" for number in range(6)} <= shop.calls().keys(), "the added pages")

    time.sleep(1)
    assert {path: shop.calls()[path] for path in gone} == gone
    assert shop.workers() == before


def test_broken_configuration_leaves_the_last_good_one_in_every_worker(open_shop: OpenShop) -> None:
    """A certificate that is none is found before any worker hears of it."""
    shop = open_shop()
    shop.wait_for_all()
    site = {**shop.document["sites"][0]}
    (shop.agent.folder / "client.pem").write_text("no certificate", encoding="ascii")
    site["checks"] = [{"kind": "http", "client_cert_file": "client.pem"}]
    write_config(shop.agent.config, {**shop.document, "sites": [site]})
    shop.agent.reload()
    wait_until(lambda: shop.series("sentry_config_last_reload_successful") == 0, "the reload to fail")
    shop.wait_for_all()
    assert shop.series("sentry_worker_restarts_total{") == 0


def test_calls_of_a_job_are_heard_with_workers_too(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """A heartbeat check is looked at by the agent, which has the book of calls."""
    port = free_port()
    with WebhookSink() as site:
        checks = [{"kind": "http"}, {"kind": "heartbeat", "name": "backup", "every_s": 3600}]
        document = agent_document(port, {"shop": {"url": site.url(), "checks": checks}}, interval_s=1)
        with AgentProcess(write_config(tmp_path / "sentry.yaml", document), port, workers=2) as agent:
            assert agent.post("/heartbeat/shop/backup").status < 300
            wait_until(
                lambda: any(
                    line.startswith("probe_success{") and 'job="backup"' in line and line.endswith(" 1")
                    for line in agent.metrics().splitlines()
                ),
                "the call to be seen",
            )


class _SecretiveAgent(AgentProcess):
    """Its password stands in a file that the environment names."""

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), "SHOP_PASSWORD_FILE": str(self.folder / "password")}


def test_secret_of_a_check_reaches_its_worker_and_nobody_else(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """It is sent to the site, and stands in no argument and no environment of a worker."""
    port = free_port()
    (tmp_path / "password").write_text(PASSWORD, encoding="ascii")
    with WebhookSink() as site:
        check = {"kind": "http", "username": "shop", "password": "${SHOP_PASSWORD}"}
        document = agent_document(port, {"shop": {"url": site.url(), "checks": [check]}}, interval_s=1)
        with _SecretiveAgent(write_config(tmp_path / "sentry.yaml", document), port, workers=2) as agent:
            (call, *_) = site.wait_for(1)
            assert call.headers["authorization"].startswith("Basic ")
            workers = children(agent.pid)
            assert len(workers) == 2
            for worker in workers:
                for file in ("cmdline", "environ"):
                    assert PASSWORD.encode() not in Path(f"/proc/{worker}/{file}").read_bytes()
            assert PASSWORD not in agent.log


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--workers", "0"), 2, "--workers"),
        (("--workers", "65"), 2, "--workers"),
        (("--workers", "3"), 3, "3 workers"),
    ],
)
def test_number_of_workers_that_cannot_be_is_refused(
    tmp_path: Path, free_port: Callable[[], int], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """More workers than probes may run at once would leave one with nothing that it may do."""
    document = agent_document(free_port(), {"shop": "http://127.0.0.1/"}, probe={"max_concurrent": 2})
    agent = AgentProcess(write_config(tmp_path / "sentry.yaml", document), free_port())
    done = agent.cli("run", *arguments)
    assert done.returncode == code
    assert said in done.stderr


def test_json_of_a_failure_is_whole_with_workers(open_shop: OpenShop) -> None:
    """The failure report has the evidence that the worker saw: headers, body and each step."""
    shop = open_shop(sites=2)
    shop.site.status = 503
    wait_until(lambda: shop.down() == 2, "two outages")
    wait_until(lambda: len(json.loads(shop.agent.cli("incident", "list", "--json").stdout)) == 2, "two incidents")
    report = shop.agent.cli("incident", "show", "1", "--json").stdout
    assert "status 503" in report
    assert '"body_head"' in report
    assert "Server" in report
