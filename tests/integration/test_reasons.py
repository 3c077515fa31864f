"""Every reason of the closed set, from a real server or socket to the words that people read."""

import asyncio
import json
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes.http import HttpProbe
from sentry.domain.own_fault import Examination, OwnFault, excused, judge
from sentry.domain.result import AGENT_REASONS, Phase, ProbeResult, Reason, Status
from sentry.domain.site import Language, Plan
from sentry.wheel import Finished, Wheel
from tests.fakes.incidents import report_of
from tests.fakes.telemetry import RecordingTelemetry
from tests.integration.hostile_servers import answer, never, page, serving
from tests.integration.reason_cases import ATTENTION, ELSEWHERE, OUTAGES, OWN_FAULTS, Case
from tests.integration.reason_outcome import Outcome, play
from tests.integration.reason_scenes import BODY, HEADERS, ROOT, SECRET
from tests.integration.reason_stage import NAME, Stage, messages, stage

ROOT_FOLDER = Path(__file__).parents[2]
WORDS: dict[str, Any] = yaml.safe_load((ROOT_FOLDER / "tests/data/reasons.yaml").read_text(encoding="utf-8"))
TOLD = {**OUTAGES, **ATTENTION}

BY_THE_AGENT = {
    Reason.AGENT_CLOCK: "test_certificate_that_only_a_clock_just_set_calls_expired_accuses_the_agent",
    Reason.AGENT_STALLED: "test_loop_that_stood_still_accuses_the_agent_and_opens_nothing",
    Reason.SLOT_MISSED: "test_loop_that_stood_still_accuses_the_agent_and_opens_nothing",
}
"""Reasons that no probe gives: who starts or judges it does, in the test named."""

BY_THE_AUTHORITY = frozenset({Reason.TLS_REVOKED})
"""Reasons that are not learnt from the site itself; tests/integration/test_revocation.py shows them."""

JARGON = re.compile(r"SSL|errno|NXDOMAIN|SERVFAIL|timeout|handshake|exception|\bRST\b|\bSNI\b|_", re.IGNORECASE)


def fits(pattern: str, said: str) -> bool:
    """Whether a text of reasons.yaml and what was said agree: `*` is anything, PORT a port."""
    parts = (re.escape(part).replace("PORT", r"\d+") for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), said) is not None


def section(report: str, title: str) -> list[str]:
    """The lines under a title of a report, wrapped lines joined."""
    for block in report.split("\n\n"):
        head, _, body = block.partition("\n")
        if head == title:
            return re.sub(r"\n {6}(?! )", " ", body).splitlines()
    return []


def test_table_has_every_reason_of_the_closed_set() -> None:
    """A reason that is added must be shown here, by a case or by a test that is named."""
    cases = {case.reason for case in (*TOLD.values(), *ELSEWHERE.values(), *OWN_FAULTS.values())}
    assert cases | BY_THE_AGENT.keys() | BY_THE_AUTHORITY == set(Reason)
    assert not cases & BY_THE_AGENT.keys()
    assert all(test in globals() for test in BY_THE_AGENT.values())
    assert WORDS.keys() == TOLD.keys() | ELSEWHERE.keys()
    assert {case.reason for case in OWN_FAULTS.values()} | BY_THE_AGENT.keys() == AGENT_REASONS


@pytest.mark.promise("001-32")
@pytest.mark.parametrize("name", TOLD)
async def test_failure_of_a_real_server_is_named_and_reported_rightly(name: str, tmp_path: Path) -> None:
    """Status, reason, phase and figures; subject, cause and report in both languages; the evidence around it."""
    case = TOLD[name]
    outcome = await play(case, tmp_path)
    result = outcome.result
    assert (result.status, result.reason, result.failed_phase) == (case.status, case.reason, case.phase)
    assert fits(WORDS[name]["detail"], result.detail), result.detail
    assert report_of(outcome.told).reason is case.reason
    assert report_of(outcome.told).failed == replace(result, check_key=outcome.check.key)
    for language in Language:
        words = WORDS[name][language]
        assert fits(words["subject"], outcome.subject(language)), outcome.subject(language)
        assert fits(words["cause"], outcome.cause(language)), outcome.cause(language)
        assert not JARGON.search(outcome.cause(language))
    _check_report(case, outcome)


