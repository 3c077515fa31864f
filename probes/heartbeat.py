"""The heartbeat check: the site's own jobs (backups, imports, cron) call in, and silence is the failure."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from probes.environment import ProbeEnvironment, ProbeFailure
from probes.task import TaskProbe
from probes.trace import Trace
from sentry.domain.result import Reason, Status
from sentry.domain.site import Check, CheckOptions
from sentry.ports import Heartbeat

MAX_TEXT_CHARACTERS = 200

CLOCK_JUMP_S = 2.0
"""Wall and monotonic time drifting apart by more than this between two probes is a jump of the clock."""

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


class HeartbeatOptions(CheckOptions):
    """Keys of a heartbeat check."""

    rechecked: ClassVar[bool] = False
    asks_site: ClassVar[bool] = False
    """A second look 10 s later could see nothing new: the time to wait is in `grace_s`."""

    kind: Literal["heartbeat"] = "heartbeat"
    counts: bool = Field(
        default=False,
        description="Whether a silent job makes the site down in its figure; false: observed and alerted only.",
    )
    every_s: float = Field(gt=0, le=366 * 86_400, description="Seconds from one call of the job to its next.")
    grace_s: float = Field(60, ge=0, le=86_400, description="How late a call may come, seconds.")
    token: SecretStr | None = Field(
        None, min_length=16, description="Secret that the caller must know; without one, the check's key is enough."
    )


class HeartbeatProbe(TaskProbe):
    """Looks when the job last called in.

    Calls are waited for from the newest of two moments: the last call, and the time this probe was made. So a job
    that never called yet does not page when it is first configured, and calls that came while the agent was stopped
    (and nobody could take them) are not held against the site. Until `every_s + grace_s` have gone by since the probe
    was made, such a check is `unknown`, for nothing is known of it; after that, it is down. A call that reported a
    failure is down at once and stays so until a good one.

    A clock that jumps begins the waiting anew: hours that never were are no silence, and a call that now lies in the
    future counts as one of this moment.
    """

    Options = HeartbeatOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        assert isinstance(check.options, HeartbeatOptions)  # noqa: S101  # KINDS pairs the two
        self.options = check.options
        self._clock_offset_s = self._offset_s()
        self._begin_anew(environment.clock.now())

    async def measure(self, trace: Trace) -> None:
        """Compares the last call with what is due."""
        now = self.environment.clock.now()
        before_s, self._clock_offset_s = self._clock_offset_s, self._offset_s()
        if abs(self._clock_offset_s - before_s) > CLOCK_JUMP_S:
            self._begin_anew(now)
        last = self.environment.heartbeats.last(self.check.key)
        if last is None:
            self._expect_first(now - self.listening_since)
        else:
            heard_at = self.listening_since if last.at == self._future_call_at else last.at
            age = max(now - heard_at, timedelta(0))
            trace.values["heartbeat_age_seconds"] = age.total_seconds()
            trace.note(f"last call at {last.at.isoformat()}: {'success' if last.ok else 'failure'}")
            self._judge(last, age, now - self.listening_since)

    def _begin_anew(self, now: datetime) -> None:
        last = self.environment.heartbeats.last(self.check.key)
        self.listening_since = now
        self._future_call_at = last.at if last is not None and last.at > now else None

    def _offset_s(self) -> float:
        clock = self.environment.clock
        return clock.now().timestamp() - clock.monotonic()

    @property
    def _limit(self) -> timedelta:
        return timedelta(seconds=self.options.every_s + self.options.grace_s)

    @property
    def _rhythm(self) -> str:
        return f"due every {spoken(self.options.every_s)} + {spoken(self.options.grace_s)} grace"

    def _expect_first(self, waited: timedelta) -> None:
        status = Status.DOWN if waited > self._limit else Status.UNKNOWN
        detail = f"no call yet, waiting for {spoken(waited.total_seconds())}, {self._rhythm}"
        raise ProbeFailure(Reason.HEARTBEAT_MISSED, detail, phase=None, status=status)

    def _judge(self, last: Heartbeat, age: timedelta, listened: timedelta) -> None:
        ago = f"last call {spoken(age.total_seconds())} ago"
        if not last.ok:
            said = f": {_clean(last.text)}" if last.text else ""
            raise ProbeFailure(Reason.HEARTBEAT_FAILED, f"{ago} reported a failure{said}", phase=None)
        if age > self._limit:
            status = Status.DOWN if listened > self._limit else Status.UNKNOWN
            raise ProbeFailure(Reason.HEARTBEAT_MISSED, f"{ago}, {self._rhythm}", phase=None, status=status)


def spoken(seconds: float) -> str:
    """Returns a time as people say it, in the largest unit that leaves at least one: `45 s`, `12 min`, `2 d`."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{round(seconds, 1):g} s"


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text[:MAX_TEXT_CHARACTERS]).strip()
