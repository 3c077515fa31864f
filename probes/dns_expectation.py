"""What the records of a DNS answer should be, compared by meaning and not by spelling."""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase

MAX_SHOWN = 8
MAX_VALUE_CHARACTERS = 100


def record_text(record: dns.rdata.Rdata) -> str:
    """Returns the one spelling of a record: names lower-case with the last dot, TXT joined and without quotes."""
    if isinstance(record, dns.rdtypes.txtbase.TXTBase):
        return b"".join(record.strings).decode("utf-8", "replace")
    return record.to_text().lower()


def expected_text(record_type: str, value: str) -> str:
    """Returns the one spelling of a value that the user expects.

    Raises:
        ValueError: it is no value of this record type.
    """
    kind = dns.rdatatype.from_text(record_type)
    if kind == dns.rdatatype.TXT:
        return value[1:-1] if value[:1] == value[-1:] == '"' else value
    try:
        record = dns.rdata.from_text(dns.rdataclass.IN, kind, value, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"'{value}' is no value of a {record_type} record: {error}") from error
    return record_text(record)


def records_of(answer: dns.message.Message, record_type: str) -> tuple[str, ...]:
    """Returns the values of one type in the answer section, also those at the end of an alias, sorted."""
    kind = dns.rdatatype.from_text(record_type)
    return tuple(sorted({record_text(record) for rrset in answer.answer if rrset.rdtype == kind for record in rrset}))


@dataclass(frozen=True, slots=True)
class RecordExpectation:
    """What the values of an answer must be. A rule that is empty asks for nothing."""

    exactly: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    none_of: frozenset[str] = frozenset()

    @property
    def wants_records(self) -> bool:
        """Whether an empty answer cannot be right: always, unless only absence was asked for."""
        return not self.none_of or bool(self.exactly or self.all_of or self.any_of)

    def mismatch(self, values: Sequence[str]) -> str | None:
        """Returns what was expected and what came, None where the values are right."""
        got = frozenset(values)
        rules = (
            ("exactly", self.exactly, not self.exactly or got == self.exactly),
            ("all of", self.all_of, self.all_of <= got),
            ("any of", self.any_of, not self.any_of or bool(self.any_of & got)),
            ("none of", self.none_of, not self.none_of & got),
        )
        broken = [f"{rule} {listed(wanted)}" for rule, wanted, met in rules if not met]
        if not broken and self.wants_records and not got:
            broken = ["a record"]
        return f"expected {' and '.join(broken)}, got {listed(got)}" if broken else None


def listed(values: frozenset[str]) -> str:
    """Returns values on one line of bounded length; they come from the watched zone."""
    shown = [_clean(value) for value in sorted(values)[:MAX_SHOWN]]
    more = f" and {len(values) - MAX_SHOWN} more" if len(values) > MAX_SHOWN else ""
    return (", ".join(shown) + more) or "none"


def _clean(value: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in value[:MAX_VALUE_CHARACTERS])
    return printable + "…" if len(value) > MAX_VALUE_CHARACTERS else printable
