"""The cause of a failure in plain words: one sentence for each reason of the closed set.

`short` fits a mail subject; `sentence` says what visitors notice; `plain` takes its place where a fact is missing.
"""

from dataclasses import dataclass

from sentry.domain.result import Reason
from sentry.reports.wording import N_


@dataclass(frozen=True, slots=True)
class Cause:
    """How a reason is put. `{places}` are facts of `sentry.reports.facts`."""

    short: str
    sentence: str
    plain: str = ""


CAUSES: dict[Reason, Cause] = {
    Reason.DNS_NXDOMAIN: Cause(
        N_("its name does not exist"),
        N_("The name {host} does not exist, so nobody can find the site. The domain may have expired."),
    ),
    Reason.DNS_NO_ADDRESS: Cause(
        N_("its name leads nowhere"),
        N_("The name {host} exists but leads to no server, so nobody can find the site."),
    ),
    Reason.DNS_SERVER_FAILURE: Cause(
        N_("its DNS fails"),
        N_("The name servers (DNS) of {host} answer with an error, so browsers cannot find the site."),
    ),
    Reason.DNS_TIMEOUT: Cause(
        N_("its DNS does not answer"),
        N_("The name servers (DNS) of {host} do not answer, so browsers cannot find the site."),
    ),
    Reason.DNS_ANSWER_MISMATCH: Cause(
        N_("its DNS holds other data"),
        N_("The DNS records of {host} are not what they should be: the name may lead to the wrong server."),
    ),
    Reason.CONNECT_REFUSED: Cause(
        N_("connection refused"),
        N_("The server of {host} refuses connections: it is on, but the service there is probably stopped."),
    ),
    Reason.CONNECT_TIMEOUT: Cause(
        N_("the server does not answer"),
        N_("The server of {host} did not answer within {seconds}: it may be off, cut off or overloaded."),
        N_("The server of {host} does not answer: it may be off, cut off or overloaded."),
    ),
    Reason.CONNECT_UNREACHABLE: Cause(
        N_("the server cannot be reached"),
        N_("The network has no way to the server of {host}: the server or its data centre is cut off."),
    ),
    Reason.CONNECTION_RESET: Cause(
        N_("the server cuts the connection"),
        N_("The server of {host} cuts the connection off before it has answered."),
    ),
    Reason.TLS_EXPIRED: Cause(
        N_("certificate expired"),
        N_(
            "The security certificate of {host} expired {expired} (on {expiry}); browsers show a warning and "
            "customers do not get in."
        ),
        N_("The security certificate of {host} has expired; browsers show a warning and customers do not get in."),
    ),
    Reason.TLS_NOT_YET_VALID: Cause(
        N_("certificate not valid yet"),
        N_(
            "The security certificate of {host} becomes valid only on {valid_from}; browsers show a warning and "
            "customers do not get in."
        ),
        N_(
            "The security certificate of {host} is not valid yet; browsers show a warning and customers "
            "do not get in."
        ),
    ),
    Reason.TLS_WRONG_HOST: Cause(
        N_("certificate of another site"),
        N_(
            "The security certificate of {host} was issued for another name ({names}); browsers show a warning and "
            "customers do not get in."
        ),
        N_(
            "The security certificate of {host} was issued for another name; browsers show a warning and customers "
            "do not get in."
        ),
    ),
    Reason.TLS_SELF_SIGNED: Cause(
        N_("self-signed certificate"),
        N_(
            "The security certificate of {host} was not issued by any authority (it is self-signed); browsers show a "
            "warning and customers do not get in."
        ),
    ),
    Reason.TLS_MISSING_INTERMEDIATE: Cause(
        N_("incomplete certificate chain"),
        N_(
            "The server of {host} does not send its whole certificate chain (the intermediate is missing); phones "
            "and payment services refuse to connect."
        ),
    ),
    Reason.TLS_REVOKED: Cause(
        N_("certificate withdrawn"),
        N_(
            "The security certificate of {host} was withdrawn by the authority that issued it; browsers refuse the "
            "site until it has a new one."
        ),
    ),
    Reason.TLS_WEAK: Cause(
        N_("certificate too weak"),
        N_(
            "The security certificate of {host} is made in a way that is no longer safe; browsers show a warning and "
            "customers do not get in."
        ),
    ),
    Reason.TLS_UNTRUSTED: Cause(
        N_("certificate not trusted"),
        N_(
            "The security certificate of {host} comes from an issuer that browsers do not trust; they show a warning "
            "and customers do not get in."
        ),
    ),
    Reason.TLS_HANDSHAKE: Cause(
        N_("no secure connection"),
        N_("No secure connection (TLS) to {host} can be made; browsers show an error instead of the site."),
    ),
    Reason.TLS_TIMEOUT: Cause(
        N_("no secure connection in time"),
        N_("The server of {host} did not complete the secure connection (TLS) within {seconds}."),
        N_("The server of {host} does not complete the secure connection (TLS)."),
    ),
    Reason.TLS_EXPIRES_SOON: Cause(
        N_("certificate expires soon"),
        N_("The security certificate of {host} expires {expires}; after that browsers will show a warning."),
        N_("The security certificate of {host} expires soon; after that browsers will show a warning."),
    ),
    Reason.HTTP_CLIENT_ERROR: Cause(
        N_("error {status}"),
        N_("{host} answered with error {status_label}: visitors do not see the page."),
        N_("{host} answered with an error: visitors do not see the page."),
    ),
    Reason.HTTP_SERVER_ERROR: Cause(
        N_("error {status}"),
        N_("The server of {host} answered with error {status_label}: visitors see an error instead of the page."),
        N_("The server of {host} answered with an error: visitors see an error instead of the page."),
    ),
    Reason.HTTP_UNEXPECTED_STATUS: Cause(
        N_("unexpected answer {status}"),
        N_("{host} answered with status {status_label}, which is not what this page should give."),
        N_("{host} answered with a status that is not what this page should give."),
    ),
    Reason.HTTP_PROTOCOL: Cause(
        N_("no proper answer"),
        N_("{host} gives no proper web answer (broken HTTP): it is missing, cut off or not a web page."),
    ),
    Reason.HTTP_HEADER_MISMATCH: Cause(
        N_("wrong HTTP header"),
        N_("{host} answers, but an HTTP header is missing or is not what it should be."),
    ),
    Reason.HTTP_BLOCKED: Cause(
        N_("the watch is refused"),
        N_(
            "{host} asked the watch to prove that it is a person (protection against bots): visitors probably see "
            "the site, but whether it works cannot be seen from here."
        ),
    ),
    Reason.HTTP_PARKED: Cause(
        N_("another page in the site's place"),
        N_(
            "{host} shows a page of its host or of a domain dealer instead of the site: the domain may have "
            "expired, the account may be suspended, or the name leads to the wrong server."
        ),
    ),
    Reason.HTTP_ERROR_PAGE: Cause(
        N_("the page is an error message"),
        N_("{host} answers as if all were well, but the page is an error message instead of the site."),
    ),
    Reason.PROCESSING_TIMEOUT: Cause(
        N_("no answer in time"),
        N_(
            "{host} took the request but gave no answer within {seconds}: the application or its database is "
            "probably stuck."
        ),
        N_("{host} takes the request but gives no answer: the application or its database is probably stuck."),
    ),
    Reason.TRANSFER_TIMEOUT: Cause(
        N_("the page does not finish loading"),
        N_("{host} began to answer but the page had not finished loading after {seconds}."),
        N_("{host} begins to answer but the page does not finish loading."),
    ),
    Reason.BODY_TEXT_MISSING: Cause(
        N_("the page lacks its text"),
        N_("{host} answers, but the page lacks the text by which we know that it works."),
    ),
    Reason.BODY_TEXT_FORBIDDEN: Cause(
        N_("the page shows an error text"),
        N_("{host} answers, but the page shows a text that must not be there, usually an error message."),
    ),
    Reason.BODY_JSON_MISMATCH: Cause(
        N_("wrong data in the answer"),
        N_("{host} answers, but the data in its answer is not what it should be."),
    ),
    Reason.BODY_TOO_LARGE: Cause(
        N_("the page is too large"),
        N_("{host} answers with a page larger than the limit set for it."),
    ),
    Reason.REDIRECT_LOOP: Cause(
        N_("redirect loop"),
        N_("{host} sends visitors round in a circle (redirect loop); browsers give up with an error."),
    ),
    Reason.REDIRECT_TOO_MANY: Cause(
        N_("too many redirects"),
        N_("{host} sends visitors on from page to page too many times; browsers give up with an error."),
    ),
    Reason.REDIRECT_INVALID: Cause(
        N_("redirect to nowhere"),
        N_("{host} sends visitors on to an address that does not work."),
    ),
    Reason.SLOW_RESPONSE: Cause(
        N_("slow"),
        N_("{host} works but is slow: the answer took {total}."),
    ),
    Reason.REPLY_MISMATCH: Cause(
        N_("wrong reply"),
        N_("The service at {host} answers, but not with what it should say."),
    ),
    Reason.REPLY_TIMEOUT: Cause(
        N_("no reply"),
        N_("Requests to {host} go unanswered."),
    ),
    Reason.HEARTBEAT_MISSED: Cause(
        N_("a job has not reported"),
        N_("A scheduled job of {host} has not reported in time: it has probably stopped running."),
    ),
    Reason.HEARTBEAT_FAILED: Cause(
        N_("a job has failed"),
        N_("A scheduled job of {host} reported that it failed."),
    ),
    Reason.AGENT_STALLED: Cause(
        N_("the watch stalled"),
        N_("The watch itself was held up; this says nothing about {host}."),
    ),
    Reason.AGENT_RESOURCES: Cause(
        N_("the watch ran out of resources"),
        N_("The machine that watches lacks memory, sockets, time or a permission; this says nothing about {host}."),
    ),
    Reason.AGENT_NETWORK: Cause(
        N_("the watch lost its network"),
        N_("The machine that watches lost its own network; this says nothing about {host}."),
    ),
    Reason.AGENT_CLOCK: Cause(
        N_("the watch's clock was wrong"),
        N_("The clock of the machine that watches was set; this says nothing about {host}."),
    ),
    Reason.AGENT_ERROR: Cause(
        N_("the watch failed"),
        N_("The watch itself failed; this says nothing about {host}."),
    ),
    Reason.SLOT_MISSED: Cause(
        N_("not checked"),
        N_("{host} was not checked in time; this says nothing about the site."),
    ),
}

STATUS_TEXT: dict[int, str] = {
    400: N_("bad request"),
    401: N_("a password is asked for"),
    402: N_("payment required"),
    403: N_("access denied"),
    404: N_("page not found"),
    405: N_("method not allowed"),
    406: N_("not acceptable"),
    408: N_("request timed out"),
    410: N_("page removed"),
    418: N_("refused"),
    421: N_("wrong server"),
    429: N_("too many requests"),
    451: N_("blocked for legal reasons"),
    500: N_("internal error"),
    501: N_("not implemented"),
    502: N_("bad gateway: the application behind the server does not work"),
    503: N_("out of service"),
    504: N_("the application behind the server does not answer"),
    507: N_("disk full"),
    508: N_("resource limit reached"),
    520: N_("the origin server failed"),
    521: N_("the origin server is down"),
    522: N_("the origin server does not answer"),
    523: N_("the origin server cannot be reached"),
    524: N_("the origin server took too long"),
    525: N_("no secure connection to the origin server"),
    526: N_("invalid certificate on the origin server"),
}
"""What an HTTP status means to somebody who is no engineer (RFC 9110; 508 as cPanel, 52x as Cloudflare use it)."""
