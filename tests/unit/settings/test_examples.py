"""What is given as an example works as it stands."""

import re
from collections.abc import Callable, Mapping

import pytest
import yaml
from typer.testing import CliRunner

from sentry.cli import build
from sentry.data import config_folder
from sentry.domain.notice import ChannelOptions
from sentry.domain.severity import Severity
from sentry.domain.site import CheckOptions
from sentry.metrics.families import CHECK_FAMILIES, PROBE_FAMILIES
from sentry.metrics.own import OWN_METRICS
from sentry.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")

Loader = Callable[..., Settings]
SECRETS = {
    "DB_PASSWORD": "database-password",
    "WEB_TOKEN": "0123456789abcdef",
    "SMTP_PASSWORD": "smtp-password",
    "CHAT_URL": "json://chat.example/token",
    "ONCALL_URL": "https://oncall.example/hook/token",
    "ONCALL_SECRET": "0123456789abcdef",
    "DESK_SECRET": "0123456789abcdef",
    "SHOP_API_TOKEN": "shop-api-token",
    "BACKUP_TOKEN": "0123456789abcdef",
}


@pytest.fixture
def example(loaded: Loader) -> Settings:
    return loaded(config_folder() / "sentry.example.yaml", **SECRETS)


def test_example_loads_without_a_warning(example: Settings) -> None:
    """An agency can copy it and change names."""
    assert example.warnings == ()
    assert {site.key for site in example.sites} == {"acme-shop", "bits-web", "bits-portal"}
    assert {check.plan_key for check in example.checks()} == {"basic", "priority"}


def test_example_shows_every_kind(
    example: Settings,
    check_kinds: Mapping[str, type[CheckOptions]],
    channel_kinds: Mapping[str, type[ChannelOptions]],
) -> None:
    """A new kind is not complete before the example has it."""
    assert {check.kind for check in example.checks()} == set(check_kinds)
    assert {options.kind for options in example.channels.values()} == set(channel_kinds)


def test_example_wakes_somebody_for_every_site(example: Settings) -> None:
    """Its routes leave no SEV1 without a person: not a machine alone."""
    for site in example.sites:
        channels = {
            key
            for route in example.routes
            if route.matches(severity=Severity.SEV1, client=site.client, plan=site.plan, site=site.key)
            for key in route.to
        }
        assert "duty" in channels, site.key


def test_example_names_every_variable_that_it_needs() -> None:
    """Whoever copies it finds the list at its top."""
    text = (config_folder() / "sentry.example.yaml").read_text()
    head, _, body = text.partition("\nagency:")
    assert set(re.findall(r"\$\{(\w+)\}", body)) == SECRETS.keys()
    assert all(name in head for name in SECRETS)


def test_configuration_of_the_issue_loads(loaded: Loader, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The shape that was agreed on holds; its only lack is a limit to response time."""
    main = tmp_path_factory.mktemp("issue") / "sentry.yaml"
    main.write_text("""
agency: {name: Ejemplo Hosting, language: es, time_zone: Europe/Madrid}
store: sqlite:///sentry.db
web: {listen: "127.0.0.1:9117", token_file: web.token}
plans:
  priority: {uptime_target: 99.7, interval_s: 60, audit: {every_days: 15}, update_weekday: tuesday}
clients:
  acme: {name: Acme S.L., language: es, time_zone: Europe/Madrid, contacts: [web@acme.example]}
sites:
  - key: acme-shop
    client: acme
    plan: priority
    url: https://shop.acme.example/
    checks:
      - {kind: http, expect_text: Carrito}
      - {kind: tls}
channels:
  guardia: {kind: email, to: [guardia@example.com], smtp: "smtp://127.0.0.1:1025"}
routes:
  - {severities: [SEV1, SEV2], to: [guardia]}
""")
    token = main.with_name("web.token")
    token.touch(mode=0o600)
    token.write_text("0123456789abcdef")
    anchors, slow = loaded(main).warnings
    assert anchors.message.startswith("no anchors are configured")
    assert slow.message.startswith("no check watches how fast the site answers")


def test_prometheus_rules_use_names_that_the_agent_has() -> None:
    """A rule on a series that does not exist would never fire, and nobody would know."""
    rules = yaml.safe_load((config_folder() / "prometheus" / "online-sentry.rules.yml").read_text())
    known = {*CHECK_FAMILIES, *PROBE_FAMILIES, *(metric.full_name for metric in OWN_METRICS.values())}
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    used = {name for expression in expressions for name in re.findall(r"\b(?:sentry|probe)_\w+", expression)}
    assert used - known == set()
    assert len(expressions) >= 10


def test_prometheus_scrape_honours_the_labels_of_the_agent() -> None:
    """Without it Prometheus would write its own instance over the address that is watched."""
    scrape = yaml.safe_load((config_folder() / "prometheus" / "scrape.yml").read_text())
    assert all(job["honor_labels"] for job in scrape["scrape_configs"])


def test_unit_file_names_commands_that_exist() -> None:
    """What systemd starts is what the command line has."""
    text = (config_folder() / "systemd" / "online-sentry.service").read_text()
    started = re.findall(r"^Exec(?:Start|StartPre)=\S+/online-sentry (.+)$", text, re.MULTILINE)
    assert started
    for arguments in started:
        result = CliRunner().invoke(build(), arguments.replace("/etc/", "/nowhere/").split())
        assert result.exit_code == 3, arguments
