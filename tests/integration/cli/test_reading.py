"""The commands that read, on a store that a real agent has filled."""

import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sentry.cli.incidents import INCIDENT
from sentry.cli.tickets import TICKET
from tests.fakes.incidents import report_of
from tests.integration.cli.conftest import CommandLine

JSON_COMMANDS = (
    ("status",),
    ("incident", "list"),
    ("incident", "list", "--site", "shop", "--state", "resolved", "--limit", "1"),
    ("incident", "show", "1"),
    ("ticket", "list"),
    ("ticket", "list", "--state", "solved"),
    ("ticket", "show", "1"),
    ("verify",),
    ("ledger", "shop"),
    ("ledger", "shop", "--explain"),
    ("ledger", "shop", "--recompute"),
    ("budget",),
    ("budget", "shop", "--month", "2026-10"),
    ("budget", "shop", "--explain"),
    ("report", "acme"),
    ("check-config",),
)


@pytest.mark.parametrize("arguments", JSON_COMMANDS, ids=" ".join)
def test_json_is_one_document_and_nothing_else(watched: CommandLine, arguments: Sequence[str]) -> None:
    """A program reads standard output as it is."""
    result = watched.run(*arguments, "--json")
    assert isinstance(json.loads(result.stdout), dict | list)
    assert result.stderr == ""
    assert result.exit_code == (1 if arguments == ("status",) else 0)


def test_status_names_what_is_down_and_says_so_in_its_exit_code(watched: CommandLine) -> None:
    """A shell script needs no more than the code; a person sees which check, since when last seen, and why."""
    result = watched.run("status")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert re.match(
        r"blog/http +down +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +\d+\.\d ms +http_server_error +http://", lines[1]
    )
    assert re.match(r"shop/http +up +20", lines[2])
    rows = {row["check"]: row for row in json.loads(watched.run("status", "--json").stdout)}
    assert (rows["blog/http"]["state"], rows["shop/http"]["state"]) == ("down", "up")
    assert rows["blog/http"]["reason"] == "http_server_error"


def test_status_long_after_the_agent_has_stopped_is_unknown(watched: CommandLine, tmp_path: Path) -> None:
    """Nobody watches: what was up and down then is neither now, and a script must notice."""
    copy = Path(shutil.copytree(watched.config.parent, tmp_path / "copy"))
    config = copy / watched.config.name
    config.write_text(config.read_text().replace(str(watched.config.parent), str(copy)))
    with closing(sqlite3.connect(copy / "sentry.db")) as store, store:
        store.execute("UPDATE newest_samples SET minute = minute - 4")
    result = CommandLine(config).run("status")
    assert result.exit_code == 1
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == ["unknown", "unknown"]
    assert result.stderr == "2 of 2 checks were not seen lately; does the agent run?\n"
    assert [row["stale"] for row in json.loads(CommandLine(config).run("status", "--json").stdout)] == [True, True]


def test_incident_list_has_both_newest_first(watched: CommandLine) -> None:
    """The resolved one with how long it lasted, the open one as lasting."""
    newest, oldest = watched.run("incident", "list").stdout.splitlines()[1:]
    assert re.match(r"2 +SEV1 +resolved +shop +.* +\d+ s +El servidor de .* error 503", newest)
    assert re.match(r"1 +SEV1 +open +blog +.* +lasts +El servidor de .* error 500", oldest)
    resolved = json.loads(watched.run("incident", "list", "--state", "resolved", "--json").stdout)
    assert [incident["site_key"] for incident in resolved] == ["shop"]


def test_incident_show_begins_with_what_is_asked_first(watched: CommandLine) -> None:
    """Which, how bad, where it stands, since when, which ticket; then the report, with markup of the site as text."""
    text = watched.run("incident", "show", "1").stdout
    assert re.match(r"Incident 1 · SEV1 · open · blog · since 20.* Europe/Madrid · ticket \d\n\nCAUSA\n", text)
    assert "| <h1>Error [bold]fatal[/bold]</h1>" in text
    document = json.loads(watched.run("incident", "show", "2", "--json").stdout)
    assert document["time_to_resolve_s"] > 0
    spans = {"cause", "time_to_detect_s", "time_to_acknowledge_s", "time_to_resolve_s"}
    again = INCIDENT.validate_python({key: value for key, value in document.items() if key not in spans})
    answer = report_of(again).failed.evidence.http
    assert answer is not None
    assert answer.status == 503


