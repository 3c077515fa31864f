"""The metrics page as the watch and the services fill it."""

import gzip
from dataclasses import replace

import pytest

from sentry.domain.health import Health, HealthState
from sentry.domain.result import Reason
from sentry.domain.site import CheckOptions
from sentry.metrics.registry import UnknownMetric
from sentry.metrics.telemetry import Metrics
from sentry.ports import SampleKind
from tests.fakes.clock import ManualClock
from tests.fakes.results import START, a_bad_result, a_check, a_good_result, an_unknown_result


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics(clock: ManualClock) -> Metrics:
    return Metrics(clock, strict=True)


def _lines(metrics: Metrics, family: str) -> list[str]:
    page = metrics.page().decode()
    return [line for line in page.splitlines() if line.startswith((f"{family}{{", f"{family} "))]


def test_probe_finished_good_shows_success_with_instance_and_job(metrics: Metrics) -> None:
    """The two labels that every blackbox dashboard selects by, and no other."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0.004)
    assert _lines(metrics, "probe_success") == ['probe_success{instance="https://shop.acme.example/",job="http"} 1']
    own = 'instance="https://shop.acme.example/",job="http",site="acme-shop",check="http"'
    info = f'sentry_check_info{{{own},client="acme",plan="priority",kind="http"}} 1'
    assert _lines(metrics, "sentry_check_info") == [info]


def test_probe_finished_unknown_leaves_no_stale_value(metrics: Metrics) -> None:
    """A fault of the agent makes the site neither up nor down, and counts the time."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    metrics.probe_finished(a_check(), an_unknown_result(), SampleKind.SLOT, 0)
    assert "\nprobe_" not in metrics.page().decode()
    assert _lines(metrics, "sentry_unknown_seconds_total") == ["sentry_unknown_seconds_total 60.0"]
    assert 'sentry_failures_total{reason="agent_network"} 1.0' in metrics.page().decode()


@pytest.mark.promise("001-28")
def test_slot_missed_any_is_counted_and_hides_the_last_values(metrics: Metrics) -> None:
    """A slot that was not probed is unknown, never up."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    metrics.slot_missed("acme-shop/http")
    assert _lines(metrics, "sentry_missed_slots_total") == ["sentry_missed_slots_total 1.0"]
    assert _lines(metrics, "probe_success") == []


def test_probe_finished_reason_is_a_counter_that_started_at_zero(metrics: Metrics) -> None:
    """Every reason of the closed set is there before it first happens, so that `increase` sees the first one."""
    page = metrics.page().decode()
    for reason in Reason:
        assert f'sentry_failures_total{{reason="{reason}"}} 0.0' in page
    metrics.probe_finished(a_check(), a_bad_result(), SampleKind.SLOT, 0)
    assert 'sentry_failures_total{reason="http_server_error"} 1.0' in metrics.page().decode()
    assert 'sentry_checks_total{result="down"} 1.0' in metrics.page().decode()


def test_page_many_checks_keeps_each_family_together(metrics: Metrics) -> None:
    """HELP and TYPE once, before all series of the family, as the format demands."""
    for number in range(5):
        check = a_check(f"s{number}/http", url=f"https://s{number}.example/")
        metrics.probe_finished(check, a_good_result(check.key), SampleKind.SLOT, 0)
    page = metrics.page().decode().splitlines()
    families = [line.split()[2] for line in page if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    first = page.index("# TYPE probe_success gauge")
    assert all(line.startswith("probe_success{") for line in page[first + 1 : first + 6])


def test_watch_two_sites_of_one_url_have_distinct_instances(metrics: Metrics) -> None:
    """Two clients may watch the same address; Prometheus would drop the second of two equal series."""
    one, two = a_check("a/http", url="https://x/"), a_check("b/http", url="https://x/")
    metrics.watch([one, two])
    for check in (one, two):
        metrics.probe_finished(check, a_good_result(check.key), SampleKind.SLOT, 0)
    series = [line.rpartition(" ")[0] for line in _lines(metrics, "probe_success")]
    assert series == [
        'probe_success{instance="https://x/",job="http"}',
        'probe_success{instance="https://x/#b",job="http"}',
    ]


def test_watch_password_in_url_is_not_shown(metrics: Metrics) -> None:
    """A URL with credentials is shown without them."""
    metrics.watch([a_check(url="https://user:hunter2@shop.example/")])
    page = metrics.page().decode()
    assert "hunter2" not in page
    assert 'instance="https://shop.example/"' in page


async def test_watch_never_run_check_grows_old(metrics: Metrics, clock: ManualClock) -> None:
    """A check that silently never runs is visible by its age."""
    metrics.watch([a_check()])
    await clock.advance(600)
    (line,) = _lines(metrics, "sentry_last_run_age_seconds")
    assert line.endswith(" 600.000")
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    assert _lines(metrics, "sentry_last_run_age_seconds")[0].endswith(" 0.000")


def test_watch_changed_check_keeps_one_set_of_series(metrics: Metrics) -> None:
    """A reload that moves a site to another URL leaves nothing of the old one."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    metrics.watch([a_check(url="https://new.example/")])
    assert "shop.acme.example/" not in metrics.page().decode()


