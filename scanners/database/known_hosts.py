"""Servers whose scripts and frames stand in honest pages everywhere: analytics, maps, videos, forms, payment."""

WIDELY_USED = frozenset(
    """
    addtoany.com addthis.com adroll.com airtable.com amazon-adsystem.com apple.com bing.com bookingsync.com
    bootstrapcdn.com calameo.com calendly.com chimpstatic.com clarity.ms cloudflare.com cloudflareinsights.com
    cookiebot.com cookieyes.com crisp.chat criteo.com dailymotion.com disqus.com doubleclick.net elfsight.com
    eventbrite.com facebook.com facebook.net fontawesome.com formstack.com getsitecontrol.com github.com google.com
    google-analytics.com googleadservices.com googleapis.com googlesyndication.com googletagmanager.com gstatic.com
    hcaptcha.com hotjar.com hs-scripts.com hsforms.com hsforms.net hubspot.com instagram.com intercom.io issuu.com
    iubenda.com jotform.com jquery.com jsdelivr.net klarna.com klaviyo.com licdn.com linkedin.com list-manage.com
    livechatinc.com mailchimp.com mailerlite.com matomo.cloud microsoft.com mixcloud.com nr-data.net onetrust.com
    openstreetmap.org openstreetmap.de outbrain.com paypal.com paypalobjects.com pinterest.com pinimg.com
    cookielaw.org polyfill-fastly.io quantserve.com recaptcha.net redditstatic.com scribd.com segment.com
    sendinblue.com brevo.com sharethis.com shopify.com slideshare.net snapwidget.com soundcloud.com spotify.com
    statcounter.com stripe.com surveymonkey.com taboola.com tawk.to tidio.co tiktok.com tripadvisor.com
    trustpilot.com twitch.tv twitter.com typeform.com typekit.net unpkg.com usercentrics.eu userway.org vimeo.com
    vimeocdn.com w.org whatsapp.com wistia.com wistia.net wordpress.com wordpress.org wp.com x.com yandex.ru
    youtube.com youtube-nocookie.com youtu.be zdassets.com zendesk.com zoho.com zopim.com
    """.split()  # noqa: SIM905  # a list of as many lines would hide the code
)


def is_known(host: str, own: frozenset[str]) -> bool:
    """Whether a host is the site's own, or one of those, or below one of them.

    Args:
        host: as it stands in an address, without a port.
        own: the site's host and the domains that it is of.
    """
    parts = host.lower().rstrip(".").split(".")
    names = {".".join(parts[start:]) for start in range(len(parts))}
    return bool(names & own) or bool(names & WIDELY_USED)
