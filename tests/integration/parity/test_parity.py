"""The engine and plain aiohttp, side by side on the same servers."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sentry.domain.result import ProbeResult, Reason
from tests.integration.parity.lasting_servers import lasting_servers
from tests.integration.parity.plain_probe import Question, Seen, plain_probe
from tests.integration.parity.raw_rows import ROWS as RAW
from tests.integration.parity.row import Row, Stage
from tests.integration.parity.server_rows import ROWS as SERVERS
from tests.integration.probing import probe_once

ROWS: tuple[Row, ...] = (*RAW, *SERVERS)
WHOLE_BODY = {None, Reason.BODY_TEXT_MISSING}
OWN_WAYS = {Reason.REDIRECT_LOOP, Reason.REDIRECT_TOO_MANY, Reason.REDIRECT_INVALID}
"""Where a way of redirects ends badly, how far it was followed is each probe's own affair."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The lasting servers and the authority of their certificates."""
    with lasting_servers(tmp_path_factory.mktemp("parity")) as ready:
        yield ready


@pytest.mark.integration
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_engine_and_plain_aiohttp_agree(row: Row, stage: Stage) -> None:
    """Reason, status, hops, size of the body and certificate are the same, or the row says why not."""
    async with row.scene(stage) as url:
        shown = None if row.client is None else stage.folder / f"{row.client}.pem"
        question = replace(row.question, url=url, ca_file=stage.ca_file, client_cert_file=shown)
        ours, plain = await asyncio.gather(_engine(question), plain_probe(question))
    told = f"engine {ours}\nplain {plain}"
    assert ours.reason == row.reason, told
    assert plain.reason == (row.plain if row.differs else row.reason), told
    if not row.differs:
        if plain.reason is Reason.HTTP_PROTOCOL and plain.status is None:
            # aiohttp forgets the headers that came in the same packet as a broken chunk; the engine does not.
            ours = replace(ours, status=None, hops=())
        assert _comparable(ours) == _comparable(plain), told


def test_at_least_forty_behaviours_agree() -> None:
    """The matrix is as large as it was promised, without the rows that differ."""
    agreeing = {row.name for row in ROWS if not row.differs}
    assert len(agreeing) == len([row for row in ROWS if not row.differs])
    assert len(agreeing) >= 40


async def _engine(question: Question) -> Seen:
    return _seen(await probe_once(question.url, ca_file=question.ca_file, options=_options(question)))


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


def _comparable(seen: Seen) -> Seen:
    body_bytes = seen.body_bytes if seen.reason in WHOLE_BODY else None
    status, hops = (None, ()) if seen.reason in OWN_WAYS else (seen.status, seen.hops)
    return replace(seen, body_bytes=body_bytes, status=status, hops=hops, error="")
