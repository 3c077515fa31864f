"""Every reason that can be had from a real server or socket; the words for each stand in tests/data/reasons.yaml."""

import gzip
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sentry.domain.result import Phase, Reason, Status
from tests.integration.authority import Authority, self_signed, small_key
from tests.integration.hostile_servers import (
    after,
    answer,
    drip,
    endless_redirects,
    hang_up,
    never,
    page,
    redirect_loop,
    reset,
    serving,
)
from tests.integration.reason_scenes import (
    BODY,
    HEADERS,
    INTERMEDIATE,
    Scene,
    behind_a_cut_line,
    dead,
    dropped_packets,
    failing,
    gone,
    healthy,
    mail_only,
    name,
    nobody_listening,
    raw,
    reported_failure,
    reset_after_hello,
    shown,
    wants_a_client_certificate,
    web,
    without_a_route,
)
from tests.integration.reason_stage import NAME, Stage

SHORT: Mapping[str, object] = {"timeout_s": 0.3}
"""For probes whose deadline is to pass."""

STRANGER = Authority.root("Stranger Root")


@dataclass(frozen=True)
class Case:
    """One way to fail.

    Attributes:
        options: keys of the check.
        status: the verdict.
        pause_s: waited between the making of the probe and its slot.
    """

    reason: Reason
    phase: Phase | None
    scene: Scene
    kind: str = "http"
    options: Mapping[str, object] = field(default_factory=dict)
    status: Status = Status.DOWN
    pause_s: float = 0.0


@asynccontextmanager
async def old_tls(stage: Stage) -> AsyncIterator[str]:
    del stage
    context = INTERMEDIATE.leaf(NAME).server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(answer(page(BODY)), tls=context) as server:
        yield server.url(NAME)


def whole_page(body: bytes = BODY, **options: object) -> Scene:
    """A page that is sent as it should be."""
    return web(answer(page(body, headers=HEADERS, **options)))  # type: ignore[arg-type]  # keys of `page`


DNS, CONNECT, TLS, PROCESSING, TRANSFER = Phase

