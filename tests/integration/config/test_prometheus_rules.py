"""The rules and the scrape configuration, judged by Prometheus' own tool."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentry.data import config_folder
from tests.integration.servers.process import require

FOLDER = config_folder() / "prometheus"

pytestmark = pytest.mark.integration

SERIES = 'instance="https://shop.example/",job="http"'
CASES = {
    "SiteDown": (f"sentry_check_down{{{SERIES}}}", "0 0 1 1", "2m"),
    "SiteDegraded": (f"sentry_check_degraded{{{SERIES}}}", "1x30", "15m"),
    "CertificateExpiresSoon": (f"probe_ssl_earliest_cert_expiry{{{SERIES}}}", "1000000x120", "90m"),
    "CertificateRevoked": ('sentry_certificate_revoked{site="shop"}', "0 NaN 1", "2m"),
    "DomainExpiresSoon": ('sentry_domain_expiry_timestamp_seconds{site="shop"}', "1000000x120", "90m"),
    "BudgetSpent": ('sentry_slo_budget_remaining_seconds{site="shop"}', "10 -10 -10", "1m"),
    "SentryConfigurationRefused": ("sentry_config_last_reload_successful", "0x10", "8m"),
    "SentryAlertsStuck": ("sentry_outbox_oldest_seconds", "400x10", "5m"),
    "SentryAlertsDead": ('sentry_alerts_dead_total{channel="duty"}', "0 0 1 1", "3m"),
    "SentryStoreFails": ('sentry_store_errors_total{kind="unavailable"}', "0x3 1+1x6", "9m"),
    "SentryCheckSilent": (f"sentry_last_run_age_seconds{{{SERIES}}}", "9000x10", "6m"),
}


def promtool(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = require("promtool", "prometheus")
    return subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files as somebody copies them beside a prometheus.yml."""
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def test_rules_and_scrape_configuration_pass_promtool(folder: Path) -> None:
    """They can be taken over as they are."""
    for arguments in (("check", "rules", "--lint=all", "online-sentry.rules.yml"), ("check", "config", "scrape.yml")):
        done = promtool(*arguments, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", CASES)
def test_rule_fires_on_its_series(folder: Path, alert: str) -> None:
    """Each rule fires when what it watches for is there, and says for whom."""
    series, values, at = CASES[alert]
    (rule,) = (rule for rule in rules() if rule["alert"] == alert)
    case = {
        "rule_files": ["online-sentry.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values}],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": at,
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
        ],
    }
    (folder / "case.yml").write_text(yaml.safe_dump(case))
    done = promtool("test", "rules", "case.yml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rule["annotations"]["summary"]


def test_burning_budget_fires_only_when_both_windows_burn(folder: Path) -> None:
    """A short spike alone, or an old burn that is over, wakes nobody."""
    windows = [("1h", "20x5"), ("5m", "20x2 0x2")]
    case = {
        "rule_files": ["online-sentry.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": f'sentry_slo_burn_rate{{site="shop",window="{window}"}}', "values": values}
                    for window, values in windows
                ],
                "alert_rule_test": [
                    {
                        "eval_time": "1m",
                        "alertname": "BudgetBurnsFast",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "critical", "site": "shop", "window": "1h"},
                                "exp_annotations": {
                                    "summary": "shop burns its downtime budget at 20 times the even rate"
                                },
                            }
                        ],
                    },
                    {"eval_time": "4m", "alertname": "BudgetBurnsFast", "exp_alerts": []},
                ],
            }
        ],
    }
    (folder / "case.yml").write_text(yaml.safe_dump(case))
    done = promtool("test", "rules", "case.yml", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    """Every rule of the file."""
    groups = yaml.safe_load((FOLDER / "online-sentry.rules.yml").read_text())["groups"]
    found: list[dict[str, Any]] = [rule for group in groups for rule in group["rules"]]
    return found
