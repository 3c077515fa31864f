/* What is put into pages to act in the visitor's browser, and links that only search engines are to see. */

rule skimmer_of_payment_data
{
  meta:
    class = "confirmed"
    meaning = "what a customer types into a payment form is sent somewhere by an address that is hidden"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $card = /(card|cc)[_-]?(num|number|no)\b|\bcvv2?\b|\bcvc\b|card[_-]?holder|expir(y|ation)[_-]?(date|month|year)/ nocase
    $listen = /addEventListener\s{0,3}\(|\.onsubmit\b|\.onclick\b|setInterval\s{0,3}\(|querySelectorAll?\s{0,3}\(/
    $send = /new\s+Image\b|\.sendBeacon\s{0,3}\(|XMLHttpRequest|\bfetch\s{0,3}\(|WebSocket\s{0,3}\(/
    $hidden_1 = /\batob\s{0,3}\(\s{0,3}['"][A-Za-z0-9+\/]{12}/
    $hidden_2 = /String\.fromCharCode\s{0,3}\((\s{0,2}(0x)?[0-9a-f]{2,3}\s{0,2},){8}/ nocase
    $hidden_3 = /(\\x[0-9a-f]{2}){8}/ nocase
    $hidden_4 = /_0x[0-9a-f]{4,6}\s{0,2}\(\s{0,2}['"]?0x/
  condition:
    $card and $listen and $send and any of ($hidden_*)
}

rule script_that_loads_a_hidden_script
{
  meta:
    class = "suspicious"
    meaning = "a script puts together the address of another one and loads it"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $element = /createElement\s{0,3}\(\s{0,3}['"]script['"]|document\.write\s{0,3}\(/
    $code = /String\.fromCharCode\s{0,3}\((\s{0,2}(0x)?[0-9a-f]{2,3}\s{0,2},){12}/ nocase
    $base64 = /\batob\s{0,3}\(\s{0,3}['"]aHR0c/
    $escaped = /(\\x68\\x74\\x74\\x70|%68%74%74%70)/ nocase
    $eval = /\beval\s{0,3}\(\s{0,3}(String\.fromCharCode|atob|unescape)\s{0,3}\(/
  condition:
    $eval or ($element and ($code or $base64 or $escaped))
}

rule links_out_of_sight
{
  meta:
    class = "suspicious"
    meaning = "links to other sites stand where no visitor sees them"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $hidden = /<(div|span|p|ul|table|font|marquee)\b[^>]{0,200}(left|top|text-indent|margin-left)\s{0,3}:\s{0,3}-\d{3,5}(px|em)?[^>]{0,200}>(\s{0,20}(<(p|li|span|div|b)[^>]{0,80}>\s{0,20})?<a\s[^>]{0,200}href\s{0,3}=\s{0,3}["']?https?:[^>]{0,200}>[^<]{1,120}<\/a>[^<]{0,60}(<\/(p|li|span|div|b)>)?){3}/ nocase
  condition:
    $hidden
}
