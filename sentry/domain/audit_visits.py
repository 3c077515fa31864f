"""How an audit looks at a site from outside: as little as will do, and never in haste."""

from pydantic import Field

from sentry.domain.model import StrictModel


class AuditVisits(StrictModel):
    """What an audit may ask of a site over the web."""

    enabled: bool = Field(
        default=True, description="Whether a site is looked at from outside too; false: by its files alone."
    )
    max_requests: int = Field(
        400,
        ge=20,
        le=10_000,
        description="Requests of one audit to one site, with redirects; what is left is told.",
    )
    pause_s: float = Field(
        0.2,
        ge=0,
        le=60,
        description="Seconds between two requests: as long as the last answer took, and no more than this.",
    )
    timeout_s: float = Field(15, gt=0, le=120, description="Seconds for one request, from the name to the last byte.")
    pages: int = Field(
        5, ge=1, le=100, description="Pages that are compared as a visitor, a search bot and a telephone see them."
    )
