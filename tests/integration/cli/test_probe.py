"""`probe` against real servers, with DNS servers of its own, in a process of its own."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sentry.cli import build
from sentry.domain.result import Reason
from tests.integration.cli.conftest import PROGRAM
from tests.integration.hostile_servers import answer, page, refused_port, serving
from tests.integration.reason_cases import ATTENTION, OUTAGES, OWN_FAULTS, Case
from tests.integration.reason_scenes import INTERMEDIATE, ROOT, SECRET, shown
from tests.integration.reason_stage import NAME, stage

GOOD = Case(Reason.SLOW_RESPONSE, None, shown(lambda: INTERMEDIATE.leaf(NAME)))
CASES = {**OUTAGES, **ATTENTION, **OWN_FAULTS, "good": GOOD}

Probe = Callable[..., Awaitable[tuple[int, str, str]]]


async def run(*arguments: str) -> tuple[int, str, str]:
    """Returns exit code, standard output and standard error."""
    running = await asyncio.create_subprocess_exec(PROGRAM, *arguments, stdout=PIPE, stderr=PIPE)
    output, errors = await running.communicate()
    assert running.returncode is not None
    return running.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def scene_of(name: str, folder: Path) -> AsyncIterator[Probe]:
    """Plays a scene; yields what probes it with further flags."""
    case = CASES[name]
    async with stage(folder, ROOT.write(folder / "ca.pem")) as built, case.scene(built) as url:
        flags = [url, "--kind", case.kind, "--ca-file", str(folder / "ca.pem"), "--timeout", "3"]
        for server in built.dns:
            flags += ["--resolver", server.address]
        for key, value in case.options.items():
            flags += ["--timeout", str(value)] if key == "timeout_s" else ["--set", f"{key}={json.dumps(value)}"]

        async def probe(*further: str) -> tuple[int, str, str]:
            return await run("probe", *flags, *further)

        yield probe


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("good", 0, ["UP  https://", "asked 127.0.0.1:", "TLSv1.3", "89 days left", "HTTP/1.1 200", "✓ transfer"]),
        ("status-503", 1, ["DOWN  http_server_error", "answered with error 503 (out of service)", "✗ processing"]),
        (
            "certificate-expired",
            1,
            ["DOWN  tls_expired", "expired 3 days ago (on ", "customers do not get in", "✗ tls"],
        ),
        (
            "refused",
            1,
            ["DOWN  connect_refused", "refused the connection; 1 further address failed too", "✗ connect"],
        ),
        ("name-servers-fail", 1, ["DOWN  dns_server_failure", "answered SERVFAIL", "✗ dns"]),
        ("reply-differs", 1, ["DOWN  reply_mismatch  tcp://", "got '554 go away'"]),
        ("redirects-in-a-circle", 1, ["DOWN  redirect_loop", "→ /again", "round in a circle"]),
        ("certificate-ends-soon", 0, ["DEGRADED  tls_expires_soon", "10 days left"]),
        ("no-route-from-here", 1, ["UNKNOWN  agent_network", "this says nothing about tienda.test"]),
    ],
)
async def test_verdict_is_told_with_cause_figures_and_phases(
    name: str, code: int, told: Sequence[str], tmp_path: Path
) -> None:
    """What is wrong, in words and in figures, at one glance; the exit code says whether it answers."""
    async with scene_of(name, tmp_path) as probe:
        ended, output, errors = await probe()
    assert (ended, errors) == (code, "")
    assert [part for part in told if part not in output] == []
    assert "\x1b" not in output


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        (
            "status-503",
            ["Steps", "Answers of the name servers", "Every address tried", "Certificates as shown", "Answer"],
        ),
        ("certificate-of-another", ["Every address tried", "Certificates as shown", "Figures, as metrics"]),
        ("name-unknown", ["Steps", "Answers of the name servers", "Figures, as metrics"]),
    ],
)
async def test_explain_shows_all_that_a_failure_report_would_hold(
    name: str, sections: Sequence[str], tmp_path: Path
) -> None:
    """Two resolvers, each address, the chain also where it was refused, headers without secrets, figures."""
    async with scene_of(name, tmp_path) as probe:
        _, output, _ = await probe("--explain")
    assert [title for title in sections if f"\n{title}\n" not in output] == []
    assert output.count(f"{NAME} A: ") == (2 if "name servers" in " ".join(sections) else output.count(f"{NAME} A: "))
    assert "probe_success 0\n" in output
    assert SECRET not in output
    if name == "certificate-of-another":
        assert "names otra.test, www.otra.test" in output
        assert "not verified" in output
        assert "tls_wrong_host: " in output


async def test_json_is_the_whole_result_with_what_was_seen_around_it(tmp_path: Path) -> None:
    """One document, whatever became of the site."""
    async with scene_of("certificate-expired", tmp_path) as probe:
        _, plain, _ = await probe("--json")
        code, explained, errors = await probe("--json", "--explain")
    assert "around" not in json.loads(plain)
    document = json.loads(explained)
    assert (code, errors, document["status"], document["reason"]) == (1, "", "down", "tls_expired")
    assert document["url"].startswith(f"https://{NAME}:")
    assert len(document["evidence"]["tls"]["chain"]) == 2
    assert {one["tls_reason"] for one in document["around"]["addresses"]} == {"tls_expired"}
    assert len({one["resolver"] for one in document["around"]["dns"]}) == 2


async def test_set_gives_keys_of_the_check() -> None:
    """The same keys and values as in the configuration."""
    async with serving(answer(page(b"Carrito: 3"))) as server:
        url = server.url("127.0.0.1")
        good = await run("probe", url, "--set", "expect_text=Carrito", "--set", "expect_regex=': [0-9]'")
        bad = await run("probe", url, "--set", "expect_text=[Carrito, Pagar]")
    assert (good[0], bad[0]) == (0, 1)
    assert "text 'Pagar' is not in the body (10 bytes)" in bad[1]


@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("http://127.0.0.1:{port}/", "DOWN  connect_refused  http://127.0.0.1:{port}/"),
        ("127.0.0.1:{port}", "DOWN  connect_refused  tcp://127.0.0.1:{port}"),
        ("tcp://127.0.0.1:{port}", "DOWN  connect_refused  tcp://127.0.0.1:{port}"),
        ("tls://127.0.0.1:{port}", "DOWN  connect_refused  tls://127.0.0.1:{port}"),
        ("[::1]:{port}", "DOWN  connect_refused  tcp://[::1]:{port}"),
        ("http://bob:hunter2@127.0.0.1:{port}/", "DOWN  connect_refused  http://127.0.0.1:{port}/"),
    ],
)
def test_kind_follows_from_the_target(target: str, first: str) -> None:
    """As people write addresses; a password in one is not repeated."""
    with refused_port() as port:
        result = CliRunner().invoke(build(), ["probe", target.format(port=port)])
    assert result.exit_code == 1
    assert result.stdout.startswith(first.format(port=port) + "  ")
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["127.0.0.1", "--kind", "nope"], "--kind: there is no kind 'nope'; use one of http, tls, tcp, dns, icmp"),
        (["127.0.0.1", "--kind", "heartbeat"], "--kind: there is no kind 'heartbeat'"),
        (
            ["127.0.0.1:9", "--set", "expect=1"],
            "--set expect: is no known key of kind tcp; did you mean 'expect_text'?",
        ),
        (["127.0.0.1:9", "--set", "expect_text"], "--set expect_text: write KEY=VALUE"),
        (["127.0.0.1:9", "--set", "expect_text={"], "--set expect_text: the value is no YAML"),
        (["http://127.0.0.1:9", "--set", "max_redirects=x"], "--set max_redirects: must be a whole number"),
        (["127.0.0.1:9", "--timeout", "0"], "--timeout: must be more than 0"),
        (["127.0.0.1:9", "--resolver", "bad"], "--resolver: 'bad' is no DNS server"),
        (["https://127.0.0.1:9", "--ca-file", "/nowhere/ca.pem"], "/nowhere/ca.pem: TARGET: cannot be read"),
        (["127.0.0.1", "--kind", "tcp"], "TARGET: a tcp probe needs a port; write 127.0.0.1:PORT"),
        (["http://127.0.0.1:99999/"], "TARGET: 'http://127.0.0.1:99999/' is no address, or its port is none"),
        (["ftp://127.0.0.1/"], "TARGET: 'ftp://' is not known; use one of http://, https://"),
        ([""], "TARGET: '' names no host"),
        (["http://"], "TARGET: 'http://' names no host"),
        (["a b"], "TARGET: 'a b' names no host"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_probed_is_code_3_and_says_how_to_write_it(arguments: Sequence[str], told: str) -> None:
    """Nothing is sent, nothing is traced back."""
    result = CliRunner().invoke(build(), ["probe", *arguments], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (3, "")
    assert told in result.stderr
