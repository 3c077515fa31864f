"""How long what was seen is kept."""

from pydantic import Field

from sentry.domain.model import StrictModel


class RetentionPolicy(StrictModel):
    """Days after which rows are dropped. Ledger, outages, incidents, tickets and the last health stay for ever."""

    samples_days: int = Field(
        396,
        ge=1,
        description="Days that each day's figures and each minute's response time are kept, 13 months by default; "
        "every single probe with its phases is kept for 48 hours.",
    )
    failures_days: int = Field(90, ge=1, description="Days that a failed probe's whole evidence is kept.")
    events_days: int = Field(
        30,
        ge=2,
        description="Days that handled events are kept; two at least, for the reports. Failures that were gone when "
        "looked at again stay as long as samples.",
    )
    audits_days: int = Field(
        1_096,
        ge=31,
        description="Days that the proof of an audit is kept, 3 years by default; the last of a site stays for ever.",
    )
    deliveries_days: int = Field(400, ge=1, description="Days that messages that were sent or given up are kept.")