OUTAGES: dict[str, Case] = {
    "name-unknown": Case(Reason.DNS_NXDOMAIN, DNS, name(gone)),
    "name-without-address": Case(Reason.DNS_NO_ADDRESS, DNS, name(mail_only)),
    "name-servers-fail": Case(Reason.DNS_SERVER_FAILURE, DNS, name(failing)),
    "name-servers-dead": Case(Reason.DNS_TIMEOUT, DNS, name(dead)),
    "name-servers-late": Case(Reason.DNS_TIMEOUT, DNS, name(dead), options=SHORT),
    "dns-answer-differs": Case(
        Reason.DNS_ANSWER_MISMATCH, DNS, name(healthy), kind="dns", options={"expect": ["127.0.0.9"]}
    ),
    "refused": Case(Reason.CONNECT_REFUSED, CONNECT, nobody_listening),
    "refused-database": Case(Reason.CONNECT_REFUSED, CONNECT, nobody_listening, kind="tcp"),
    "connect-timeout": Case(Reason.CONNECT_TIMEOUT, CONNECT, dropped_packets, options=SHORT),
    "reset-while-processing": Case(Reason.CONNECTION_RESET, PROCESSING, web(reset)),
    "reset-in-handshake": Case(Reason.CONNECTION_RESET, TLS, raw(reset_after_hello)),
    "certificate-expired": Case(Reason.TLS_EXPIRED, TLS, shown(lambda: INTERMEDIATE.leaf(NAME, days=(-90, -3.01)))),
    "certificate-of-the-future": Case(
        Reason.TLS_NOT_YET_VALID, TLS, shown(lambda: INTERMEDIATE.leaf(NAME, days=(2.01, 90)))
    ),
    "certificate-of-another": Case(
        Reason.TLS_WRONG_HOST, TLS, shown(lambda: INTERMEDIATE.leaf("otra.test", "www.otra.test"))
    ),
    "certificate-self-signed": Case(Reason.TLS_SELF_SIGNED, TLS, shown(lambda: self_signed(NAME))),
    "intermediate-missing": Case(
        Reason.TLS_MISSING_INTERMEDIATE, TLS, shown(lambda: INTERMEDIATE.leaf(NAME), complete=False)
    ),
    "certificate-with-a-small-key": Case(
        Reason.TLS_WEAK, TLS, shown(lambda: INTERMEDIATE.leaf(NAME, key=small_key()))
    ),
    "authority-unknown": Case(
        Reason.TLS_UNTRUSTED, TLS, shown(lambda: STRANGER.intermediate("Stranger Intermediate").leaf(NAME))
    ),
    "plain-http-on-the-tls-port": Case(Reason.TLS_HANDSHAKE, TLS, raw(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"))),
    "tls-too-old": Case(Reason.TLS_HANDSHAKE, TLS, old_tls, kind="tls", options={"min_version": "1.3"}),
    "client-certificate-wanted": Case(Reason.TLS_HANDSHAKE, TLS, wants_a_client_certificate),
    "handshake-hangs": Case(Reason.TLS_TIMEOUT, TLS, raw(never), options=SHORT),
    "status-404": Case(Reason.HTTP_CLIENT_ERROR, PROCESSING, whole_page(b"<h1>Not Found</h1>", status=404)),
    "status-503": Case(
        Reason.HTTP_SERVER_ERROR,
        PROCESSING,
        web(answer(page(b"<h1>Fatal error</h1>", status=503, headers=HEADERS)), lambda: INTERMEDIATE.leaf(NAME)),
    ),
    "status-unexpected": Case(
        Reason.HTTP_UNEXPECTED_STATUS, PROCESSING, whole_page(), options={"accepted_status": [204]}
    ),
    "no-http": Case(Reason.HTTP_PROTOCOL, PROCESSING, web(answer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))),
    "no-answer-at-all": Case(Reason.HTTP_PROTOCOL, PROCESSING, web(hang_up)),
    "body-cut-off": Case(
        Reason.HTTP_PROTOCOL,
        TRANSFER,
        web(answer(page(gzip.compress(BODY * 9)[:-9], headers=(*HEADERS, "Content-Encoding: gzip")))),
    ),
    "header-missing": Case(
        Reason.HTTP_HEADER_MISMATCH,
        PROCESSING,
        whole_page(),
        options={"expect_headers": {"Strict-Transport-Security": ""}},
    ),
    "no-first-byte": Case(Reason.PROCESSING_TIMEOUT, PROCESSING, web(never), options=SHORT),
    "slow-body": Case(
        Reason.TRANSFER_TIMEOUT,
        TRANSFER,
        web(drip(page(BODY * 50, headers=HEADERS), every_s=0.2, size=600)),
        options={"timeout_s": 0.5},
    ),
    "text-missing": Case(Reason.BODY_TEXT_MISSING, TRANSFER, whole_page(), options={"expect_text": "Carrito"}),
    "text-forbidden": Case(
        Reason.BODY_TEXT_FORBIDDEN,
        TRANSFER,
        whole_page(b"<p>Fatal error: Uncaught PDOException</p>"),
        options={"forbid_text": "Fatal error"},
    ),
    "nothing-but-a-default-page": Case(
        Reason.HTTP_PARKED, TRANSFER, whole_page(b"<title>Apache2 Debian Default Page: It works</title>")
    ),
    "wordpress-broke-at-200": Case(
        Reason.HTTP_ERROR_PAGE,
        TRANSFER,
        whole_page(
            b'<body id="error-page"><div class="wp-die-message">Ha habido un error cr\xc3\xadtico</div></body>'
        ),
    ),
    "json-differs": Case(
        Reason.BODY_JSON_MISMATCH,
        TRANSFER,
        whole_page(b'{"stock": {"ok": false}}'),
        options={"expect_json": {"$.stock.ok": True}},
    ),
    "body-too-large": Case(Reason.BODY_TOO_LARGE, TRANSFER, whole_page(), options={"max_body_bytes": 50}),
    "redirects-in-a-circle": Case(Reason.REDIRECT_LOOP, PROCESSING, web(redirect_loop)),
    "redirects-without-end": Case(Reason.REDIRECT_TOO_MANY, PROCESSING, web(endless_redirects)),
    "redirect-to-nowhere": Case(
        Reason.REDIRECT_INVALID,
        PROCESSING,
        web(answer(page(status=302, headers=(*HEADERS, "Location: ftp://archivos.test/")))),
    ),
    "reply-differs": Case(
        Reason.REPLY_MISMATCH,
        PROCESSING,
        raw(answer(b"554 go away\r\n"), "http"),
        kind="tcp",
        options={"expect_text": "220 "},
    ),
    "reply-absent": Case(
        Reason.REPLY_TIMEOUT, PROCESSING, raw(never, "http"), kind="tcp", options={"expect_text": "220 ", **SHORT}
    ),
    "job-silent": Case(
        Reason.HEARTBEAT_MISSED,
        None,
        name(healthy),
        kind="heartbeat",
        options={"every_s": 0.2, "grace_s": 0},
        pause_s=0.3,
    ),
    "job-failed": Case(Reason.HEARTBEAT_FAILED, None, reported_failure, kind="heartbeat", options={"every_s": 3600}),
}
"""What puts a site down."""

ELSEWHERE: dict[str, Case] = {
    "unreachable": Case(Reason.CONNECT_UNREACHABLE, CONNECT, name(behind_a_cut_line)),
}
"""What puts a site down and needs a network of its own to be shown."""

ATTENTION: dict[str, Case] = {
    "certificate-ends-soon": Case(
        Reason.TLS_EXPIRES_SOON,
        None,
        shown(lambda: INTERMEDIATE.leaf(NAME, days=(-80, 10.01))),
        kind="tls",
        status=Status.DEGRADED,
    ),
    "challenge-for-bots": Case(
        Reason.HTTP_BLOCKED,
        None,
        web(
            answer(
                page(b"<title>Just a moment...</title>", status=403, headers=(*HEADERS, "CF-Mitigated: challenge"))
            )
        ),
        status=Status.DEGRADED,
    ),
    "slow-answer": Case(
        Reason.SLOW_RESPONSE,
        None,
        web(after(0.25, page(BODY, headers=HEADERS))),
        options={"max_response_s": 0.2},
        status=Status.DEGRADED,
    ),
}
"""What works and needs attention."""

OWN_FAULTS: dict[str, Case] = {
    "no-route-from-here": Case(
        Reason.AGENT_NETWORK,
        CONNECT,
        name(without_a_route),
        options={"ip_version": 6},
        status=Status.UNKNOWN,
    ),
    "pattern-without-end-on-a-page": Case(
        Reason.AGENT_RESOURCES,
        TRANSFER,
        whole_page(b"a" * 5000 + b"!"),
        options={"expect_regex": "(a+)+$"},
        status=Status.UNKNOWN,
    ),
    "pattern-without-end-on-a-reply": Case(
        Reason.AGENT_ERROR,
        PROCESSING,
        raw(answer(b"a" * 5000 + b"!"), "http"),
        kind="tcp",
        options={"expect_regex": "(a+)+$"},
        status=Status.UNKNOWN,
    ),
}
"""What says nothing of the site; faults of the whole process have tests of their own."""
