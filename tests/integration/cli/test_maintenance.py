"""Windows are announced, changed, cancelled and exported from the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.calendar_file import read_calendar
from tests.integration.cli.conftest import CommandLine

MADRID = ZoneInfo("Europe/Madrid")


def local(hours: float) -> str:
    """A local time so many hours from now, to the minute."""
    return f"{datetime.now(MADRID) + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    """Two sites of two clients, one of them on a server."""
    config = tmp_path / "sentry.yaml"
    config.write_text(
        f"""
agency: {{name: Agency, time_zone: Europe/Madrid}}
store: sqlite:///{tmp_path}/sentry.db
clients: {{acme: {{name: Acme}}, bits: {{name: Bits}}}}
hosts: {{web1: {{address: web1.example}}}}
sites:
  - {{key: shop, client: acme, url: "https://shop.example/", host: web1}}
  - {{key: blog, client: bits, url: "https://blog.example/"}}
"""
    )
    return CommandLine(config)


def added(line: CommandLine, *arguments: str) -> dict[str, Any]:
    """The window that a command announced."""
    told = line.run("maintenance", "add", *arguments, "--json")
    assert told.exit_code == 0, told.output
    document: dict[str, Any] = json.loads(told.stdout)
    return document


def test_add_extend_and_cancel_are_seen_in_the_list(line: CommandLine) -> None:
    """The whole life of a window; each step says what holds now."""
    window = added(
        line, "New disks", "--starts-at", local(72), "--duration-min", "60", "--host", "web1", "--author", "ana"
    )
    assert (window["window"], window["state"], window["sites"], window["zone"]) == (
        "1",
        "announced",
        ["shop"],
        "Europe/Madrid",
    )

    extended = line.run("maintenance", "extend", "1", "--ends-at", local(75))
    assert extended.exit_code == 0
    assert "late" not in extended.stdout
    assert "New disks" in line.run("maintenance", "list").stdout

    assert line.run("maintenance", "cancel", "1").exit_code == 0
    assert line.run("maintenance", "list").stdout == "no maintenance is announced\n"
    (known,) = json.loads(line.run("maintenance", "list", "--all", "--json").stdout)
    assert (known["state"], known["changes"], known["author"]) == ("cancelled", 2, "ana")
    assert line.run("maintenance", "cancel", "1").exit_code == 1
    assert line.run("maintenance", "extend", "9", "--duration-min", "5").exit_code == 5


def test_add_too_late_says_that_the_minutes_count(line: CommandLine) -> None:
    """Whoever announces it hears at once that it will not be left out of the account."""
    told = line.run("maintenance", "add", "Patch", "--starts-at", local(5), "--duration-min", "60", "--all-sites")
    assert told.exit_code == 0
    assert "at 2 of them minutes are announced late" in told.stdout


def test_add_an_emergency_keeps_cause_and_approver(line: CommandLine) -> None:
    """A disinfection is on record with who wanted it."""
    window = added(
        line,
        "Disinfection",
        *(
            "--starts-at",
            local(0.1),
            "--duration-min",
            "60",
            "--site",
            "shop",
            "--cause",
            "malware",
            "--approver",
            "Ana",
        ),
    )
    assert (window["kind"], window["cause"], window["approver"]) == ("emergency", "malware", "Ana")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--starts-at", "tomorrow", "--duration-min", "60", "--site", "shop"), 2, "local date and time"),
        (("--starts-at", "2090-01-01T02:00", "--site", "shop"), 2, "one of them"),
        (
            ("--starts-at", "2090-01-01T02:00", "--duration-min", "60", "--site", "shop", "--rrule", "EACH"),
            2,
            "rrule",
        ),
        (("--starts-at", "2090-01-01T02:00", "--duration-min", "60", "--site", "shpo"), 5, "shpo"),
        (("--starts-at", "2020-01-01T02:00", "--duration-min", "60", "--site", "shop"), 1, "over"),
    ],
)
def test_add_what_cannot_be_meant_is_refused(
    line: CommandLine, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Nothing is written, and the message says what to mend."""
    told = line.run("maintenance", "add", "Disks", *arguments)
    assert told.exit_code == code
    assert words in " ".join(told.output.replace("│", " ").split())
    assert line.run("maintenance", "list", "--all").stdout == "no maintenance is announced\n"


def test_export_of_a_client_has_its_windows_alone(line: CommandLine) -> None:
    """What a client subscribes to can be read by a calendar program."""
    added(line, "Disks", "--starts-at", local(72), "--duration-min", "60", "--client", "acme")
    added(line, "All", "--starts-at", local(96), "--duration-min", "60", "--all-sites")
    said = [one["SUMMARY"] for one in read_calendar(line.run("maintenance", "export").stdout_bytes.decode())]
    assert said == ["Disks", "All"]
    (event,) = read_calendar(line.run("maintenance", "export", "--client", "bits").stdout_bytes.decode())
    assert (event["SUMMARY"], event["DESCRIPTION"]) == ("All", "blog")
    begin = datetime.strptime(event["DTSTART"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs(begin - datetime.now(UTC) - timedelta(hours=96)) < timedelta(minutes=3)
    assert line.run("maintenance", "export", "--site", "nowhere").exit_code == 5
