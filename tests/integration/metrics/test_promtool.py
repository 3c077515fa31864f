"""The page under the eyes of Prometheus' own linter."""

import subprocess
from dataclasses import replace

import pytest

from sentry.domain.health import Health, HealthState
from sentry.metrics.families import CHECK_FAMILIES, PROBE_FAMILIES
from sentry.metrics.own import OWN_METRICS, MetricType
from sentry.metrics.telemetry import Metrics
from sentry.ports import SampleKind
from tests.fakes.clock import ManualClock
from tests.fakes.results import START, a_bad_result, a_check, a_good_result
from tests.integration.servers.process import require


def _page_of_everything() -> str:
    metrics = Metrics(ManualClock(), strict=True)
    for kind in ("http", "dns", "icmp"):
        check = a_check(f"acme-shop/{kind}", kind=kind)
        good = a_good_result(check.key)
        measured = [family for family in PROBE_FAMILIES if "duration" not in family and "info" not in family]
        values = {family.removeprefix("probe_"): 1.0 for family in measured} if kind == "dns" else {}
        result = replace(good, evidence=replace(good.evidence, values={**values, "a_further_figure": 1.0}))
        metrics.probe_finished(check, result, SampleKind.SLOT, 0.1)
        metrics.verdict(check.key, Health(check.key, HealthState.UP, since=START))
    evil = a_check("evil/http", url='https://e.example/"\\\n')
    metrics.probe_finished(evil, a_bad_result(evil.key), SampleKind.SLOT, 0.1)
    for metric in OWN_METRICS.values():
        labels = {label: f'{label} "x"\n\\' for label in metric.labels}
        (metrics.gauge if metric.type is MetricType.GAUGE else metrics.count)(metric.name, 1.0, **labels)
    return metrics.page().decode()


@pytest.mark.integration
def test_page_every_family_is_clean_for_promtool() -> None:
    """Every family of every table, with hostile labels, without a complaint."""
    page = _page_of_everything()
    for family in (*PROBE_FAMILIES, *CHECK_FAMILIES, *(metric.full_name for metric in OWN_METRICS.values())):
        assert f"# TYPE {family} " in page, family
    promtool = require("promtool", "prometheus")
    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
