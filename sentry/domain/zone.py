"""What the DNS says of a zone as a whole, and when that has drifted from what it was, or from what it must be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RECORD_TYPES = ("NS", "MX", "CAA")
"""What leads a whole domain astray when somebody changes it: where it is answered, its mail, who may certify it."""

STABLE_FOR = timedelta(days=7)
"""A change that nobody takes back for so long is how it shall be."""


@dataclass(frozen=True, slots=True)
class ZoneRecords:
    """The records of one zone.

    Attributes:
        records: record type → its values, sorted; a type on which resolvers disagree is not there.
    """

    zone: str
    records: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class RecordState:
    """What is remembered of the records of one type.

    Attributes:
        base: as they shall be, because they have long been so.
        seen: as they were seen last.
        since: from when on they have been seen so.
    """

    base: tuple[str, ...]
    seen: tuple[str, ...]
    since: datetime

    @property
    def drifts(self) -> bool:
        """Whether they are not what they were."""
        return self.base != self.seen

    def facts(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {"base": list(self.base), "seen": list(self.seen), "since": self.since.isoformat()}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "RecordState":
        """Returns what `facts` returned the facts of."""
        return cls(tuple(facts["base"]), tuple(facts["seen"]), datetime.fromisoformat(facts["since"]))


def next_state(state: RecordState | None, found: Sequence[str], now: datetime, *, accepted: bool) -> RecordState:
    """Returns what is to be remembered after a look.

    Args:
        state: what was remembered, None at the first look.
        found: the records as they are.
        now: the instant.
        accepted: whether a person has seen the drift and left it.
    """
    records = tuple(found)
    if state is None:
        return RecordState(records, records, now)
    if records != state.seen:
        return RecordState(state.base, records, now)
    if state.drifts and (accepted or now - state.since >= STABLE_FOR):
        return RecordState(records, records, now)
    return state


def spelled(record_type: str, values: Sequence[str]) -> tuple[str, ...]:
    """Returns configured records as the DNS spells them: sorted, in small letters, names with their last dot."""
    written = (" ".join(value.lower().split()) for value in values)
    if record_type == "CAA":
        return tuple(sorted(written))
    return tuple(sorted(f"{value.rstrip('.')}." for value in written))
