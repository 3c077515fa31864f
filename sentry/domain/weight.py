"""What a check means for the state of its site, and what a doubtful answer counts as."""

from enum import StrEnum


class Weight(StrEnum):
    """What a site's minute becomes when one of its checks is down.

    A check that decides makes it down, and unknown where it was not probed. One that degrades makes it degraded at
    most, and says nothing where it was not probed: the site answers all the same. One that is observed says nothing.
    """

    DECIDES = "decides"
    DEGRADES = "degrades"
    OBSERVED = "observed"


class CountsAs(StrEnum):
    """What something counts as that is neither good nor surely an outage: it is for the agency to say."""

    DEGRADED = "degraded"
    DOWN = "down"