def test_forget_check_removed_takes_its_sites_figures_along(metrics: Metrics) -> None:
    """With the last check of a site its budget vanishes too."""
    tls = replace(a_check("acme-shop/tls"), options=CheckOptions(kind="tls"))
    metrics.watch([a_check(), tls])
    metrics.gauge("slo_budget_remaining_seconds", 7776, site="acme-shop")
    metrics.forget_check("acme-shop/http")
    assert _lines(metrics, "sentry_slo_budget_remaining_seconds")
    metrics.forget_check("acme-shop/tls")
    assert "acme-shop" not in metrics.page().decode()


def test_verdict_down_is_shown_apart_from_the_last_probe(metrics: Metrics) -> None:
    """`probe_success` is the last probe; `sentry_check_down` is what is believed."""
    metrics.watch([a_check()])
    metrics.verdict("acme-shop/http", Health("acme-shop/http", HealthState.RECOVERING, since=START))
    assert _lines(metrics, "sentry_check_down")[0].endswith(" 1")
    assert _lines(metrics, "sentry_check_state_since_timestamp_seconds")[0].endswith(f" {int(START.timestamp())}")
    assert _lines(metrics, "sentry_check_info")
    metrics.verdict("acme-shop/http", Health("acme-shop/http", HealthState.UP, since=START))
    assert _lines(metrics, "sentry_check_down")[0].endswith(" 0")


@pytest.mark.parametrize(
    ("name", "labels"),
    [("no_such_total", {}), ("alerts_total", {}), ("alerts_total", {"chanel": "x"}), ("loop_lag_seconds", {})],
)
def test_count_not_in_table_is_an_error_in_tests(metrics: Metrics, name: str, labels: dict[str, str]) -> None:
    """A typing mistake in a name, a label or a type never passes a test."""
    with pytest.raises(UnknownMetric):
        metrics.count(name, 1, **labels)


def test_gauge_never_set_is_absent(metrics: Metrics) -> None:
    """Before the outbox was looked at, the page does not say that nothing is owed."""
    assert "sentry_outbox_pending" not in metrics.page().decode()
    metrics.gauge("outbox_pending", 1)
    metrics.gauge("outbox_pending", 0)
    assert _lines(metrics, "sentry_outbox_pending") == ["sentry_outbox_pending 0.0"]


def test_count_not_in_table_in_production_is_counted(clock: ManualClock) -> None:
    """A figure never stops the work it tells of."""
    metrics = Metrics(clock)
    metrics.count("no_such_total")
    metrics.gauge("checks_total", 1, result="up")
    assert _lines(metrics, "sentry_telemetry_errors_total") == ["sentry_telemetry_errors_total 2.0"]


async def test_render_gzip_is_the_same_page(metrics: Metrics) -> None:
    """Compressed in a thread, and complete."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    plain = await metrics.render()
    packed = gzip.decompress(await metrics.render(gzipped=True))
    assert b"probe_success{" in packed
    assert [line for line in packed.splitlines() if not line.startswith(b"process_")] == [
        line for line in plain.splitlines() if not line.startswith(b"process_")
    ]


def test_probe_page_one_check_has_blackbox_form(metrics: Metrics) -> None:
    """Without labels of its own, as the scrape configuration of blackbox_exporter gives them by relabelling."""
    metrics.probe_finished(a_check(), a_good_result(), SampleKind.SLOT, 0)
    page = metrics.probe_page("acme-shop/http")
    assert page is not None
    lines = page.decode().splitlines()
    assert "probe_success 1" in lines
    assert 'probe_http_duration_seconds{phase="tls"} 0.041' in lines
    assert "instance=" not in page.decode()
    assert metrics.probe_page("nobody/http") is None
