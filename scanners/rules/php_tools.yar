/*
  Pages that do what an attacker wants and that somebody may have put there on purpose: told by what they say they are.
  Such a rule explains why the page writes files or runs queries for its visitor, but no proof of a back door in it.
*/

private rule php_tool
{
  strings:
    $open = /<\?(php|=|\s)/ nocase
  condition:
    $open
}

rule tool_for_databases
{
  meta:
    class = "risky_tool"
    explains = "suspicious"
    meaning = "a tool by which whoever knows a password of the database reads and changes it (Adminer and the like)"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $adminer_1 = /@link https?:\/\/www\.adminer\.org/ nocase
    $adminer_2 = /(Adminer|Adminer Editor) - (Compact )?[Dd]atabase (management|editing)/ nocase
    $adminer_3 = /\badminer\s{0,3}\(\s{0,3}\)\s{0,3}->/ nocase
    $admin_4 = /phpMiniAdmin|phpLiteAdmin|SQL Buddy|MyWebSQL/ nocase
    $dumper = /Sypex Dumper|BigDump|MySQLDumper/ nocase
    $query = /_query\s{0,3}\(|->\s{0,2}(query|exec)\s{0,3}\(/
  condition:
    php_tool and $query and any of ($adm*, $dumper)
}

rule tool_for_files
{
  meta:
    class = "risky_tool"
    explains = "suspicious"
    meaning = "a file manager: whoever gets in changes every file of the site"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $name_1 = /\bTiny ?File ?Manager\b/ nocase
    $name_2 = /class elFinder(Connector|Volume\w+)?\b/
    $name_3 = /\bextplorer\b|\bResponsive ?File ?manager\b|\bKCFinder\b|\bnet2ftp\b|\bPHP ?File ?Manager\b/ nocase
    $login = /password_verify|\$auth_users|use_auth|\bauthenticate\b|access_keys|session_start/
    $file_1 = /\bunlink\s{0,3}\(/
    $file_2 = /\bmove_uploaded_file\s{0,3}\(/
    $file_3 = /\brename\s{0,3}\(/
  condition:
    php_tool and any of ($name_*) and $login and 2 of ($file_*)
}

rule tool_that_shows_the_server
{
  meta:
    class = "risky_tool"
    meaning = "a page that shows anybody how the server is set up (phpinfo)"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $info = /<\?(php)?[\s@]{1,20}phpinfo\s{0,3}\([^)]{0,20}\)\s{0,3};/ nocase
  condition:
    filesize < 2KB and $info
}