def _check_report(case: Case, outcome: Outcome) -> None:
    report, result = outcome.report(Language.EN), outcome.result
    assert max(map(len, report.splitlines())) <= 78
    assert section(report, "CAUSE")
    assert result.detail in " ".join(line.strip() for line in section(report, "WHAT FAILED"))
    assert case.reason in report
    assert SECRET not in report
    _check_names(case, report, outcome.stage)
    tried = section(report, "EVERY ADDRESS TRIED")
    assert bool(tried) is (case.phase is not Phase.DNS or case.kind == "dns")
    if result.evidence.tls is not None:
        _check_chain(report, result)
    if result.evidence.http is not None:
        _check_answer(report, result)


def _check_names(case: Case, report: str, standing: Stage) -> None:
    """Both resolvers are asked, and each of their answers is there; an answer that fails says how."""
    answers = section(report, "ANSWERS OF THE NAME SERVERS")
    for server in standing.dns:
        (address,) = [line for line in answers if line.startswith(f"  {server.address} {NAME} A: ")]
        wanted = {
            Reason.DNS_NXDOMAIN: "this name does not exist (NXDOMAIN)",
            Reason.DNS_NO_ADDRESS: "no record",
            Reason.DNS_SERVER_FAILURE: "the server could not find out (SERVFAIL)",
            Reason.DNS_TIMEOUT: "no answer (within 0.6 s)",
        }.get(case.reason, "127.0.0.1")
        assert wanted in address


def _check_chain(report: str, result: ProbeResult) -> None:
    """Each certificate that was shown, also by a server whose handshake failed: names, dates, fingerprint."""
    assert result.evidence.tls is not None
    shown = "\n".join(section(report, "CERTIFICATES SHOWN"))
    for certificate in result.evidence.tls.chain:
        assert certificate.subject in shown
        assert certificate.issuer in shown
        assert certificate.fingerprint_sha256 in shown
    if result.failed_phase is Phase.TLS and result.reason is not Reason.TLS_HANDSHAKE:
        assert "Verification: " in shown
        assert result.evidence.tls.chain


def _check_answer(report: str, result: ProbeResult) -> None:
    """The status, the headers without their secrets, and how the page begins."""
    http = result.evidence.http
    assert http is not None
    lines = section(report, "ANSWER OF THE WEB SERVER")
    assert any(line.startswith(f"  HTTP/1.1 {http.status}") for line in lines)
    if "Set-Cookie" in dict(http.headers):
        assert "  Set-Cookie: session=[redacted]" in lines
    if http.body_head and http.status != 302:
        head = section(report, "BEGINNING OF THE PAGE")[0]
        assert head.removeprefix("  | ")[:40] == http.body_head[:40]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_failure_in_a_network_of_its_own_is_named_and_reported_rightly(name: str) -> None:
    """A server behind a cut line, in a network that knows so; skipped where no such network can be made."""
    setting = 'ip link set lo up && ip route add unreachable 203.0.113.0/24 && exec "$@"'
    program = (sys.executable, "-m", "tests.integration.reason_outcome", name)
    command = ("unshare", "--net", "sh", "-c", setting, "sh", *program)
    try:
        ended = subprocess.run(command, capture_output=True, cwd=ROOT_FOLDER, check=False, timeout=30)
    except FileNotFoundError:
        pytest.skip("there is no unshare command here")
    if ended.returncode and b"Traceback" not in ended.stderr:
        pytest.skip(ended.stderr.decode(errors="replace").strip())
    told, case = json.loads(ended.stdout.splitlines()[-1]), ELSEWHERE[name]
    assert (told["status"], told["reason"], told["phase"]) == (case.status, case.reason, case.phase)
    assert fits(WORDS[name]["detail"], told["detail"]), told["detail"]
    for language in Language:
        for part in ("subject", "cause"):
            assert fits(WORDS[name][language][part], told[language][part]), told[language][part]
        assert "203.0.113.1  TCP ✗" in told[language]["report"]


# ── the agent's own faults ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise("001-29")
@pytest.mark.parametrize("name", OWN_FAULTS)
async def test_fault_of_the_agent_is_unknown_and_opens_nothing(name: str, tmp_path: Path) -> None:
    """What the agent cannot know accuses nobody: no outage, no incident, no minute down."""
    case = OWN_FAULTS[name]
    outcome = await play(case, tmp_path)
    result = outcome.result
    assert (result.status, result.reason, result.failed_phase) == (Status.UNKNOWN, case.reason, case.phase)
    assert outcome.incident is None
    assert outcome.stage.telemetry.counted("incidents_total", severity="SEV1") == 0


