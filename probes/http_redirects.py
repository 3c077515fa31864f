"""Follows redirects: how many, whether they go round in circles, and where they must not lead."""

from probes.environment import ProbeFailure
from probes.http_cookies import CookieJar
from probes.http_options import HttpOptions
from probes.http_redaction import shown_url
from probes.http_request import BodyForStrangerError, Request
from probes.http_response import Head
from probes.http_target import Target
from sentry.domain.result import Phase, Reason

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Redirects:
    """The redirects of one probe."""

    def __init__(self, options: HttpOptions, first: Request) -> None:
        """Begins with the request that the check names."""
        self._options = options
        self._seen = {_state(first, None)}
        self._followed = 0

    @staticmethod
    def is_redirect(head: Head) -> bool:
        """Whether a response asks to look elsewhere; without a Location it is an answer like any other."""
        return head.status in REDIRECTS and head.get("Location") is not None

    def next(self, request: Request, head: Head, cookies: CookieJar) -> Request:
        """Returns the request that follows.

        Raises:
            ProbeFailure: too many, in a circle, or to a place where it must not go.
        """
        location = head.all("Location")[0]
        self._followed += 1
        if self._followed > self._options.max_redirects:
            raise _failure(Reason.REDIRECT_TOO_MANY, f"more than {self._options.max_redirects} redirects")
        following = self._request(request, head.status, location)
        state = _state(following, cookies.header(following.target))
        if state in self._seen:
            detail = f"redirects come back to {shown_url(following.target.url)} after {self._followed} hops"
            raise _failure(Reason.REDIRECT_LOOP, detail)
        self._seen.add(state)
        return following

    def _request(self, request: Request, status: int, location: str) -> Request:
        try:
            target = request.target.joined(location)
        except ValueError as error:
            detail = f"status {status} leads to '{shown_url(location)}', which is no web address: {error}"
            raise _failure(Reason.REDIRECT_INVALID, detail) from None
        self._refuse_downgrade(request.target, target)
        try:
            return request.redirected(status, target)
        except BodyForStrangerError:
            detail = f"status {status} would carry the request's body to another origin, {target.authority}"
            raise _failure(Reason.REDIRECT_INVALID, detail) from None

    def _refuse_downgrade(self, left: Target, target: Target) -> None:
        if left.tls and not target.tls and not self._options.allow_downgrade:
            raise _failure(Reason.REDIRECT_INVALID, f"a redirect leads from https to {shown_url(target.url)}")


def _state(request: Request, cookies: str | None) -> tuple[str, str, str | None]:
    return request.method, request.target.url, cookies


def _failure(reason: Reason, detail: str) -> ProbeFailure:
    return ProbeFailure(reason, detail, phase=Phase.PROCESSING)
