"""Hosts that scripts and pages name."""

import re
from ipaddress import ip_address

_HOST = re.compile(
    r"(?:\b(?:https?|wss?):)?\\?/\\?/((?:[\w-]{1,63}\.){1,8}[a-zA-Z][\w-]{1,30}|\d{1,3}(?:\.\d{1,3}){3})(?=[/:?#\"'\s\\)>,;&]|$)"
)
_KNOWN = re.compile(
    r"(?:^|\.)(?:google(?:-analytics|tagmanager|apis|adservices|syndication|usercontent)?|gstatic|doubleclick|youtube"
    r"|youtube-nocookie|ytimg|facebook|fbcdn|twitter|x|twimg|instagram|linkedin|licdn|pinterest|pinimg|tiktok|vimeo"
    r"|vimeocdn|cloudflare|cloudflareinsights|jsdelivr|unpkg|jquery|bootstrapcdn|fontawesome|typekit|adobe|stripe"
    r"|paypal|paypalobjects|braintreegateway|braintree-api|adyen|klarna|klarnacdn|mollie|redsys|squareup|amazonaws"
    r"|amazon|ssl-images-amazon|microsoft|msn|bing|clarity|hotjar|intercom|intercomcdn|zendesk|zdassets|hubspot|hs-scripts"
    r"|hsforms|mailchimp|list-manage|chimpstatic|onesignal|pushwoosh|firebaseio|gravatar|wordpress|wp|w|woocommerce"
    r"|jetpack|automattic|wikimedia|wikipedia|mediawiki|w3|schema|mozilla|github|githubusercontent|gitlab|apple|spotify"
    r"|soundcloud|openstreetmap|mapbox|leafletjs|addthis|disqus|disquscdn|recaptcha|hcaptcha|cookiebot|onetrust"
    r"|cookielaw|trustpilot|tawk|crisp|livechatinc|yandex|vk|baidu|qualtrics|newrelic|nr-data|sentry|segment|matomo"
    r"|criteo|taboola|outbrain|adroll|shopify|wixstatic|squarespace|php|gnu|opensource|apache|creativecommons)"
    r"\.(?:com|net|org|io|co|me|ru|cn|eu|es|de|fr|uk|ai|dev|chat|to|cdn|wiki)(?:\.\w{2,3})?$"
)
"""Whom pages commonly load from, and addresses that stand in licences and name spaces."""

_EXAMPLES = re.compile(r"(?:^|\.)(?:localhost|example\.(?:com|net|org)|invalid|test|local)$")
_BRANDS = re.compile(
    r"google-?an[ai1l]+[yi]?[tl]|googletag|google-?analytics|gstat[il1]c|googleapis?|jquery|bootstrap-?cdn|cloudflare"
    r"|cdnjs|stripe|paypal|magento|wordpress|facebook|recaptcha|fontawesome"
)
_CHEAP = frozenset(
    [
        "tk",
        "ml",
        "ga",
        "cf",
        "gq",
        "pw",
        "top",
        "icu",
        "xyz",
        "buzz",
        "cyou",
        "rest",
        "cam",
        "surf",
        "click",
        "monster",
        "quest",
        "sbs",
        "cfd",
    ]
)


def hosts_in(text: str) -> set[str]:
    """Returns the hosts of other people that a text names."""
    found = {found[1].lower() for found in _HOST.finditer(text)}
    return {host for host in found if is_foreign(host)}


def is_foreign(host: str) -> bool:
    """Whether a host is a stranger: no service that pages commonly use, no example, no private address."""
    if _KNOWN.search(host) or _EXAMPLES.search(host):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return not host.rpartition(".")[2].isdigit()


def is_odd(host: str) -> bool:
    """Whether a stranger is a bare address, has a name of the cheap kind, or one like a well-known service."""
    return host.replace(".", "").isdigit() or host.rpartition(".")[2] in _CHEAP or imitates(host)


def imitates(host: str) -> bool:
    """Whether a stranger's name has that of a well-known service in it."""
    return _BRANDS.search(host) is not None
