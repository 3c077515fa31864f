"""How bad something is."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad it is. SEV1 wakes somebody at once; SEV4 can wait for office hours."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"
