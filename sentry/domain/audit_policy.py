"""How often a site is audited, and when; what is absent at a site is that of its plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from sentry.domain.allow_list import AllowedFinding
from sentry.domain.model import StrictModel

EVERY_DAYS = 15
NIGHT = (1, 5)
LATE_AFTER_H = 24.0
WITHIN_H = 4.0

Hour = Annotated[int, Field(ge=0, le=24)]


class AuditPolicy(StrictModel):
    """When a site is audited."""

    every_days: int | None = Field(
        None, ge=1, le=366, description=f"Days from the end of an audit to the next; {EVERY_DAYS} when absent."
    )
    night_hours: tuple[Hour, Hour] | None = Field(
        None,
        description=f"Local hours between which an audit begins; [{NIGHT[0]}, {NIGHT[1]}] when absent.",
    )
    late_after_h: float | None = Field(
        None,
        ge=1,
        le=720,
        description=f"Hours past its time at which an audit is late; {LATE_AFTER_H:g} when absent.",
    )
    within_h: float | None = Field(
        None,
        gt=0,
        le=24,
        description=f"Hours after which an audit that has not ended is stopped; {WITHIN_H:g} when absent.",
    )

    @model_validator(mode="after")
    def _night_ends_after_it_begins(self) -> Self:
        if self.night_hours is not None and self.night_hours[0] >= self.night_hours[1]:
            raise ValueError("night_hours: the first hour must come before the second, e.g. [1, 5]")
        return self


class SiteAudit(AuditPolicy):
    """How one site is audited; what is absent is that of its plan."""

    allow: tuple[AllowedFinding, ...] = Field((), max_length=500, description="What may stay although it is found.")
    known_admins: tuple[str, ...] = Field(
        (),
        max_length=100,
        description="Logins or e-mail addresses of those who may administer the site; any other administrator is a "
        "finding. When absent, only those are whom WordPress did not make.",
    )
    known_keys: tuple[Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")], ...] = Field(
        (),
        max_length=200,
        description="Fingerprints of the keys that may log in to the account, as `ssh-keygen -l` shows them "
        "(`SHA256:…`); any other is a finding. When absent, each is listed as advice.",
    )


@dataclass(frozen=True, slots=True)
class AuditTerms:
    """What was settled for a site.

    Attributes:
        every: from the end of an audit to the next.
        first_hour, end_hour: local hours between which one begins.
        late_after: past its time.
        within: it is stopped after that.
    """

    every: timedelta = timedelta(days=EVERY_DAYS)
    first_hour: int = NIGHT[0]
    end_hour: int = NIGHT[1]
    late_after: timedelta = timedelta(hours=LATE_AFTER_H)
    within: timedelta = timedelta(hours=WITHIN_H)

    @classmethod
    def of(cls, *written: AuditPolicy | None) -> "AuditTerms":
        """Works them out.

        Args:
            written: what the configuration says, what goes first first; each key by itself.
        """
        said: Mapping[str, object] = {
            name: value
            for policy in reversed(written)
            if policy is not None
            for name in AuditPolicy.model_fields
            if (value := getattr(policy, name)) is not None
        }
        whole = AuditPolicy.model_validate(said)
        first_hour, end_hour = whole.night_hours or NIGHT
        return cls(
            timedelta(days=whole.every_days or EVERY_DAYS),
            first_hour,
            end_hour,
            timedelta(hours=whole.late_after_h or LATE_AFTER_H),
            timedelta(hours=whole.within_h or WITHIN_H),
        )
