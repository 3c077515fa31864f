"""What the process of an audit says to whoever started it: one JSON document a line.

JSON and no pickle: the process reads what strangers have written, and whoever takes it over must gain nothing by it.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from sentry.domain.finding import AuditReport

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Of a report with as many findings as one may have."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part of the audit has come."""

    part: str
    done: int
    whole: int
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Done:
    """The audit came to its end."""

    report: AuditReport
    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Failed:
    """The audit did not come to its end.

    Attributes:
        error: a class of `sentry.domain.errors` by its name, empty where it is a fault of our own.
    """

    why: str
    error: str = ""
    kind: Literal["failed"] = "failed"


Frame = Progress | Done | Failed

FRAME: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="kind")])
