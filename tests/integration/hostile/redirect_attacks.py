"""Attacks by where a response leads, and by what it would have the next request carry."""

import socket
from itertools import count

from sentry.domain.result import Phase, Reason
from tests.integration.hostile.attack import Attack
from tests.integration.hostile.speech import hold, page, read_request, say, to

INVALID = Reason.REDIRECT_INVALID
COUNTER = count()


def back_to_itself(peer: socket.socket) -> None:
    """Redirects to the very address that was asked."""
    request = read_request(peer)
    peer.sendall(to(request.split(b" ")[1].decode()))
    hold(peer)


def round_and_round(peer: socket.socket) -> None:
    """Redirects in a circle of three."""
    path = read_request(peer).split(b" ")[1].decode()
    peer.sendall(to({"/": "/a", "/a": "/b"}.get(path, "/")))
    hold(peer)


def ever_longer(peer: socket.socket) -> None:
    """Redirects to an address twice as long, again and again."""
    path = read_request(peer).split(b" ")[1].decode()
    peer.sendall(to(path + "x" * len(path)))
    hold(peer)


def ever_new(peer: socket.socket) -> None:
    """Redirects to a new address each time."""
    read_request(peer)
    peer.sendall(to(f"/{next(COUNTER)}"))
    hold(peer)


def ever_more_cookies(peer: socket.socket) -> None:
    """Sets as many and as large cookies as fit and redirects, so that each request would be larger than the last."""
    read_request(peer)
    number = next(COUNTER)
    cookies = [f"Set-Cookie: c{number}x{index}={'c' * 3900}" for index in range(14)]
    peer.sendall(page(b"", f"Location: /{number}", *cookies, status="302 Found"))
    hold(peer)


def inject_by_location(peer: socket.socket) -> None:
    """Redirects with line breaks in the address, in every writing; says whether they came through."""
    path, _, rest = read_request(peer).partition(b" ")[2].partition(b" ")
    if path == b"/":
        peer.sendall(to("/next%0d%0aX-Injected: yes\x0bX-Injected: yes\t\x85X-Injected: \xc4%00"))
    else:
        injected = any(line.lower().startswith(b"x-injected") for line in rest.replace(b"\r", b"\n").split(b"\n"))
        peer.sendall(page(b"injected" if injected else b"clean"))
    hold(peer)


def inject_by_cookie(peer: socket.socket) -> None:
    """The same with a cookie that should come back."""
    path, _, rest = read_request(peer).partition(b" ")[2].partition(b" ")
    if path == b"/":
        cookies = (
            "Set-Cookie: a=b\x0bX-Injected: yes",
            "Set-Cookie: c=d\tX-Injected: yes\x85",
            "Set-Cookie: good=1",
        )
        peer.sendall(page(b"", "Location: /next", *cookies, status="302 Found"))
    else:
        injected = b"x-injected" in rest.lower() or b"good=1" not in rest
        peer.sendall(page(b"injected" if injected else b"clean"))
    hold(peer)


ELSEWHERE = {
    "file": "file:///etc/passwd",
    "file-without-slashes": "file:/etc/passwd",
    "ftp": "ftp://files.test/",
    "gopher": "gopher://127.0.0.1:25/_HELO",
    "data": "data:text/html,ok",
    "javascript": "javascript:alert(1)",
    "unix": "unix:///run/docker.sock",
    "blob": "blob:http://site.test/0",
    "view-source": "view-source:http://site.test/",
    "ssh": "ssh://site.test",
    "nothing": "http://",
    "no-port": "http://site.test:port/",
    "port-too-high": "http://site.test:65536/",
}

REDIRECT_ATTACKS = {
    **{
        f"redirect-to-{name}": Attack(say(to(location)), INVALID, Phase.PROCESSING, "no web address")
        for name, location in ELSEWHERE.items()
    },
    "redirect-to-itself": Attack(back_to_itself, Reason.REDIRECT_LOOP, Phase.PROCESSING),
    "redirect-in-a-circle": Attack(round_and_round, Reason.REDIRECT_LOOP, Phase.PROCESSING),
    "redirect-ever-longer": Attack(ever_longer, INVALID, options={"max_redirects": 50}),
    "redirect-ever-new": Attack(ever_new, Reason.REDIRECT_TOO_MANY, options={"max_redirects": 20}),
    "redirect-with-ever-more-cookies": Attack(ever_more_cookies, Reason.REDIRECT_TOO_MANY),
    "injection-by-location": Attack(inject_by_location, options={"expect_text": "clean"}),
    "injection-by-cookie": Attack(inject_by_cookie, options={"expect_text": "clean"}),
}
