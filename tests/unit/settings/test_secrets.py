"""Secrets come from outside, work where they stand, and are seen nowhere."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions
from sentry.settings import Settings, difference, json_schema

# Apprise looks at all its plug-ins when it is first asked, and one of them still uses this module.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")

Loader = Callable[..., Settings]
Writer = Callable[..., Path]
Refuser = Callable[..., tuple[Problem, ...]]

CANARY = "canary-7f3a9c0d1e2b"
# A password with characters that take an address apart must not be quoted in pieces either.
AWKWARD = "canary/7f3a9c@0d1e2b:x"


def site(check: str, more: str = "") -> str:
    """A configuration of one site with one check."""
    return f"sites: [{{key: a, url: 'https://a.example/', checks: [{check}]}}]\n{more}"


EVERY_POSITION = {
    "store": "store: 'postgresql://u:${S}@localhost/db'\n",
    "web.token": "web: {token: '${S}'}\n",
    "tickets": "tickets: {mirrors: [{url: 'https://d.example/${S}', secret: '${S}'}]}\n",
    "email": "channels: {c: {kind: email, to: [a@b.example], smtp: 'smtp://u:${S}@127.0.0.1:25'}}\n",
    "webhook": "channels: {c: {kind: webhook, url: 'https://c/${S}', headers: {X-Key: '${S}'}, secret: '${S}'}}\n",
    "apprise": "channels: {c: {kind: apprise, url: 'json://u:${S}@127.0.0.1/'}}\n",
    "alertmanager": "channels: {c: {kind: alertmanager, urls: ['http://a.example:9093'], labels: {team: '${S}'}}}\n",
    "agency": "agency: {name: '${S}'}\n",
    "client": "clients: {default: {name: '${S}', contacts: ['${S}']}}\n",
    "user_agent": "probe: {user_agent: '${S}'}\n",
}
CHECKS = {
    "bearer": "{kind: http, bearer_token: '${S}'}",
    "basic": "{kind: http, username: '${S}', password: '${S}'}",
    "header": "{kind: http, headers: {X-Api-Key: '${S}'}}",
    "body": "{kind: http, method: POST, body: '${S}'}",
    "form": "{kind: http, method: POST, body_form: {user: '${S}'}}",
    "json": "{kind: http, method: POST, body_json: {user: {name: '${S}'}}}",
    "text": "{kind: http, expect_text: ['${S}']}",
    "path": "{kind: http, url: '/x?key=${S}'}",
}
GOOD = {
    **{name: site("{kind: http}", more) for name, more in EVERY_POSITION.items()},
    **{name: site(check) for name, check in CHECKS.items()},
    "site.url": "sites: [{key: a, url: 'https://a.example/?key=${S}'}]\n",
}

BAD = {
    "port of the store": "store: 'postgres!://u:${S}@localhost/db'\n",
    "listen": "web: {listen: '${S}'}\n",
    "base_url": "web: {base_url: '${S}'}\n",
    "token too short": "web: {token: 'x', token_file: '${S}'}\n",
    "number": "plans: {default: {interval_s: '${S}'}}\n",
    "truth": "channels: {c: {kind: email, to: [a@b.example], smtp: 'smtp://h', allow_plain: '${S}'}}\n",
    "zone": "agency: {time_zone: '${S}'}\n",
    "language": "agency: {language: '${S}'}\n",
    "weekday": "plans: {default: {update_weekday: '${S}'}}\n",
    "resolver": "probe: {resolvers: ['${S}:x']}\n",
    "path": "probe: {ca_file: '/nowhere/${S}'}\n",
    "channel kind": "channels: {c: {kind: '${S}'}}\n",
    "channel section": "channels: '${S}'\n",
    "fallback": "channels: {c: {kind: email, to: [a@b.example], smtp: 'smtp://127.0.0.1', fallback: '${S}'}}\n",
    "route": "routes: [{to: ['${S}'], severities: ['${S}'], clients: ['${S}']}]\n",
    "mail server": "channels: {c: {kind: email, to: ['${S}'], smtp: 'smtpx://u:${S}@h:${S}'}}\n",
    "apprise service": "channels: {c: {kind: apprise, url: '${S}://x'}}\n",
    "webhook address": "channels: {c: {kind: webhook, url: '${S}', headers: {'a b': '${S}'}}}\n",
    "ticket mirror": "tickets: {mirrors: [{url: '${S}', secret: 'x'}]}\n",
    "unknown key beside": "channels: {c: {kind: webhook, url: 'https://${S}', secrett: '${S}'}}\n",
}
BAD_CHECKS = {
    "check kind": "{kind: '${S}'}",
    "check name": "{kind: http, name: '${S}'}",
    "status": "{kind: http, accepted_status: ['${S}']}",
    "regex": "{kind: http, expect_regex: '(${S}'}",
    "method": "{kind: http, method: '${S}'}",
    "address": "{kind: http, url: 'ftp://${S}'}",
    "bodies": "{kind: http, body: '${S}', body_json: ['${S}']}",
    "auth": "{kind: http, bearer_token: '${S}', password: '${S}'}",
    "header name": "{kind: http, headers: {'bad name': '${S}'}}",
    "header value": '{kind: http, headers: {X-Key: "${S}\\r\\n"}}',
    "json path": "{kind: http, expect_json: {'$.[': '${S}'}}",
    "list for text": "{kind: http, bearer_token: ['${S}']}",
    "mapping for text": "{kind: http, password: {a: '${S}'}}",
}
REFUSED = {
    **{name: site("{kind: http}", more) for name, more in BAD.items()},
    **{name: site(check) for name, check in BAD_CHECKS.items()},
    "site.url": "sites: [{key: a, url: '${S}'}]\n",
    "site.key": "sites: [{key: '${S} ', url: 'https://a.example/'}]\n",
    "site.user": "sites: [{key: a, url: 'https://u:${S}@a.example/'}]\n",
    "site.date": "sites: [{key: a, url: 'https://a.example/', contract_start: '${S}'}]\n",
    "site.plan": "sites: [{key: a, url: 'https://a.example/', plan: '${S}', client: '${S}', host: '${S}'}]\n",
    "same key": "sites: [{key: '${S}', url: 'https://a.example/'}, {key: '${S}', url: 'https://b.example/'}]\n",
}


def representations(settings: Settings) -> Iterator[str]:
    """Everything by which settings could be seen."""
    yield repr(settings)
    yield str(settings)
    yield f"{settings}"
    yield json.dumps(settings.shown())
    yield settings.model_dump_json()
    yield repr(settings.model_dump())
    yield repr(settings.checks())
    yield from (repr(getattr(settings, name)) for name in type(settings).model_fields)
    yield from map(str, settings.warnings)
    yield from difference(settings, settings.model_copy(update={"routes": (), "channels": {}})).lines()


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("secret", [CANARY, AWKWARD.replace("/", "").replace("@", "").replace(":", "")])
def test_secret_in_any_position_is_never_shown(loaded: Loader, written: Writer, name: str, secret: str) -> None:
    """Neither repr nor dump nor warning holds a value that came from the environment."""
    settings = loaded(written(GOOD[name]), S=secret)
    for text in representations(settings):
        assert secret not in text


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("secret", [CANARY, AWKWARD])
def test_secret_is_in_no_message_of_any_failure(loaded: Loader, written: Writer, name: str, secret: str) -> None:
    """Whatever is wrong with a value, the message does without it, whole or in pieces; so does the traceback."""
    with pytest.raises(ConfigurationError) as refused:
        loaded(written(REFUSED[name]), S=secret)
    said = "".join(traceback.format_exception(refused.value)) + repr(refused.value.problems)
    for fragment in (secret, "7f3a9c", "0d1e2b"):
        assert fragment not in said
    chain = [refused.value.__cause__, refused.value.__context__]
    assert all(error is None or secret not in str(error) for error in chain)


@pytest.mark.parametrize(
    "text",
    [
        site(f"{{kind: http, bearer_token: ['{CANARY}']}}"),
        site(f"{{kind: http, password: {{a: '{CANARY}'}}, username: x}}"),
        site(f"{{kind: http, bearer_token: '{CANARY}', username: '{CANARY}'}}"),
        site(f'{{kind: http, headers: {{X-Key: "{CANARY}\\r\\n"}}}}'),
        site("{kind: http}", f"channels: {{c: {{kind: email, to: [a@b.example], smtp: 'smtpx://u:{CANARY}@h'}}}}\n"),
        site("{kind: http}", f"channels: {{c: {{kind: webhook, url: '{CANARY}', secret: '{CANARY[:9]}'}}}}\n"),
        site("{kind: http}", f"channels: {{c: {{kind: apprise, url: '{CANARY}://x'}}}}\n"),
        site("{kind: http}", f"web: {{token: '{CANARY}', token_file: x}}\n"),
        site("{kind: http}", f"store: 'mysql://u:{CANARY}@localhost/db'\n"),
        f"sites: [{{key: a, url: 'https://u:{CANARY}@a.example/'}}]",
    ],
)
def test_literal_secret_is_in_no_message(problems_of: Refuser, written: Writer, text: str) -> None:
    """A password that somebody wrote into the file itself is not read aloud either, where it is known to be one."""
    for problem in problems_of(written(text)):
        assert CANARY not in str(problem)
        assert CANARY[:9] not in str(problem)


@pytest.mark.parametrize(
    "text",
    [
        f"web: {{token: {CANARY}\n",
        f"web:\n\ttoken: {CANARY}\n",
        f"web: {{token: '{CANARY}}}\n",
        f"token: {CANARY}: x\n",
        f'token: "\\q{CANARY}"\n',
        f"web: {{token: @{CANARY}}}\n",
        f"{CANARY}\n",
        f"- {CANARY}\n",
        f"web: {{token: a}}\nweb: {{token: {CANARY}}}\n",
        f"token: \x07{CANARY}\n",
        f"? [{CANARY}]\n: x\n",
    ],
)
def test_syntax_error_never_quotes_the_file(problems_of: Refuser, written: Writer, text: str) -> None:
    """YAML's own errors show the line at fault, which may hold a password; ours do not."""
    for problem in problems_of(written(text)):
        assert CANARY not in str(problem)


