/*
  Code that its vendor has made unreadable, to be run by a loader that the host has installed. It is told by its loader
  and by its unreadable rest, and never acted upon by itself: nobody can say what it does.
*/

rule encoded_ioncube
{
  meta:
    class = "encoded"
    explains = "suspicious"
    meaning = "code that was encoded for the ionCube loader"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $begin = /^\s{0,20}<\?php \/\/[0-9a-zA-Z]{4,6}\b/
    $check = /extension_loaded\(\s{0,3}['"]ionCube Loader['"]\s{0,3}\)/ nocase
    $run = "_il_exec"
    $blob = /\?>\s{0,3}[A-Za-z0-9+\/=\r\n]{300}/
  condition:
    ($check or $run) and ($blob or ($begin and filesize > 1KB))
}

rule encoded_zend_guard
{
  meta:
    class = "encoded"
    explains = "suspicious"
    meaning = "code that was encoded for the loader of Zend Guard"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $begin = /^\s{0,20}<\?php @Zend;\s{1,4}[0-9]{4,6};/
    $note = "This is not a text file" nocase
    $old = /^\s{0,20}Zend\x00/
  condition:
    $begin or $old or ($note and @note < 400)
}

rule encoded_sourceguardian
{
  meta:
    class = "encoded"
    explains = "suspicious"
    meaning = "code that was encoded for the loader of SourceGuardian or phpSHIELD"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $check = /function_exists\(\s{0,3}['"](sg_load|phpshield_load)['"]\s{0,3}\)/ nocase
    $run = /\b(sg_load|phpshield_load)\(\s{0,3}['"][A-Za-z0-9+\/=]{200}/ nocase
  condition:
    $check and $run
}

rule encoded_other_loader
{
  meta:
    class = "encoded"
    explains = "suspicious"
    meaning = "code that was encoded for a loader of the server (Swoole, bcompiler, Nu-Coder, ILoader)"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $check = /extension_loaded\(\s{0,3}['"](swoole_loader|bcompiler|nucoder|nusphere|iloader|mmcache|eaccelerator|php_screw|tonyenc)['"]/ nocase
    $run = /\b(bcompiler_load|bcompiler_read|nucoder_load|mmcache_load|eaccelerator_load)\s{0,3}\(/ nocase
    $swoole = /^\s{0,20}<\?php extension_loaded\('swoole_loader'\)/
  condition:
    filesize > 1KB and ($swoole or ($check and $run))
}
