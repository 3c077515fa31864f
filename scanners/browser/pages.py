"""What stands in a page, or in a template of pages, that its owner would not want."""

import re
from collections.abc import Iterator

from scanners.browser.hosts import hosts_in, is_odd
from scanners.browser.scripts import Seen

REACH = 4_000
MANY_LINKS = 8
SOME_LINKS = 3
MAX_CONTAINERS = 40

_TAG = re.compile(r"<(iframe|form|script)\b([^<>]{0,1500})>", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\b(src|action|href)\s{0,9}=\s{0,9}[\\\"']{0,2}\s{0,9}((?:https?:)?//[^\s\"'<>\\]{3,500})", re.IGNORECASE
)
_SMALL = re.compile(r"\b(?:width|height)\s{0,9}[=:]\s{0,9}[\\\"']{0,2}[01](?:px|%)?(?![\d.])", re.IGNORECASE)
_UNSEEN = re.compile(
    r"display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden|opacity\s{0,9}:\s{0,9}0(?:\.0\d?)?\s{0,9}[;\"']"
    r"|(?:left|top|right|text-indent|margin-left|margin-top)\s{0,9}:\s{0,9}-\d{3,6}",
    re.IGNORECASE,
)
_OUT_OF_SIGHT = re.compile(
    r"(?:left|top|right|text-indent|margin-left|margin-top)\s{0,9}:\s{0,9}-\d{3,6}|font-size\s{0,9}:\s{0,9}[01](?:px|pt|em)?\s{0,9}[;\"'}]"
    r"|(?:height|width)\s{0,9}:\s{0,9}[01](?:px)?\s{0,9};[^\"']{0,80}overflow\s{0,9}:\s{0,9}hidden"
    r"|overflow\s{0,9}:\s{0,9}hidden\s{0,9};[^\"']{0,80}(?:height|width)\s{0,9}:\s{0,9}[01](?:px)?\s{0,9}[;\"']",
    re.IGNORECASE,
)
_CONTAINER = re.compile(
    r"<(div|span|p|ul|ol|table|font|marquee|section|noscript|b|i|u|h\d|li|center)\b([^<>]{0,600})>", re.IGNORECASE
)
_LINK = re.compile(
    r"<a\s[^<>]{0,400}href\s{0,9}=\s{0,9}[\\\"']{0,2}(https?://[^\s\"'<>\\]{3,300})[^<>]{0,300}>([^<]{0,200})",
    re.IGNORECASE,
)
_SPAM = re.compile(
    r"viagra|cialis|levitra|kamagra|sildenafil|tadalafil|\bpills?\b|pharmacy|casino|poker|\bslots?\b|gacor|togel"
    r"|judi\b|betting|payday|\bloans?\b|replica|louis vuitton|\bporn|\bsex\b|escort|essay|dissertation|steroid"
    r"|\bnike\b|ugg boots|rolex|\bbitcoin\b",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"<input\b[^<>]{0,400}type\s{0,9}=\s{0,9}[\\\"']{0,2}password", re.IGNORECASE)
_BEGIN = re.compile(r"\A(?:\xef\xbb\xbf)?\s{0,200}<script\b[^<>]{0,400}>", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]{0,100}>\s{0,99}([^<]{1,200})", re.IGNORECASE)
_BRANDS = re.compile(
    r"\b(?:paypal|microsoft|office ?365|outlook|onedrive|sharepoint|docusign|dropbox|netflix|amazon|apple id|icloud"
    r"|facebook|instagram|dhl|fedex|usps|wells fargo|chase|bank of america|hsbc|santander|bbva|caixabank"
    r"|credit agricole|orange|adobe (?:pdf|document)|webmail|linkedin|coinbase|binance|metamask|steam)\b",
    re.IGNORECASE,
)


def seen(text: str) -> Iterator[Seen]:
    """Yields what stands in a page."""
    if "<" not in text:
        return
    for tag in _TAG.finditer(text):
        rule, detail = _tag_rule(tag[1].lower(), tag[2], text, tag)
        if rule:
            yield Seen(rule, tag.start(), detail=detail)
    yield from _links(text)
    title = _TITLE.search(text)
    brand = _BRANDS.search(title[1]) if title is not None else None
    if brand is not None and _PASSWORD.search(text):
        yield Seen("page_asks_as_brand", brand.start(), detail=brand[0])


def _tag_rule(name: str, attributes: str, text: str, tag: re.Match[str]) -> tuple[str, str]:
    address = _ADDRESS.search(attributes)
    hosts = hosts_in(address[2] + " ") if address is not None else set()
    detail = ", ".join(sorted(hosts))
    if not hosts:
        return "", ""
    if name == "iframe":
        return ("page_hidden_frame" if _UNSEEN.search(attributes) or _SMALL.search(attributes) else ""), detail
    if name == "form":
        ends = text.lower().find("</form", tag.end(), tag.end() + REACH * 2)
        inside = text[tag.end() : ends if ends > 0 else tag.end() + REACH]
        return ("page_password_to_stranger" if _PASSWORD.search(inside) else ""), detail
    if any(map(is_odd, hosts)):
        return "page_script_odd_host", detail
    page = re.search(r"<html|<!doctype|<\?php", text[tag.end() : tag.end() + 400], re.IGNORECASE)
    before = page is not None and _BEGIN.match(text) is not None and tag.start() < REACH
    after = text.lower().rfind("</html>", 0, tag.start()) >= 0
    return ("page_script_outside" if before or after else ""), detail


def _links(text: str) -> Iterator[Seen]:
    counted = 0
    for container in _CONTAINER.finditer(text):
        far = _OUT_OF_SIGHT.search(container[2])
        if far is None and _UNSEEN.search(container[2]) is None:
            continue
        counted += 1
        if counted > MAX_CONTAINERS:
            return
        ends = text.lower().find(f"</{container[1].lower()}", container.end(), container.end() + REACH)
        inside = text[container.end() : ends if ends > 0 else container.end() + REACH]
        links = [(found[1], found[2]) for found in _LINK.finditer(inside)]
        strange = {host for address, _ in links for host in hosts_in(address + " ")}
        spam = {found[0].lower() for found in _SPAM.finditer(" ".join(f"{one} {two}" for one, two in links))}
        if strange and spam and len(links) >= SOME_LINKS:
            yield Seen("page_hidden_spam", container.start(), detail=", ".join(sorted(strange)))
            return
        if len(strange) >= (SOME_LINKS if far is not None else MANY_LINKS) or (
            far and len(links) >= SOME_LINKS and strange
        ):
            yield Seen("page_hidden_links", container.start(), detail=", ".join(sorted(strange)))
            return
