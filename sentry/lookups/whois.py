"""One question to one WHOIS server (RFC 3912): a line there, text back, bounded in size and time."""

import asyncio
from collections.abc import Callable

from sentry.domain.errors import LookupFailed
from sentry.lookups.download import is_public

PORT = 43
MAX_ANSWER_BYTES = 64 * 1024
WITHIN_S = 10.0

HABITS = {
    "whois.denic.de": "-T dn,ace {domain}",
    "whois.dk-hostmaster.dk": "--show-handles {domain}",
    "whois.jprs.jp": "{domain}/e",
    "whois.verisign-grs.com": "domain {domain}",
}
"""Servers that want more than the name."""


async def ask(server: str, domain: str, *, private: Callable[[], bool]) -> str:
    """Returns what a server says of a domain.

    Args:
        server: `host` or `host:port`; another port only where private addresses are permitted.
        domain: in ASCII.
        private: whether addresses that are not public may be connected to.

    Raises:
        LookupFailed: it did not answer, or may not be asked.
    """
    host, _, number = server.partition(":")
    port = int(number) if number.isdecimal() and len(number) < 6 and private() else PORT  # noqa: PLR2004  # 65535
    try:
        async with asyncio.timeout(WITHIN_S):
            address = await _address(host, port, private=private)
            return await _exchange(address, port, HABITS.get(host, "{domain}").format(domain=domain))
    except TimeoutError as error:
        raise LookupFailed(f"{host} gave no answer within {WITHIN_S:g} s") from error
    except (OSError, UnicodeError) as error:
        raise LookupFailed(f"{host}: {error}") from error


async def _address(host: str, port: int, *, private: Callable[[], bool]) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    for *_, address in found:
        if private() or is_public(str(address[0])):
            return str(address[0])
    raise LookupFailed(f"{host} leads to no public address")


async def _exchange(address: str, port: int, question: str) -> str:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"{question}\r\n".encode("ascii"))
        answer = bytearray()
        while len(answer) < MAX_ANSWER_BYTES and (chunk := await reader.read(MAX_ANSWER_BYTES - len(answer))):
            answer += chunk
    finally:
        writer.close()
    return answer.decode("utf-8", "replace")
