"""How incidents are told: what is one problem, and when a site that comes and goes is told of no more."""

from pydantic import Field

from sentry.domain.model import StrictModel


class IncidentPolicy(StrictModel):
    """When several failures are told as one."""

    group_hold_s: float = Field(
        45,
        ge=0,
        le=75,
        description="Seconds for which a confirmed outage waits to be told while others that share a server, an "
        "address, a certificate or a zone with it may still fail; never longer than 75 after the first failed probe. "
        "0: nothing waits, and every site is told by itself.",
    )
    group_min_sites: int = Field(
        3, ge=2, le=1_000, description="Sites that must fail together to be told as one incident."
    )
    flapping_after: int = Field(
        3,
        ge=0,
        le=100,
        description="Re-openings of one incident within an hour after which it is flapping: one message says so, and "
        "the next one comes when it has been well for `stable_s`. 0: each is told.",
    )
    stable_s: int = Field(
        900,
        ge=1,
        le=86_400,
        description="Seconds that what was flapping must be well before its incident is resolved.",
    )
