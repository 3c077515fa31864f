"""Many requests in flight over one SFTP channel: the delay of a long line is paid for many at once."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import paramiko
from paramiko.sftp import CMD_STATUS

Result = TypeVar("Result")
Request = tuple[object, ...]
"""A command of SFTP and its arguments."""

Steps = Generator[Request, paramiko.Message, Result]
"""What is done, request by request; an answer that is an error is thrown into it, as the library knows it."""

AT_ONCE = 48
BYTES_AT_ONCE = 32_000_000


@dataclass(frozen=True, slots=True)
class Job(Generic[Result]):
    """Steps, and how much of our memory their result may take."""

    steps: Steps[Result]
    size_bytes: int = 0


class Pipeline(Generic[Result]):
    """Runs jobs side by side.

    Args:
        client: nobody else uses it meanwhile.
    """

    def __init__(self, client: paramiko.SFTPClient) -> None:
        self._client = client
        self._running: dict[int, Job[Result]] = {}
        self._done: list[Result] = []

    def results(self, jobs: Iterable[Job[Result]]) -> Iterator[Result]:
        """Yields what jobs return, as they end."""
        waiting = iter(jobs)
        upcoming = next(waiting, None)
        while upcoming is not None or self._running:
            while upcoming is not None and self._has_room(upcoming):
                self._advance(upcoming, None)
                upcoming = next(waiting, None)
            if self._running:
                self._client._read_response()  # type: ignore[attr-defined]  # noqa: SLF001  # the library offers no pipeline
            done, self._done = self._done, []
            yield from done

    def _has_room(self, job: Job[Result]) -> bool:
        size = sum(one.size_bytes for one in self._running.values())
        return not self._running or (len(self._running) < AT_ONCE and size + job.size_bytes <= BYTES_AT_ONCE)

    def _async_response(self, kind: int, message: paramiko.Message, number: int) -> None:
        """Is called by the client for each answer, by this name."""
        job = self._running.pop(number)
        error: Exception | None = None
        if kind == CMD_STATUS:
            try:
                self._client._convert_status(message)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
            except (OSError, EOFError) as told:
                error = told
        self._advance(job, message if error is None else error)

    def _advance(self, job: Job[Result], answer: paramiko.Message | Exception | None) -> None:
        try:
            if isinstance(answer, Exception):
                request = job.steps.throw(answer)
            elif answer is None:
                request = next(job.steps)
            else:
                request = job.steps.send(answer)
        except StopIteration as end:
            self._done.append(end.value)
            return
        number = self._client._async_request(self, *request)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
        self._running[number] = job
