"""The http probe."""

from typing import ClassVar

from probes.http_options import HttpOptions
from probes.task import TaskProbe
from sentry.domain.site import CheckOptions


class HttpProbe(TaskProbe):
    """Asks for a page once, on a new connection for each hop."""

    Options: ClassVar[type[CheckOptions]] = HttpOptions
