"""A site as the budget and the reports see it: whose it is, what was promised, and which of its checks count."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from sentry.domain.failure_report import Attribution
from sentry.domain.maintenance import Work
from sentry.domain.request_budget import Allowance
from sentry.domain.site import Language
from sentry.domain.weight import Weight


@dataclass(frozen=True, slots=True)
class WatchedCheck:
    """One check of a watched site."""

    key: str
    interval_s: int = 60
    weight: Weight = Weight.DECIDES


@dataclass(frozen=True, slots=True)
class WatchedSite:
    """A site with everything it inherits from client, plan and agency already resolved.

    Attributes:
        name: as reports call it.
        zone: the zone of the contract's months.
        uptime_target: promised availability of a month, percent.
        contract_start: first local day that counts; None: it counts from when it was first seen.
        checks: the checks configured now; the first that decides is the one whose response times are reported.
        allowance: what the watch may ask of it in a local day.
        work: all maintenance that is or was announced, in order of time; also what counts as it was seen.
        maintenance: what of it was announced in time, as [start, end) minutes; they are taken out of the account.
        hosted: whether it stands on our own infrastructure; of any other nothing is promised.
        excluded: the sides whose down minutes the contract leaves out.
    """

    key: str
    name: str
    url: str
    client_key: str
    client_name: str
    zone: ZoneInfo
    language: Language
    uptime_target: float = 99.7
    contract_start: date | None = None
    checks: tuple[WatchedCheck, ...] = ()
    allowance: Allowance = field(default_factory=lambda: Allowance.of((), ()))
    work: tuple[Work, ...] = ()
    maintenance: tuple[tuple[int, int], ...] = ()
    hosted: bool = True
    excluded: frozenset[Attribution] = frozenset({Attribution.CLIENT, Attribution.THIRD_PARTY})

    @property
    def target(self) -> Fraction:
        """The promised share, exact: 99.7 becomes 997/1000."""
        return _exact_share(self.uptime_target)

    @property
    def counting(self) -> tuple[WatchedCheck, ...]:
        """The checks that decide the site's state."""
        return tuple(check for check in self.checks if check.weight is Weight.DECIDES)


@lru_cache(maxsize=256)
def _exact_share(percent: float) -> Fraction:
    """What was written counts, and not the binary number that is nearest to it."""
    return Fraction(str(percent)) / 100
