"""Where the files of what is ordered are, and how they are reached."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentry.app.auditing.order import AuditOrder
from sentry.ports import Host, Tree
from sentry.remote.local_host import LocalHost
from sentry.remote.local_tree import LocalTree
from sentry.remote.ssh_host import RemoteHost
from sentry.remote.trees import tree_of


@contextmanager
def reached(order: AuditOrder) -> Iterator[tuple[Host, Tree]]:
    """Reaches the files until the block ends.

    Raises:
        NotFound: there is no such folder on this machine.
        HostError: the host cannot be reached, or does not let us in.
    """
    access = order.site.access if order.site is not None else None
    if access is None or access.ssh is None:
        yield LocalHost(), LocalTree(Path(order.folder if access is None else access.docroot))
        return
    host = RemoteHost(access.ssh)
    try:
        yield host, tree_of(host, os.fsencode(access.docroot), access.max_load)
    finally:
        host.close()
