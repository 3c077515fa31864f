/* Settings of the web server and of PHP by which files that are no scripts are run, or a script before every page. */

rule htaccess_runs_pictures
{
  meta:
    class = "confirmed"
    meaning = "the web server is told to run files that are no scripts by their name"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $handler = /(^|\n)\s{0,20}(AddHandler|AddType)\s+["']?(application\/x-httpd-(php|cgi)|php\d?-script|cgi-script)[^\n]{0,200}\.(jpe?g|png|gif|ico|svg|txt|css|js|html?|bmp|webp)\b/ nocase
    $set = /<FilesMatch[^\n>]{0,200}(jpe?g|png|gif|ico|svg|txt|css|js|bmp|webp)[^\n>]{0,200}>[^<]{0,300}SetHandler\s+["']?(application\/x-httpd-php|php\d?-script|proxy:)/ nocase
  condition:
    filesize < 200KB and any of them
}

rule settings_prepend_script
{
  meta:
    class = "suspicious"
    meaning = "a script is run before or after every page of the site"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $ini = /(^|\n)\s{0,20}auto_(prepend|append)_file\s{0,20}=\s{0,20}["']?[^\s"';]{2}/
    $htaccess = /(^|\n)\s{0,20}php_(admin_)?value\s+auto_(prepend|append)_file\s+["']?[^\s"']{2}/ nocase
  condition:
    filesize < 200KB and any of them
}

rule settings_prepend_disguised_script
{
  meta:
    class = "confirmed"
    meaning = "a file that is no script by its name, or a hidden one, is run before or after every page of the site"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $ini = /(^|\n)\s{0,20}auto_(prepend|append)_file\s{0,20}=\s{0,20}["']?[^\s"';]{0,200}(\.(jpe?g|png|gif|ico|svg|txt|css|js|log|bmp|webp)\b|\/tmp\/|\/\.\w|php:\/\/|data:)/ nocase
    $htaccess = /(^|\n)\s{0,20}php_(admin_)?value\s+auto_(prepend|append)_file\s+["']?[^\s"']{0,200}(\.(jpe?g|png|gif|ico|svg|txt|css|js|log|bmp|webp)\b|\/tmp\/|\/\.\w|php:\/\/|data:)/ nocase
  condition:
    filesize < 200KB and any of them
}

rule htaccess_sends_searchers_away
{
  meta:
    class = "confirmed"
    meaning = "visitors who come from a search engine, or search engines themselves, are sent to another site"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $who = /RewriteCond\s+%\{HTTP_(REFERER|USER_AGENT)\}[^\n]{0,300}(google|bing|yahoo|yandex|duckduckgo|facebook)/ nocase
    $where = /RewriteRule\s+\S{1,60}\s+https?:\/\/[^\s%$]{4}/ nocase
  condition:
    filesize < 200KB and all of them
}
