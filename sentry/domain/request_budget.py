"""How often, and how much, a site may be asked in a day: the watch must never become a burden (promise 000-26)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from pydantic import Field

from sentry.domain.model import StrictModel

DAY_S = 86_400
REQUESTS_PER_PROBE = 4
"""Room for redirects, re-checks, evidence and for the work of people, beside what the checks plan."""
BYTES_PER_PROBE = 1_048_576
LEAST_REQUESTS = 1_000
LEAST_BYTES = 1_073_741_824

WARNED_AT = 0.8
STRETCHED_S = 900
"""A site whose budget is used up is still probed this often."""


class RequestBudget(StrictModel):
    """What the watch may ask of a site in a local day; what is absent follows from its checks, generously."""

    requests_per_day: int | None = Field(
        None, ge=96, description="Requests, with redirects and re-checks; four for each planned probe when absent."
    )
    bytes_per_day: int | None = Field(
        None, ge=1_000_000, description="Bytes received over TCP; a MiB for each planned probe when absent."
    )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a site may be asked in a day."""

    requests: int
    received_bytes: int

    @classmethod
    def of(cls, written: Iterable[RequestBudget | None], intervals_s: Iterable[int]) -> "Allowance":
        """Works it out.

        Args:
            written: what the configuration says, what goes first first; each key by itself.
            intervals_s: of the site's checks.
        """
        planned = sum(-(-DAY_S // interval_s) for interval_s in intervals_s)
        said = [budget for budget in written if budget is not None]
        requests = next((one.requests_per_day for one in said if one.requests_per_day is not None), None)
        received = next((one.bytes_per_day for one in said if one.bytes_per_day is not None), None)
        return cls(
            requests or max(LEAST_REQUESTS, REQUESTS_PER_PROBE * planned),
            received or max(LEAST_BYTES, BYTES_PER_PROBE * planned),
        )


class Level(IntEnum):
    """How much of the day's allowance is used."""

    WITHIN = 0
    WARNED = 1
    USED_UP = 2


@dataclass(slots=True)
class Spent:
    """What was asked of a site in a local day."""

    day: date
    requests: int = 0
    received_bytes: int = 0

    def share(self, allowance: Allowance) -> float:
        """Returns the used share of what is used most; 1 is all of it."""
        return max(self.requests / allowance.requests, self.received_bytes / allowance.received_bytes)

    def level(self, allowance: Allowance) -> Level:
        """Returns how much is used."""
        share = self.share(allowance)
        return Level.USED_UP if share >= 1 else Level.WARNED if share >= WARNED_AT else Level.WITHIN


def stride(interval_s: int) -> int:
    """Returns which part of a check's slots is still probed once its site's budget is used up: each so-manieth."""
    return max(1, STRETCHED_S // interval_s)
