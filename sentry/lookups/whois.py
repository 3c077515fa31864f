"""One question to one WHOIS server (RFC 3912): a line there, text back, bounded in size and time."""

import asyncio

from sentry.domain.errors import LookupFailed
from sentry.lookups.public_names import PublicNames

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


async def ask(server: str, domain: str, names: PublicNames) -> str:
    """Returns what a server says of a domain.

    Args:
        server: `host` or `host:port`; another port only where private addresses are permitted.
        domain: in ASCII.
        names: leads to the addresses that may be connected to.

    Raises:
        LookupFailed: it did not answer, or may not be asked.
    """
    host, _, number = server.partition(":")
    port = int(number) if number.isdecimal() and len(number) < 6 and names.private() else PORT  # noqa: PLR2004  # 65535
    try:
        async with asyncio.timeout(WITHIN_S):
            address, *_ = await names.of(host)
            return await _exchange(address, port, HABITS.get(host, "{domain}").format(domain=domain))
    except TimeoutError as error:
        raise LookupFailed(f"{host} gave no answer within {WITHIN_S:g} s") from error
    except (OSError, UnicodeError) as error:
        raise LookupFailed(f"{host}: {error}") from error


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