def test_syntax_error_leaves_no_trace_of_the_file_behind(loaded: Loader, written: Writer) -> None:
    """The parser's error, which carries the whole text, is not chained to ours."""
    with pytest.raises(ConfigurationError) as refused:
        loaded(written(f"web: {{token: {CANARY}\n"))
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_secret_file_gives_value_without_its_last_line_break(loaded: Loader, written: Writer, tmp_path: Path) -> None:
    """Docker, systemd and Kubernetes hand secrets over as files."""
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    token = loaded(written(site("{kind: http}", "web: {token: '${T}'}\n")), T_FILE=str(file)).web.token
    assert token is not None
    assert token.get_secret_value() == "0123456789abcdef"


def test_variable_wins_over_its_file(loaded: Loader, written: Writer) -> None:
    """NAME is looked at first; its file is then not even opened."""
    settings = loaded(written(site("{kind: http}", "agency: {name: '${N}'}\n")), N="Direct", N_FILE="/nowhere")
    assert settings.agency.name == "Direct"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "which is empty"),
        (b"\n", "which is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 65_537, "larger than 64 KiB"),
    ],
)
def test_secret_file_that_cannot_serve_is_refused_by_name(
    problems_of: Refuser, written: Writer, tmp_path: Path, content: bytes, said: str
) -> None:
    """The message names variable and file, never what is in it."""
    file = tmp_path / "token"
    file.write_bytes(content)
    (problem,) = problems_of(written(site("{kind: http}", "web: {token: '${T}'}\n")), T_FILE=str(file))
    assert problem.path == "web.token"
    assert problem.message.startswith(f"T_FILE names {file}")
    assert said in problem.message


