"""How the files of a site are reached: on this machine, or over SSH."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from sentry.domain.model import StrictModel

HOST_KEY_ADVICE = "write the type and the key, e.g. 'ssh-ed25519 AAAAC3Nza…', as ssh-keyscan and known_hosts have it"
LEAST_PARTS = 2
"""A public key holds the name of its type, and at least one number."""


def fingerprint(key: bytes) -> str:
    """Returns the fingerprint of a public key as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _host_key(text: str) -> str:
    """Returns type and key of a line of known_hosts."""
    words = text.split()
    types = [number for number, word in enumerate(words[:2]) if word.startswith(("ssh-", "ecdsa-"))]
    if not types or len(words) < types[0] + 2:
        raise ValueError(f"is no host key; {HOST_KEY_ADVICE}")
    name, encoded = words[types[0] : types[0] + 2]
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the key is no base64; {HOST_KEY_ADVICE}") from error
    parts = _parts(key)
    if len(parts) < LEAST_PARTS or parts[0] != name.encode():
        raise ValueError(f"the key is cut off or is none of type {name}; {HOST_KEY_ADVICE}")
    return f"{name} {encoded}"


def _parts(key: bytes) -> Sequence[bytes]:
    """Returns the texts and numbers of a public key, each of which follows its length; none where one is cut off."""
    parts = []
    while key:
        end = 4 + int.from_bytes(key[:4])
        if len(key) < end:
            return ()
        parts.append(key[4:end])
        key = key[end:]
    return parts


HostKey = Annotated[str, AfterValidator(_host_key)]


class SshServer(StrictModel):
    """A server that is reached by SSH."""

    host: str = Field(min_length=1, max_length=253, description="Name or address of the server.")
    port: int = Field(22, ge=1, le=65_535, description="Where its sshd listens.")
    user: str = Field(pattern=r"^[^\s:@-][^\s:@]{0,63}$", description="The account.")
    key_file: Path | None = Field(
        None, description="Private key that lets in; when absent, those of the SSH agent (SSH_AUTH_SOCK)."
    )
    passphrase: SecretStr | None = Field(None, description="Of the key file; use ${NAME}.")
    host_keys: tuple[HostKey, ...] = Field(
        (),
        max_length=10,
        description="Public keys by which the server is known, each as `ssh-ed25519 AAAA…` or as a line of "
        "known_hosts. Without one, nothing is sent to it, and the error shows the key that it has.",
    )

    @property
    def address(self) -> str:
        """As people write it: `user@host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}"

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Those of its keys."""
        return tuple(fingerprint(base64.b64decode(line.partition(" ")[2])) for line in self.host_keys)

    @model_validator(mode="after")
    def _passphrase_has_a_key(self) -> Self:
        if self.passphrase is not None and self.key_file is None:
            raise ValueError("passphrase is of a key_file; write that too, or leave the passphrase out")
        return self


class SshAccess(SshServer):
    """A server that is reached by SSH, perhaps through another one."""

    jump: SshServer | None = Field(None, description="The server through which it is reached.")


def _docroot(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("write the whole path, e.g. /var/www/shop/public")
    return path


class DatabaseAccount(StrictModel):
    """An account of a site's database."""

    user: str = Field(min_length=1, max_length=128, description="Its name; one that may only read is enough.")
    password: SecretStr = Field(description="Use ${NAME}.")


class Access(StrictModel):
    """Where the files of a site are, and how they are reached."""

    ssh: SshAccess | None = Field(None, description="The server that they are on.")
    local: bool = Field(default=False, description="Whether they are on this machine; instead of `ssh`.")
    docroot: Annotated[str, AfterValidator(_docroot)] = Field(
        description="The folder that the web server serves, absolute."
    )
    database: DatabaseAccount | None = Field(
        None,
        description="By which an audit reads the site's database: SELECT is enough, TRIGGER and EVENT let it see "
        "what the server runs by itself. The site's own account, as its wp-config.php has it, when absent.",
    )
    max_load: float | None = Field(
        None,
        gt=0,
        le=1_000,
        description="The server's load of one minute above which reading waits; absent: it never does.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.ssh is None) is not self.local:
            raise ValueError("write either ssh, the server that the files are on, or local: true, for this machine")
        return self
