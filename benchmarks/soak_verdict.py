"""What the agent found, held against the injector's own record. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.soak_faults import Fault

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Found:
    """An outage in the agent's store, [start, end) in seconds since 1970; it lasts where there is no end."""

    site: int
    start: float
    end: float | None


@dataclass(slots=True)
class Verdict:
    """One run.

    Attributes:
        outages: faults that had to be found; others: that must not be.
        missed: outages that were not found; false: what was found and was none.
        worst_edge_s: the largest distance of an edge from the truth.
        edges_off: edges further off than the probe interval.
        minutes_off: outages whose minutes in the ledger differ by more than the interval at each edge.
        stray_minutes: minutes down in the ledger outside every outage found.
        unknown_minutes: of all sites, in the span of the run.
    """

    seed: int
    sites: int
    probes: int = 0
    outages: int = 0
    others: int = 0
    found: int = 0
    missed: int = 0
    false: int = 0
    worst_edge_s: float = 0.0
    edges_off: int = 0
    minutes_off: int = 0
    minutes_broken: float = 0.0
    minutes_down: int = 0
    stray_minutes: int = 0
    unknown_minutes: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the agent's account is the injector's."""
        return not (self.missed or self.false or self.edges_off or self.minutes_off or self.stray_minutes)

    def figures(self) -> dict[str, object]:
        """Returns it as JSON values."""
        return {**asdict(self), "agrees": self.agrees}


def judge(
    verdict: Verdict,
    faults: Sequence[Fault],
    outages: Sequence[Found],
    ledger: Mapping[int, Mapping[int, str]],
    interval_s: float,
) -> None:
    """Compares, and writes what differs into the verdict.

    Args:
        verdict: of this run; its counts are filled.
        faults: the injector's record.
        outages: what the agent found.
        ledger: the state of each minute by site, unknown where it is missing. Minutes in which the agent says that
            it could not see are neither right nor wrong: they widen what is allowed.
        interval_s: seconds from a probe to the next.
    """
    by_site: dict[int, list[Found]] = defaultdict(list)
    for outage in outages:
        by_site[outage.site].append(outage)
    verdict.found = len(outages)
    counted = {site: {minute for minute, state in of.items() if state == "down"} for site, of in ledger.items()}
    verdict.minutes_down = sum(map(len, counted.values()))
    for fault in faults:
        if not fault.is_outage:
            verdict.others += 1
            continue
        verdict.outages += 1
        verdict.minutes_broken += (fault.end - fault.start) / MINUTE_S
        match = next((one for one in by_site[fault.site] if _overlap(fault, one)), None)
        if match is None:
            verdict.missed += 1
            verdict.differences.append(f"missed: {fault}")
            continue
        by_site[fault.site].remove(match)
        unseen = _unseen(fault, match, ledger.get(fault.site, {}))
        _judge_edges(verdict, fault, match, unseen, interval_s)
        _judge_minutes(verdict, fault, match, counted.get(fault.site, set()), 2 * interval_s + len(unseen) * MINUTE_S)
    left = [outage for found in by_site.values() for outage in found]
    verdict.false = len(left)
    verdict.differences += [f"false: {outage}" for outage in left]
    verdict.stray_minutes = sum(map(len, counted.values()))


def _overlap(fault: Fault, outage: Found) -> bool:
    return outage.start < fault.end and (outage.end is None or outage.end > fault.start)


def _unseen(fault: Fault, outage: Found, minutes: Mapping[int, str]) -> set[int]:
    """Returns the minutes round a fault in which the agent says that it could not see."""
    ends = max(fault.end, outage.end or fault.end)
    span = range(int(min(fault.start, outage.start) // MINUTE_S), int(ends // MINUTE_S) + 1)
    return {minute for minute in span if minutes.get(minute, "unknown") == "unknown"}


def _judge_edges(verdict: Verdict, fault: Fault, outage: Found, unseen: set[int], interval_s: float) -> None:
    ends = outage.end if outage.end is not None else float("inf")
    for true, found in ((fault.start, outage.start), (fault.end, ends)):
        off = abs(found - true)
        verdict.worst_edge_s = max(verdict.worst_edge_s, off)
        between = sum(min(true, found) // MINUTE_S <= minute <= max(true, found) // MINUTE_S for minute in unseen)
        if off > interval_s + between * MINUTE_S:
            verdict.edges_off += 1
            verdict.differences.append(f"edge {off:.1f} s off: {fault} {outage}")


def _judge_minutes(verdict: Verdict, fault: Fault, outage: Found, minutes: set[int], allowed_s: float) -> None:
    """Takes the outage's minutes off those counted, so that strays are left."""
    first = int(outage.start // MINUTE_S)
    last = int((outage.end if outage.end is not None else fault.end) // MINUTE_S)
    own = {minute for minute in range(first, last + 1) if minute in minutes}
    minutes -= own
    off_s = abs(len(own) * MINUTE_S - (fault.end - fault.start))
    if off_s > allowed_s:
        verdict.minutes_off += 1
        verdict.differences.append(f"{len(own)} minutes for {(fault.end - fault.start) / MINUTE_S:.1f}: {fault}")