def test_variable_missing_in_many_places_is_named_in_each(problems_of: Refuser, written: Writer) -> None:
    """Each place has its line, and the cure stands at the first."""
    first, second = problems_of(written(site("{kind: http}", "agency: {name: '${N}'}\nweb: {token: '${N}'}\n")))
    assert "set N to the value, or N_FILE to the path of a file" in first.message
    assert (first.line, second.line) == (2, 3)


def test_doubled_dollar_is_a_plain_one(loaded: Loader, written: Writer) -> None:
    """What looks like a variable can be written as text; a dollar without a brace needs no care."""
    settings = loaded(written(site("{kind: http, expect_text: ['$${NAME}', '$5', 'a$$b']}")))
    assert getattr(settings.sites[0].checks[0], "expect_text") == ("${NAME}", "$5", "a$$b")  # noqa: B009  # of a kind


def test_value_from_environment_is_not_looked_into_again(loaded: Loader, written: Writer) -> None:
    """A secret that holds ${…} or YAML is a text like any other."""
    value = "${OTHER} {a: b} # c"
    settings = loaded(written(site("{kind: http}", "agency: {name: '${N}'}\n")), N=value)
    assert settings.agency.name == value


def test_number_and_truth_can_come_from_the_environment(loaded: Loader, written: Writer) -> None:
    """Containers set ports and intervals by variable."""
    settings = loaded(written(site("{kind: http, interval_s: '${I}', counts: '${C}'}")), I="120", C="false")
    (check,) = settings.checks()
    assert (check.interval_s, check.options.counts) == (120, False)