def test_ticket_list_and_show_hold_the_report(watched: CommandLine) -> None:
    """Each ticket with its state; the history of the solved one from report to recovery."""
    tickets = {one["site_key"]: one for one in json.loads(watched.run("ticket", "list", "--json").stdout)}
    assert {key: one["state"] for key, one in tickets.items()} == {"shop": "solved", "blog": "new"}
    number = str(tickets["shop"]["number"])
    text = watched.run("ticket", "show", number).stdout
    assert text.startswith(f"Ticket {number}: El servidor de 127.0.0.1:")
    assert "failure_report → new\n  CAUSA\n" in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    ticket = TICKET.validate_python(json.loads(watched.run("ticket", "show", number, "--json").stdout))
    assert [entry.state for entry in ticket.entries][0 :: len(ticket.entries) - 1] == ["new", "solved"]


def test_ticket_comment_and_close_are_written_and_proved(watched: CommandLine) -> None:
    """A comment and a closing go into the history; the proof then holds, and fails once a byte was changed."""
    tickets = json.loads(watched.run("ticket", "list", "--json").stdout)
    number = next(str(one["number"]) for one in tickets if one["site_key"] == "shop")
    said = watched.run("ticket", "comment", number, "Looked at it [red]twice[/red]", "--public")
    assert re.match(rf"ticket {number}: entry \d+ written, state solved\n", said.stdout)
    assert "Looked at it [red]twice[/red]" in watched.run("ticket", "show", number).stdout
    closed = watched.run("ticket", "close", number, "--reason", "repaired")
    assert closed.stdout.endswith("state closed\n")
    again = watched.run("ticket", "close", number)
    assert again.exit_code == 1
    assert f"ticket {number} is closed already; nothing was written" in again.stderr
    assert watched.run("verify").stdout == "every ticket's history is as it was written\n"
    _tamper(watched, "twice", "once!")
    proof = watched.run("verify")
    assert proof.exit_code == 1
    assert f"ticket {number}" in proof.stdout
    assert json.loads(watched.run("verify", "--json").stdout)["ok"] is False
    _tamper(watched, "once!", "twice")
    assert watched.run("verify").exit_code == 0


def _tamper(watched: CommandLine, before: str, after: str) -> None:
    """Changes a history behind the store's back, as somebody with the file could."""
    with sqlite3.connect(watched.config.parent / "sentry.db") as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        changed = database.execute(
            "UPDATE ticket_entries SET text = replace(text, ?, ?) WHERE text LIKE ?", (before, after, f"%{before}%")
        )
        assert changed.rowcount == 1
        for _, statement in triggers:
            database.execute(statement)
    database.close()


def test_ledger_explains_every_minute_of_the_month(watched: CommandLine) -> None:
    """Counted and uncounted intervals together are the whole month."""
    document = json.loads(watched.run("ledger", "shop", "--json").stdout)
    intervals = document["intervals"]
    assert sum(one["minutes"] for one in intervals) in {
        28 * 1440,
        29 * 1440,
        30 * 1440,
        31 * 1440,
        31 * 1440 - 60,
        31 * 1440 + 60,
    }
    assert [one["until"] for one in intervals[:-1]] == [one["from"] for one in intervals[1:]]
    text = watched.run("ledger", "shop", "--explain").stdout
    assert "Tienda 20" in text
    assert "still to come, or not settled yet: not counted so far" in text


def test_budget_shows_every_site_with_its_verdict(watched: CommandLine) -> None:
    """One line a site; one site alone where it is named."""
    lines = watched.run("budget").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["site", "shop", "blog"]
    assert all(line.split()[-1] == "running" for line in lines[1:])
    (only,) = json.loads(watched.run("budget", "blog", "--json").stdout)
    assert (only["site"], only["target_percent"], only["verdict"]) == ("blog", 99.7, "running")


