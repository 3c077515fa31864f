"""Keys that the channels which speak HTTP have in common."""

from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError

from sentry.domain.notice import ChannelOptions

_URL = TypeAdapter(AnyHttpUrl)
_SEPARATORS = frozenset('()<>@,;:\\"/[]?={} \t')


def _secret_http_url(secret: SecretStr) -> SecretStr:
    try:
        _URL.validate_python(secret.get_secret_value())
    except ValidationError as error:
        raise ValueError("this is no web address; write https://host/path") from error
    return secret


def _header_names_and_values(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not name or any(not " " < each < "\x7f" or each in _SEPARATORS for each in name):
            raise ValueError("the name of a header is a word of ASCII letters, digits and '-'")
        if any(each in value.get_secret_value() for each in "\r\n\0"):
            raise ValueError(f"the value of {name} holds a line break")
    return headers


SecretUrl = Annotated[SecretStr, AfterValidator(_secret_http_url)]
"""A web address whose path or query may be a secret: shown nowhere but for its host."""


class HttpOptions(ChannelOptions):
    """Time-out and headers."""

    headers: Annotated[dict[str, SecretStr], AfterValidator(_header_names_and_values)] = Field(
        {}, description="Further headers, such as Authorization; use ${NAME} for secrets."
    )
    timeout_s: float = Field(10, gt=0, le=55, description="Seconds for one request, from the name to the answer.")

    def header_values(self) -> dict[str, str]:
        """Returns the headers as they go out."""
        return {name: value.get_secret_value() for name, value in self.headers.items()}
