"""How long what was seen is kept."""

from pydantic import Field

from sentry.domain.model import StrictModel


class RetentionPolicy(StrictModel):
    """Days after which rows are dropped. Ledger, outages, incidents, tickets and the last health stay for ever."""

    samples_days: int = Field(35, ge=1, description="Days that each probe's figures are kept.")
    failures_days: int = Field(90, ge=1, description="Days that a failed probe's whole evidence is kept.")
    events_days: int = Field(
        30, ge=2, description="Days that handled events are kept; two at least, for the reports."
    )
    deliveries_days: int = Field(400, ge=1, description="Days that messages that were sent or given up are kept.")
