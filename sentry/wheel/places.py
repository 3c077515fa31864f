"""Who may run: a probe at a time of each check, so many of a host, so many in all, and none beyond its time.

Nothing here looks through what runs or waits: a place that falls free is handed to the next in line.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sentry.domain.site import Check
from sentry.ports import Probe, ProbeHandle, SampleKind


@dataclass(slots=True, eq=False)
class Group:
    """Checks of one host: how many places of its cap are taken, and who waits for one.

    Attributes:
        waiting: None until somebody first has to wait: an empty deque weighs 600 bytes, most hosts are never full.
    """

    taken: int = 0
    waiting: "deque[Spoke] | None" = None


@dataclass(slots=True, eq=False)
class Spoke:
    """One check on the wheel.

    Attributes:
        slot: its next slot, seconds since the Unix epoch, as is `due`.
        waiting: a probe is due and has not started; due, kind: what for.
        run: the probe under way; None where there is none.
        removed: it is no longer on the wheel; what still points to it is void.
        stride: only each so-manieth slot is probed.
    """

    check: Check
    probe: Probe
    phase_s: float
    group: Group
    slot: float = 0.0
    due: float = 0.0
    kind: SampleKind = SampleKind.SLOT
    waiting: bool = False
    run: "Run | None" = None
    removed: bool = False
    stride: int = 1


@dataclass(slots=True, eq=False)
class Run:
    """One probe under way.

    Attributes:
        due: its slot, seconds since the Unix epoch; delay_s: how late after it the probe started.
        cut_at: monotonic time at which it is cut.
        stalled: the agent stood still while it ran.
    """

    spoke: Spoke
    kind: SampleKind
    due: float
    delay_s: float
    cut_at: float
    stalled: bool = False
    handle: ProbeHandle | None = None


class Places:
    """The places of hosts, and the one line of those that hold a place of their host.

    Args:
        max_concurrent: probes under way at once, over all hosts.
    """

    def __init__(self, max_concurrent: int) -> None:
        self._max_concurrent = max_concurrent
        self._groups: dict[str, Group] = {}
        self._ready: deque[Spoke] = deque()
        self._taken = 0

    def keep(self, names: Iterable[str]) -> None:
        """Makes these the groups that there are; those that stay keep their places."""
        self._groups = {name: self._groups.get(name) or Group() for name in names}

    def group(self, name: str) -> Group:
        """Returns a group that is kept."""
        return self._groups[name]

    @property
    def has_next(self) -> bool:
        """Whether one could start now."""
        return bool(self._ready) and self._taken < self._max_concurrent

    def ask(self, spoke: Spoke) -> None:
        """Puts a spoke into the line; of one host they come in the order in which they asked."""
        group = spoke.group
        if group.taken < spoke.check.host_cap:
            group.taken += 1
            self._ready.append(spoke)
        elif group.waiting is None:
            group.waiting = deque([spoke])
        else:
            group.waiting.append(spoke)

    def next(self) -> Spoke | None:
        """Returns the spoke that starts now, with its places; None where none may."""
        while self._ready and self._taken < self._max_concurrent:
            spoke = self._ready.popleft()
            self._taken += 1
            if not spoke.removed:
                return spoke
            self.leave(spoke.group)
        return None

    def leave(self, group: Group) -> None:
        """Takes a place back; that of the host goes to whom it keeps waiting."""
        self._taken -= 1
        group.taken -= 1
        while group.waiting:
            spoke = group.waiting.popleft()
            if not spoke.removed:
                self.ask(spoke)
                return


class Deadlines:
    """Which runs are to be cut when, looked at in quarters of a second.

    Args:
        now: monotonic time.

    Attributes:
        next_look: monotonic time from which there is something to look at.
    """

    def __init__(self, now: float) -> None:
        self._at: dict[int, list[Run]] = {}
        self._reached = int(now * 4)
        self.next_look = now

    def add(self, run: Run) -> None:
        """Looks at a run again once its `cut_at` is past."""
        quarter = max(int(run.cut_at * 4), self._reached) + 1
        standing = self._at.get(quarter)
        if standing is None:
            self._at[quarter] = [run]
        else:
            standing.append(run)

    def passed(self, now: float) -> list[Run]:
        """Returns the runs to look at now, those that have ended by themselves among them."""
        before, self._reached = self._reached, int(now * 4)
        self.next_look = (self._reached + 1) / 4
        return [run for at in range(before + 1, self._reached + 1) for run in self._at.pop(at, ())]
