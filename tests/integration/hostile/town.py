"""The process in which every hostile server lives, so that neither its CPU nor its memory is the probes'.

`python -m tests.integration.hostile.town` prints one JSON object of name → port, and ends with its standard input.
"""

import json
import os
import socket
import sys
import threading
from contextlib import suppress

from tests.integration.hostile.attack import Behaviour
from tests.integration.hostile.attacks import ATTACKS

LOOPBACK = "127.0.0.1"
BACKLOG = 512


def listen(behave: Behaviour) -> int:
    """Serves a behaviour on a port of its own, a thread for each connection; returns the port."""
    listener = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
    threading.Thread(target=_accept, args=(listener, behave), daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def _accept(listener: socket.socket, behave: Behaviour) -> None:
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=_serve, args=(peer, behave), daemon=True).start()


def _serve(peer: socket.socket, behave: Behaviour) -> None:
    with peer, suppress(OSError):  # the probe hung up, which is its right
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        behave(peer)


def main() -> None:
    """Serves every attack until nobody needs them any more."""
    for attack in ATTACKS.values():
        attack.prepare()
    ports = {name: listen(attack.behave) for name, attack in ATTACKS.items()}
    print(json.dumps(ports), flush=True)  # noqa: T201  # the way to tell
    sys.stdin.read()
    os._exit(0)  # threads still hold on


if __name__ == "__main__":
    main()
