"""How the files of a host over SSH are read: by what its account may do there."""

from sentry.ports.hosts import Tree
from sentry.remote.remote_tree import RemoteTree
from sentry.remote.sftp_tree import SftpTree
from sentry.remote.ssh_host import RemoteHost

ECHOED = b"online-sentry"
ANSWERS_WITHIN_S = 20.0


def tree_of(host: RemoteHost, root: bytes, max_load: float | None) -> Tree:
    """Returns the files below a folder of a host.

    Args:
        host: asked whether it runs commands.
        root: the folder, absolute.
        max_load: of the host, above which reading waits; None never waits.

    Raises:
        HostLost: it cannot be reached.
        HostRefused: it does not let us in.
    """
    answer = host.run(["printf", "%s", ECHOED], within_s=ANSWERS_WITHIN_S, at_most_bytes=10_000)
    # An account that may do nothing but SFTP is served SFTP, or told so in words of its own.
    return RemoteTree(host, root, max_load) if answer.output == ECHOED else SftpTree(host, root)