def test_report_is_written_in_each_format(watched: CommandLine) -> None:
    """Text and HTML to read, CSV and JSON to reckon with; the language can be chosen."""
    text = watched.run("report", "acme", "--format", "text").stdout
    assert text.startswith("INFORME DE DISPONIBILIDAD")
    assert watched.run("report", "acme", "--language", "en").stdout.startswith("AVAILABILITY REPORT")
    html = watched.run("report", "acme", "--format", "html").stdout
    assert html.startswith("<!DOCTYPE html>")
    assert "Tienda" in html
    rows = list(csv.reader(io.StringIO(watched.run("report", "acme", "--format", "csv").stdout)))
    assert len({len(row) for row in rows}) == 1
    document = TypeAdapter(dict[str, object]).validate_json(watched.run("report", "acme", "--format", "json").stdout)
    assert json.loads(watched.run("report", "acme", "--json").stdout).keys() == document.keys()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ledger", "nope"), "there is no site 'nope'; sites: blog, shop"),
        (("budget", "nope"), "there is no site 'nope'; sites: blog, shop"),
        (("report", "nope"), "there is no client 'nope'; clients: acme"),
        (("incident", "show", "99"), "there is no incident 99; `online-sentry incident list` shows those there are"),
        (("ticket", "show", "99"), "there is no ticket 99; `online-sentry ticket list` shows those there are"),
        (("ticket", "comment", "99", "hi"), "there is no ticket 99; `online-sentry ticket list` shows"),
        (("ticket", "close", "99"), "there is no ticket 99; `online-sentry ticket list` shows"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nothing_of_that_name_is_code_5_and_names_what_there_is(
    watched: CommandLine, arguments: Sequence[str], told: str
) -> None:
    """Whoever mistypes a key sees the keys."""
    result = watched.run(*arguments)
    assert (result.exit_code, result.stdout) == (5, "")
    assert told in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ledger", "shop", "--month", "2026-13"),
        ("budget", "--month", "last"),
        ("report", "acme", "--month", "26-1"),
        ("report", "acme", "--format", "pdf"),
        ("incident", "list", "--state", "gone"),
        ("incident", "show", "first"),
        ("budget", "--explain"),
        ("ticket", "list", "--limit", "0"),
        ("stats",),
    ],
    ids=" ".join,
)
def test_wrong_command_line_is_code_2_and_says_what_is_wrong(watched: CommandLine, arguments: Sequence[str]) -> None:
    """A month that is none, a format, state or command that does not exist."""
    result = watched.run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr
    assert re.search(rf"{re.escape(arguments[-1])}|integer|--limit", result.stderr)


@pytest.mark.promise("002-06")
def test_incident_attribute_adds_a_word_with_its_reason(watched: CommandLine) -> None:
    """The guess stays in the history, the person's word counts; without a reason nothing is written."""
    refused = watched.run("incident", "attribute", "1", "--to", "client", "--reason", "  ")
    assert refused.exit_code == 2
    assert "--reason" in refused.stderr
    said = watched.run("incident", "attribute", "1", "--to", "client", "--reason", "moved [the] name", "--by", "Ana")
    assert said.stdout == "incident 1: client, says Ana: moved [the] name\n"
    document = json.loads(watched.run("incident", "show", "1", "--json").stdout)
    assert document["side"] == "client"
    assert [entry["by"] for entry in document["attributions"]] == ["online-sentry", "Ana"]
    text = watched.run("incident", "show", "1").stdout
    assert re.search(r"client +Ana: moved \[the\] name", text)
    assert watched.run("incident", "attribute", "99", "--to", "client", "--reason", "x").exit_code == 5


@pytest.mark.promise("001-23", "001-24")
def test_ledger_recompute_proves_the_figures_and_finds_what_was_changed(watched: CommandLine, tmp_path: Path) -> None:
    """What a real agent wrote is what its probes say; a minute bettered behind its back is found, with code 1."""
    honest = watched.run("ledger", "shop", "--recompute")
    assert "the evidence gives the same figures, to the minute" in honest.stdout, honest.stdout
    assert honest.exit_code == 0

    copy = CommandLine(_copied(watched.config, tmp_path))
    with closing(sqlite3.connect(tmp_path / "sentry.db")) as database, database:
        (down,) = database.execute(_DOWN_OF_SHOP).fetchone()
        database.execute("UPDATE ledger_runs SET state = 'up' WHERE state = 'down'")
    assert down > 0
    found = copy.run("ledger", "shop", "--recompute")
    assert found.exit_code == 1
    assert f"{down} minutes differ from their evidence" in found.stdout
    assert re.search(r"shop/http +20[-0-9 :]+ up +down", found.stdout)
    document = json.loads(copy.run("ledger", "shop", "--recompute", "--json").stdout)
    assert (document["same"], len(document["differences"])) == (False, down)


_DOWN_OF_SHOP = """
    SELECT sum(end_minute - start_minute) FROM ledger_runs JOIN checks ON checks.id = check_id
    WHERE state = 'down' AND site_key = 'shop'"""


def _copied(config: Path, folder: Path) -> Path:
    """The configuration and its store in another folder."""
    with (
        closing(sqlite3.connect(config.parent / "sentry.db")) as source,
        closing(sqlite3.connect(folder / "sentry.db")) as target,
    ):
        source.backup(target)
    text = config.read_text().replace(f"sqlite:///{config.parent}/", f"sqlite:///{folder}/")
    copy = folder / config.name
    copy.write_text(text)
    return copy
