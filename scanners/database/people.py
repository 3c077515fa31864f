"""Who may do what: administrators and others with the rights of one, and how they came into the database."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scanners.database.notices import finding, sign
from scanners.database.schema import Schema, named, option
from scanners.database.serialized import NotSerialized, Structure, Value, unserialize
from scanners.database.session import number, quoted
from sentry.domain.finding import Evidence, Finding, FindingClass, Sign

MAX_PEOPLE = 5_000
BY_HAND_AT = 3
"""So many signs that WordPress did not make an account prove it: somebody wrote it into the tables."""

HARMLESS_ROLES: Sequence[str] = ('a:1:{s:10:"subscriber";b:1;}', 'a:1:{s:8:"customer";b:1;}', "a:0:{}")
"""What most accounts of a shop have; they are counted, and not looked at one by one."""

OF_ADMINISTRATORS = frozenset(
    {
        b"manage_options", b"edit_plugins", b"install_plugins", b"activate_plugins", b"edit_themes",
        b"install_themes", b"edit_files", b"edit_users", b"create_users", b"promote_users", b"unfiltered_upload",
        b"update_core", b"manage_network", b"manage_network_users",
    }
)  # fmt: skip
_SHOP_ROLES = frozenset({b"shop_manager"})
_HASH = re.compile(rb"^(?:\$P\$|\$H\$|\$wp|\$2[aby]\$|\$argon2|\$1\$|\$5\$|\$6\$|!|\*)")
_EMAIL = re.compile(rb"^[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+$")
_NO_DATE = re.compile(rb"^(?:0000-00-00|1970-01-01|$)")
_HIDES = re.compile(
    rb"^(?:wp-?(?:system|support|update|security|backup|cron|core|blog|demo|temp|maintenance)s?[-_]?(?:user|admin)?\d*"
    rb"|wpsupp-user|adm1n\d*|admlnlx|wpadmin(?:ns|erlzp)|system_?wp(?:admin)?|deleted-[A-Za-z0-9]{6,}|[0-9a-f]{10,32})$",
    re.IGNORECASE,
)
"""Logins that are made to look like a part of WordPress, or that a program made up."""


BY_HAND: Mapping[str, str] = {
    "db_admin_without_date": "an administrator whom nobody registered: there is no date",
    "db_admin_half_made": "an administrator whom WordPress did not make: what it writes of each account is missing",
    "db_admin_weak_hash": "an administrator whose password WordPress did not write",
    "db_admin_odd_mail": "an administrator without a real e-mail address",
    "db_admin_in_disguise": "an administrator whose name makes him look like a part of WordPress",
}


@dataclass(frozen=True, slots=True)
class _Person:
    number: int
    login: bytes
    email: bytes
    password: bytes
    registered: bytes


def judge_people(schema: Schema, prefix: str, known_admins: Sequence[str]) -> Iterator[Finding]:
    """Yields what is wrong with accounts and roles.

    Args:
        schema: of the database.
        prefix: of the main site.
        known_admins: logins or e-mail addresses of who may administer; empty where nobody said.
    """
    users, meta = f"{prefix}users", f"{prefix}usermeta"
    if not (schema.has(users) and schema.has(meta)):
        schema.skip(users, "the accounts are kept in tables of another name")
        return
    schema.count(users)
    schema.count(meta)
    roles = _roles(schema, prefix)
    yield from _judge_roles(f"{prefix}options {prefix}user_roles", roles)
    rights = _rights(schema, meta, prefix)
    people = _people(schema, users, rights)
    complete = _with_nickname(schema, meta, rights)
    for who, capabilities in rights.items():
        direct = capabilities & OF_ADMINISTRATORS
        if b"administrator" not in capabilities and not direct and not _acts_for_admins(capabilities, roles):
            continue
        person = people.get(who)
        if person is None:
            meaning = "rights of an administrator are kept for an account that is not there"
            orphan = sign("db_rights_of_nobody", meaning, FindingClass.ADVICE, Evidence.SETTING)
            yield finding(f"{meta} user_id={who}", orphan)
            continue
        signs = [*_made_by_hand(person, is_complete=who in complete), *_unknown(person, known_admins)]
        signs += _beyond_role(direct, capabilities)
        if signs:
            place = f"{users} ID={who} {person.login[:60].decode('utf-8', 'backslashreplace')}"
            by_hand = sum(one.rule in BY_HAND for one in signs)
            yield finding(place, *signs, verdict=FindingClass.CONFIRMED if by_hand >= BY_HAND_AT else None)


def _made_by_hand(person: _Person, *, is_complete: bool) -> Iterator[Sign]:
    detail = {"db_admin_without_date": person.registered, "db_admin_odd_mail": person.email}
    told = {
        "db_admin_without_date": _NO_DATE.match(person.registered),
        "db_admin_half_made": not is_complete,
        "db_admin_weak_hash": not _HASH.match(person.password),
        "db_admin_odd_mail": not _EMAIL.match(person.email),
        "db_admin_in_disguise": _HIDES.match(person.login),
    }
    for rule, holds in told.items():
        if holds:
            yield sign(rule, BY_HAND[rule], FindingClass.SUSPICIOUS, Evidence.SETTING, detail.get(rule, b""))


def _unknown(person: _Person, known_admins: Sequence[str]) -> Iterator[Sign]:
    names = {one.casefold() for one in known_admins}
    own = {one.decode("utf-8", "replace").casefold() for one in (person.login, person.email)}
    if names and not names & own:
        meaning = "an administrator who is not among those known"
        yield sign("db_admin_unknown", meaning, FindingClass.SUSPICIOUS, Evidence.PLACE, person.login)


def _beyond_role(direct: set[bytes], capabilities: set[bytes]) -> Iterator[Sign]:
    if direct and b"administrator" not in capabilities:
        meaning = "rights of an administrator, given to an account that is none"
        detail = b", ".join(sorted(direct))
        yield sign("db_rights_beyond_role", meaning, FindingClass.SUSPICIOUS, Evidence.SETTING, detail)


def _acts_for_admins(capabilities: set[bytes], roles: Mapping[bytes, set[bytes]]) -> bool:
    """Whether a role of one's own making has what only administrators need."""
    return any(roles.get(role, set()) & OF_ADMINISTRATORS for role in capabilities if role not in _SHOP_ROLES)


