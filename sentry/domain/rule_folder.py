"""Rules of YARA that the user adds, as the configuration names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from sentry.domain.finding import FindingClass
from sentry.domain.model import StrictModel

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RuleFolder(StrictModel):
    """A folder of rules of YARA."""

    folder: str = Field(
        min_length=1,
        description="Its files `*.yar` and `*.yara` are used; from the folder of the main file when relative. One "
        "that cannot be compiled is named in the audit, which goes on without it.",
    )
    sha256: Mapping[str, Sha256] = Field(
        {},
        max_length=1_000,
        description="Name of each file that may be used, and its SHA-256. A file that was changed, or is not named, "
        "is refused, and the audit says so. When empty, every file is used as it is.",
    )
    finding_class: Literal["confirmed", "suspicious", "risky_tool", "advice"] = Field(
        "suspicious", description="What a hit is whose rule does not say it in its meta `class`."
    )


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A folder of rules, as an audit takes it with it.

    Attributes:
        pins: name of a file → the SHA-256 that it must have, hexadecimal; without any, every file counts as it is.
        verdict: of a hit whose rule says nothing of it.
    """

    folder: str
    pins: tuple[tuple[str, str], ...] = ()
    verdict: FindingClass = FindingClass.SUSPICIOUS
