"""The engine, asked the same question through the port."""

import asyncio
from dataclasses import replace

from probes import KINDS
from probes.environment import ProbeEnvironment
from probes.http_options import HttpOptions
from sentry.domain.result import ProbeResult, Reason
from tests.fakes.checks import START, make_check
from tests.fakes.probing import make_environment
from tests.integration.parity.plain_probe import Question, Seen

WHOLE_BODY = {None, Reason.BODY_TEXT_MISSING}
OWN_WAYS = {Reason.REDIRECT_LOOP, Reason.REDIRECT_TOO_MANY, Reason.REDIRECT_INVALID}
"""Where a way of redirects ends badly, how far it was followed is each probe's own affair."""


async def engine_probe(
    question: Question, environment: ProbeEnvironment | None = None, *, times: int = 1
) -> list[Seen]:
    """Prepares a check once, probes it so many times, one after the other, and returns what each saw."""
    options = HttpOptions.model_validate(_options(question))
    check = make_check("site/http", options=options, url=question.url)
    probe = KINDS["http"](check, environment or make_environment(ca_file=question.ca_file))
    seen: list[Seen] = []
    for _ in range(times):
        ended: asyncio.Future[ProbeResult] = asyncio.get_running_loop().create_future()
        probe.start(START, ended.set_result)
        seen.append(_seen(await ended))
    return seen


def comparable(seen: Seen) -> Seen:
    """Returns the part that two probes must agree on."""
    body_bytes = seen.body_bytes if seen.reason in WHOLE_BODY else None
    status, hops = (None, ()) if seen.reason in OWN_WAYS else (seen.status, seen.hops)
    return replace(seen, body_bytes=body_bytes, status=status, hops=hops, error="")


def _options(question: Question) -> dict[str, object]:
    lowest, highest = question.accepted
    options: dict[str, object] = {
        "method": question.method,
        "headers": dict(question.headers),
        "accepted_status": [f"{lowest}-{highest}"],
        "follow_redirects": question.follow_redirects,
        "max_redirects": question.max_redirects,
        "max_body_bytes": question.max_body_bytes,
        "timeout_s": question.timeout_s,
        "compression": question.compression,
        "verify_tls": question.verify,
    }
    if question.text is not None:
        options["expect_text"] = question.text
    if question.user is not None:
        options["username"], options["password"] = question.user
    named = {
        "body": question.body,
        "client_cert_file": question.client_cert_file,
        "server_name": question.server_name,
    }
    return options | {name: value for name, value in named.items() if value is not None}


def _seen(result: ProbeResult) -> Seen:
    http, tls = result.evidence.http, result.evidence.tls
    return Seen(
        reason=result.reason,
        status=http.status if http else None,
        body_bytes=http.uncompressed_bytes if http and result.reason in WHOLE_BODY else None,
        leaf=tls.chain[0].fingerprint_sha256 if tls and tls.chain else None,
        hops=tuple(hop.status for hop in http.hops) if http else (),
        error=result.detail,
    )