def _judge_roles(place: str, roles: Mapping[bytes, set[bytes]]) -> Iterator[Finding]:
    for role in (b"subscriber", b"customer", b"contributor", b"author"):
        beyond = roles.get(role, set()) & OF_ADMINISTRATORS
        if beyond:
            meaning = "a role that anybody may get has rights of an administrator"
            detail = role + b": " + b", ".join(sorted(beyond))
            yield finding(
                f"{place} {role.decode()}",
                sign("db_role_too_mighty", meaning, FindingClass.SUSPICIOUS, Evidence.SETTING, detail),
            )


def _roles(schema: Schema, prefix: str) -> Mapping[bytes, set[bytes]]:
    data = _structure(option(schema, prefix, f"{prefix}user_roles"))
    roles: dict[bytes, set[bytes]] = {}
    for role, described in data.items():
        if isinstance(role, bytes) and isinstance(described, Structure):
            capabilities = described.items.get(b"capabilities")
            roles[role] = _granted(capabilities.items) if isinstance(capabilities, Structure) else set()
    return roles


def _rights(schema: Schema, meta: str, prefix: str) -> Mapping[int, set[bytes]]:
    """Returns the roles and rights of everybody who has more than a customer."""
    harmless = ", ".join(quoted(one) for one in HARMLESS_ROLES)
    where = (
        f"FROM {named(meta)} WHERE meta_key = {quoted(prefix + 'capabilities')} AND meta_value NOT IN ({harmless})"
    )
    rows = schema.rows(
        ("user_id", "SUBSTR(meta_value, 1, 20000)"), f"{where} ORDER BY user_id LIMIT {MAX_PEOPLE}", meta
    )
    if len(rows) == MAX_PEOPLE:
        schema.skip(meta, f"more than {MAX_PEOPLE:,} accounts with rights; the rest is not looked at")
    rights: dict[int, set[bytes]] = {}
    for who, data in rows:
        rights.setdefault(number(who), set()).update(_granted(_structure(data)))
    return rights


def _people(schema: Schema, users: str, who: Iterable[int]) -> Mapping[int, _Person]:
    columns = (
        "ID",
        "SUBSTR(user_login,1,100)",
        "SUBSTR(user_email,1,100)",
        "SUBSTR(user_pass,1,255)",
        "user_registered",
    )
    rows = schema.rows(columns, f"FROM {named(users)} WHERE ID IN ({_list(who)}) LIMIT {MAX_PEOPLE}", users)
    return {
        number(row[0]): _Person(number(row[0]), row[1] or b"", row[2] or b"", row[3] or b"", row[4] or b"")
        for row in rows
    }


def _with_nickname(schema: Schema, meta: str, who: Iterable[int]) -> set[int]:
    where = f"FROM {named(meta)} WHERE meta_key = 'nickname' AND user_id IN ({_list(who)})"
    return {number(row[0]) for row in schema.rows(("user_id",), f"{where} LIMIT {2 * MAX_PEOPLE}", meta)}


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "0"


def _structure(data: bytes | None) -> Mapping[bytes | int, Value]:
    try:
        value = unserialize(data or b"")
    except NotSerialized:
        return {}
    return value.items if isinstance(value, Structure) else {}


def _granted(items: Mapping[bytes | int, Value]) -> set[bytes]:
    return {name for name, value in items.items() if isinstance(name, bytes) and value}
