/*
  Pages by which somebody rules a server from his browser. Each rule says what such a page does, not what it is called:
  it shows the server, browses and changes its files, and runs commands, all of it by what its visitor asks for.
*/

private rule php
{
  strings:
    $open = /<\?(php|=|\s)/ nocase
  condition:
    $open
}

rule php_remote_control_page
{
  meta:
    class = "confirmed"
    meaning = "a page that shows the server, its files and its users, and runs commands for its visitor"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $request = /\$(_(GET|POST|REQUEST|COOKIE|FILES)|HTTP_(GET|POST)_VARS)\b/
    $run = /\b(shell_exec|passthru|popen|proc_open|pcntl_exec|system|exec)\s{0,3}\(/
    $about_1 = /\bphp_uname\s{0,3}\(/ nocase
    $about_2 = /\bposix_get(pwuid|grgid|euid)\s{0,3}\(/ nocase
    $about_3 = /\bdisk_(free|total)_space\s{0,3}\(/ nocase
    $about_4 = /ini_get\s{0,3}\(\s{0,3}['"](safe_mode|disable_functions|open_basedir)/ nocase
    $about_5 = /\bget_current_user\s{0,3}\(|\bgetmyuid\s{0,3}\(/ nocase
    $about_6 = "/etc/passwd"
    $about_7 = "uname -a"
    $about_8 = "SERVER_SOFTWARE"
    $about_9 = /safe[_ ]mode/ nocase
    $file_1 = /\bfileperms\s{0,3}\(/ nocase
    $file_2 = /\bunlink\s{0,3}\(/ nocase
    $file_3 = /\bopendir\s{0,3}\(|\bscandir\s{0,3}\(/ nocase
    $file_4 = /\bchmod\s{0,3}\(/ nocase
    $file_5 = /\bmove_uploaded_file\s{0,3}\(|copy\s{0,3}\(\s{0,3}\$(_FILES|HTTP_POST_FILES)/ nocase
    $file_6 = /\bgetcwd\s{0,3}\(|\bchdir\s{0,3}\(/ nocase
    $form = /<(form|input|textarea)\b/ nocase
    $declares = /(^|\n)\s{0,8}(abstract |final )?(namespace|class|interface|trait)\s+[A-Z]\w+/
  condition:
    php and $request and $run and $form and not $declares and 4 of ($about_*) and 3 of ($file_*)
}

rule php_command_page
{
  meta:
    class = "suspicious"
    meaning = "a page with a form that runs commands and tells of the server"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $request = /\$(_(GET|POST|REQUEST|COOKIE)|HTTP_(GET|POST)_VARS)\b/
    $run = /\b(shell_exec|passthru|popen|proc_open|system|exec)\s{0,3}\(\s{0,3}['"$]/
    $form = /<(form|input|textarea)\b/ nocase
    $about_1 = /\bphp_uname\s{0,3}\(|uname -a/ nocase
    $about_2 = /safe[_ ]mode|disable_functions/ nocase
    $about_3 = /\bgetcwd\s{0,3}\(|\bchdir\s{0,3}\(/ nocase
    $about_4 = "/etc/passwd"
    $about_5 = /\b(cmd|command|exec(ute)?)\b['"]?\s{0,3}\]/ nocase
    $declares = /(^|\n)\s{0,8}(abstract |final )?(namespace|class|interface|trait)\s+[A-Z]\w+/
  condition:
    php and $request and $run and $form and not $declares and 2 of ($about_*)
}

rule php_mass_mailer
{
  meta:
    class = "suspicious"
    meaning = "a page by which its visitor sends the same mail to a list of people"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $mail = /\bmail\s{0,3}\(/
    $request = /\$(_(POST|REQUEST)|HTTP_POST_VARS)\b/
    $form = /<textarea\b/ nocase
    $split = /\b(explode|split)\s{0,3}\(\s{0,3}["'](\\n|\\r\\n)/ nocase
    $word_1 = /e?mail[_ ]?list|\bemails?\b['"]?\s{0,3}\]/ nocase
    $word_2 = /real[_ ]?name|from[_ ]?name|sender[_ ]?name/ nocase
    $word_3 = /reply[_-]?to/ nocase
    $word_4 = /content-?type/ nocase
    $word_5 = /\bflush\s{0,3}\(/ nocase
    $word_6 = /\bmailer\b/ nocase
    $word_7 = /set_time_limit\s{0,3}\(\s{0,3}0/ nocase
  condition:
    php and $mail and $request and $form and $split and 3 of ($word_*)
}

rule php_database_page
{
  meta:
    class = "risky_tool"
    meaning = "a page by which its visitor reads and changes any database"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $connect = /\bmysqli?_connect\s{0,3}\(\s{0,3}\$(_(POST|REQUEST|GET|COOKIE)|HTTP_(GET|POST|COOKIE)_VARS)/ nocase
    $query = /\bmysqli?_query\s{0,3}\(\s{0,3}\$/ nocase
    $form = /<(form|input|textarea)\b/ nocase
  condition:
    php and $connect and $query and $form
}
