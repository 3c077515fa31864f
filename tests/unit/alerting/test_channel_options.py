"""What channels accept as configuration, and what they say of what they do not."""

import pytest
from pydantic import ValidationError

from alerting import KINDS
from alerting.alertmanager import AlertmanagerOptions
from alerting.email import EmailOptions
from alerting.mail_server import Encryption, parse_mail_server
from alerting.webhook import WebhookOptions
from sentry.domain.notice import ChannelOptions


def test_kinds_name_themselves_in_their_options() -> None:
    """The configuration chooses a class by `kind`: each class's options carry the key that it has in KINDS."""
    assert set(KINDS) == {"email", "webhook", "alertmanager", "apprise"}
    for name, channel in KINDS.items():
        assert issubclass(channel.Options, ChannelOptions)
        assert channel.Options.model_fields["kind"].default == name


@pytest.mark.parametrize(
    ("url", "port", "encryption"),
    [
        ("smtp://127.0.0.1:1025", 1025, Encryption.NONE),
        ("smtp://localhost", 25, Encryption.NONE),
        ("smtp://[::1]", 25, Encryption.NONE),
        ("smtp://mail.example", 587, Encryption.STARTTLS),
        ("smtp://192.0.2.1:25", 25, Encryption.STARTTLS),
        ("smtp+starttls://127.0.0.1", 587, Encryption.STARTTLS),
        ("smtps://mail.example", 465, Encryption.TLS),
    ],
)
def test_mail_server_is_encrypted_unless_it_is_this_machine(url: str, port: int, encryption: Encryption) -> None:
    """smtp:// to another machine insists on STARTTLS; a relay on this machine may go without."""
    server = parse_mail_server(url)
    assert (server.port, server.encryption) == (port, encryption)


def test_mail_server_may_be_plain_where_the_user_says_so() -> None:
    """A relay in a trusted network."""
    assert parse_mail_server("smtp://relay.lan", allow_plain=True).encryption is Encryption.NONE
    assert parse_mail_server("smtps://relay.lan", allow_plain=True).encryption is Encryption.TLS


def test_mail_server_credentials_are_percent_decoded() -> None:
    """Addresses as user names and any password can be written."""
    server = parse_mail_server("smtps://user%40agency:p%40ss%2F%3A@mail.example")
    assert (server.username, server.password, server.name) == ("user@agency", "p@ss/:", "mail.example:465")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://mail.example/hunter2", "write smtp://host:port"),
        ("smtp://", "has no host"),
        ("smtp://user:hunter2@mail.example:99999", "must be a number"),
        ("smtp://mail.example/hunter2", "nothing may follow the port"),
        ("smtp://user:hunter2?@mail.example", "are written %40"),
        ("smtps://user:hunter2%0d%0aEHLO@mail.example", "holds a line break"),
        ("mail.example:25", "write smtp://host:port"),
    ],
)
def test_mail_server_that_cannot_be_read_is_explained_without_its_password(url: str, words: str) -> None:
    """The message says how to mend it and never repeats the address."""
    with pytest.raises(ValidationError) as caught:
        EmailOptions.model_validate({"to": ["a@example.com"], "smtp": url})
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b",
        "",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "Guardia <a@example.com>",
        "a b@example.com",
        "@example.com",
        "a@example.com\0",
    ],
)
def test_recipient_that_is_no_single_address_is_refused(address: str) -> None:
    """No second recipient and no second header can hide in an address."""
    with pytest.raises(ValidationError, match="e-mail address"):
        EmailOptions.model_validate({"to": [address], "smtp": "smtp://127.0.0.1"})


def test_secrets_are_not_in_the_text_of_options() -> None:
    """Whoever prints the settings sees stars."""
    mail = EmailOptions.model_validate({"to": ["a@example.com"], "smtp": "smtps://u:hunter2@mail.example"})
    hook = WebhookOptions.model_validate(
        {
            "url": "https://h.example/hunter2",
            "secret": "hunter2hunter2hunter2",
            "headers": {"Authorization": "hunter2"},
        }
    )
    for options in (mail, hook):
        assert "hunter2" not in repr(options) + options.model_dump_json()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "ftp://h.example/hunter2"}, "no web address"),
        ({"url": "https://h.example", "headers": {"X\r\nY": "1"}}, "name of a header"),
        ({"url": "https://h.example", "headers": {"X": "hunter2\r\nY: 1"}}, "line break"),
        ({"url": "https://h.example", "secret": "short"}, "at least 16"),
    ],
)
def test_webhook_options_that_cannot_work_are_explained(options: dict[str, object], words: str) -> None:
    """Header injection and short secrets are refused, without repeating what was written."""
    with pytest.raises(ValidationError, match=words) as caught:
        WebhookOptions.model_validate(options)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"urls": []}, "at least 1"),
        ({"urls": ["http://user:hunter2@am:9093"]}, "into `headers`"),
        ({"urls": ["http://am:9093?x=1"]}, "without"),
        ({"urls": ["http://am:9093"], "labels": {"bad-name": "x"}}, "no label name"),
    ],
)
def test_alertmanager_options_that_cannot_work_are_explained(options: dict[str, object], words: str) -> None:
    """The addresses are shown on pages and in keys of deliveries: they hold no password."""
    with pytest.raises(ValidationError, match=words) as caught:
        AlertmanagerOptions.model_validate(options)
    assert "hunter2" not in str(caught.value)