def test_short_secret_does_not_garble_messages(problems_of: Refuser, written: Writer) -> None:
    """A secret of one letter is hidden where it stands alone, and words that hold the letter stay whole."""
    problems = problems_of(
        written(site("{kind: http, bearer_token: '${S}', tiemout_s: 3}", "agency: {language: '${S}'}\n")), S="e"
    )
    assert "did you mean 'timeout_s'?" in problems[0].message
    assert "must be one of 'en' or 'es'" in problems[1].message


def test_shown_names_the_variable_and_hides_the_password(loaded: Loader, written: Writer) -> None:
    """Whoever reads `check-config --json` learns where a value comes from."""
    more = "agency: {name: '${N}'}\nstore: 'postgresql://u:literal-password@localhost/db'\n"
    shown = loaded(written(site("{kind: http, bearer_token: literal-token}", more)), N=CANARY).shown()
    assert shown["agency"]["name"] == "${N}"
    assert shown["store"] == "postgresql://u:***@localhost/db"
    assert shown["sites"][0]["checks"][0]["bearer_token"] == "***"


def test_concealed_values_still_work(loaded: Loader, written: Writer) -> None:
    """Hidden from sight, not from use."""
    settings = loaded(
        written("sites: [{key: a, url: 'https://a.example/?key=${S}'}]\nstore: '${D}'"), S=CANARY, D="sqlite:////x.db"
    )
    assert settings.store == "sqlite:////x.db"
    assert {check.url for check in settings.checks()} == {f"https://a.example/?key={CANARY}"}
    assert (
        "a value from the environment" in settings.warnings[-1].message
        or "no channel" in settings.warnings[-1].message
    )


def test_json_schema_holds_no_value_of_a_secret(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """Secret fields are marked, so editors hide them and messages leave them out; none has a default value."""
    secret = list(_secret_fields(json_schema(check_kinds, channel_kinds)))
    assert len(secret) >= 8
    assert all(field.get("default") is None for field in secret)


def _secret_fields(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("format") == "password":
            yield part
        for child in part.values():
            yield from _secret_fields(child)
    elif isinstance(part, list):
        for child in part:
            yield from _secret_fields(child)


def test_every_secret_looking_key_of_the_agent_is_a_secret(
    check_kinds: Mapping[str, type[CheckOptions]], channel_kinds: Mapping[str, type[ChannelOptions]]
) -> None:
    """A key that is called password, token or secret has the type that hides its value."""
    models: list[type[BaseModel]] = [*check_kinds.values(), *channel_kinds.values()]
    for model in models:
        for name, field in model.model_fields.items():
            if name.rpartition("_")[2] in {"password", "token", "secret"}:
                assert SecretStr.__name__ in str(field.annotation), f"{model.__name__}.{name}"