async def test_agent_without_descriptors_is_unknown_and_opens_nothing(tmp_path: Path) -> None:
    """A process that has no file descriptor left blames itself, whatever it was about to open."""
    async with stage(tmp_path, ROOT.write(tmp_path / "ca.pem")) as standing, serving(answer(page(BODY))) as server:
        check = await standing.prepare("http", server.url(NAME), {})
        for host in (NAME, "127.0.0.1"):
            here = replace(check, url=server.url(host))
            probe = HttpProbe(here, standing.environment)
            with no_free_descriptors():
                result = await standing.run(probe)
            assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_RESOURCES), result.detail
            await standing.take(result)
        assert await standing.incident() is None


@contextmanager
def no_free_descriptors() -> Iterator[None]:
    """Lowers the limit of open files to what is open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as highest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(highest.fileno(), soft), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.promise("001-29")
async def test_loop_that_stood_still_accuses_the_agent_and_opens_nothing(tmp_path: Path) -> None:
    """The real wheel, a site that hangs, and a loop that is blocked past the deadline: unknown, and slots missed."""
    async with stage(tmp_path, ROOT.write(tmp_path / "ca.pem")) as standing, serving(never) as server:
        check = await standing.prepare("http", server.url(NAME), {"timeout_s": 0.8})
        check = replace(check, interval_s=1, plan=Plan(interval_s=1, recheck_after_s=()))
        await standing.watch.replace([check])
        seen: list[Finished] = []
        wheel = Wheel(standing.clock, RecordingTelemetry(), seen.append)
        wheel.replace({check.key: (check, HttpProbe(check, standing.environment))})
        turning = asyncio.create_task(wheel.run())
        async with asyncio.timeout(5):
            while not server.requests:  # noqa: ASYNC110  # a list has no event to wait for
                await asyncio.sleep(0.01)
        time.sleep(3.2)  # noqa: ASYNC251  # this is the fault under test: somebody blocks the loop
        await asyncio.sleep(0.2)
        turning.cancel()
        await asyncio.wait([turning])
        reasons = {finished.result.reason for finished in seen}
        assert reasons == {Reason.AGENT_STALLED, Reason.SLOT_MISSED}
        for finished in seen:
            assert finished.result.status is Status.UNKNOWN
            await standing.take(finished.result)
        assert await standing.incident() is None


# ── what stands beside the failure ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.promise("001-32")
async def test_report_shows_the_last_good_probe_beside_the_failed_one(tmp_path: Path) -> None:
    """A site that worked and then fails: both probes with their phases and status, and what changed between."""
    responses = [page(BODY, headers=HEADERS), page(b"<h1>Error</h1>", status=502, headers=HEADERS)]

    async with stage(tmp_path, ROOT.write(tmp_path / "ca.pem")) as standing:
        async with serving(lambda exchange: exchange.send(responses[exchange.number - 1])) as server:
            check = await standing.prepare("http", server.url(NAME), {})
            await standing.take(await standing.probe(check))
            await asyncio.sleep(1)
            await standing.take(await standing.probe(check))
        incident = await standing.incident()
        assert incident is not None
        rows = section(messages(check).report_text(incident, Language.EN), "THIS TIME AND THE LAST TIME IT WORKED")
    assert rows[0].split() == ["this", "time", "last", "good"]
    assert {row.split()[0] for row in rows[2:]} >= {"name", "connection", "waiting", "download", "total", "status"}
    assert rows[-1].split() == ["status", "502", "200"]


def test_certificate_that_only_a_clock_just_set_calls_expired_accuses_the_agent() -> None:
    """The certificate has not changed; what the agent believes of the time has."""
    at = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    failed = ProbeResult("shop/tls", at, at, 0.1, Status.DOWN, Reason.TLS_EXPIRED, Phase.TLS, "expired")
    causes = judge(Examination(at, at, clock_jump_s=90_000.0))

    result = excused(failed, [OwnFault(cause, at) for cause in causes])

    assert (result.status, result.reason) == (Status.UNKNOWN, Reason.AGENT_CLOCK)
