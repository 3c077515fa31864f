"""One audit in a process of its own, as seen by whoever wants its report."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from sentry.app.auditing.frames import FRAME, MAX_FRAME_BYTES, Done, Failed, Progress
from sentry.app.auditing.order import AuditOrder
from sentry.app.workers.commands import pickled
from sentry.domain.errors import AuditFailed, NotFound
from sentry.domain.finding import AuditReport

COMMAND = (sys.executable, "-P", "-m", "sentry.app.auditing.process")
WITHIN_S = 4 * 3600.0
"""An audit that takes longer hangs."""

LAST_WORDS_BYTES = 2_000

Told = Callable[[Progress], None]


async def audited(order: AuditOrder, told: Told, *, within_s: float = WITHIN_S) -> AuditReport:
    """Has something audited; the process ends with this call, however that ends.

    Args:
        order: what.
        told: hears of progress.
        within_s: it is killed after that.

    Raises:
        NotFound: there is no such folder.
        AuditFailed: it did not come to its end; that is no verdict.
    """
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=MAX_FRAME_BYTES, start_new_session=True
    )
    try:
        async with asyncio.timeout(within_s):
            return await _heard(process, pickled(order), told)
    except TimeoutError:
        raise AuditFailed(f"it was stopped after {within_s:,.0f} seconds") from None
    finally:
        await _end(process)


async def _heard(process: Process, order: bytes, told: Told) -> AuditReport:
    assert process.stdin is not None  # noqa: S101  # as asked for
    assert process.stderr is not None  # noqa: S101  # as asked for
    last_words = asyncio.create_task(_last_words(process.stderr))
    try:
        with suppress(ConnectionError):  # a process that has died already says so by its end
            process.stdin.write(order)
            await process.stdin.drain()
        process.stdin.close()
        report = await _report(process, told)
        if report is not None:
            return report
        code, words = await process.wait(), await last_words
    finally:
        last_words.cancel()
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    raise AuditFailed(f"its process ended with {how}: {words[-300:] or 'without a word'}")


async def _report(process: Process, told: Told) -> AuditReport | None:
    """Reads frames until the report; None where they end before."""
    assert process.stdout is not None  # noqa: S101  # as asked for
    try:
        while line := await process.stdout.readline():
            frame = await asyncio.to_thread(FRAME.validate_json, line)
            if isinstance(frame, Done):
                return frame.report
            if isinstance(frame, Failed):
                raise _failure(frame)
            told(frame)
    except (ValidationError, ValueError) as error:
        raise AuditFailed(f"its process said what nobody understands: {str(error)[:200]}") from None
    return None


def _failure(frame: Failed) -> NotFound | AuditFailed:
    if frame.error == NotFound.__name__:
        return NotFound(frame.why)
    return AuditFailed(frame.why, retryable=frame.error != "HostRefused")


async def _last_words(stream: asyncio.StreamReader) -> str:
    """Reads what goes to the log of the process, and keeps its end."""
    kept = b""
    while part := await stream.read(LAST_WORDS_BYTES):
        kept = (kept + part)[-LAST_WORDS_BYTES:]
    return kept.decode("utf-8", "replace").strip()


async def _end(process: Process) -> None:
    """Ends the process with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
