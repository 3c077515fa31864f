/*
  Pages of ASP, ASP.NET, JSP, ColdFusion, and programs of CGI in Perl, Python and shell, by which a visitor rules a
  server. Each rule joins what a visitor sends with what runs it; a page that only takes or only runs is no shell.
*/

private rule is_asp
{
  strings:
    $open = /<%[@=!\s#\w(]/
    $script = /<script[^>]{0,80}runat\s{0,3}=\s{0,3}["']?server/ nocase
  condition:
    any of them
}

private rule is_program
{
  strings:
    $line = /^\s{0,3}#!\s{0,3}[^\n]{0,60}(perl|python|sh\b|bash|ruby|lua)/
  condition:
    $line at 0 or $line
}

rule asp_runs_what_it_is_sent
{
  meta:
    class = "confirmed"
    meaning = "a page of ASP runs what its visitor sends"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $code = /\b(eval|execute|executeglobal)\b\s{0,3}\(?\s{0,3}\(?\s{0,3}(request\b|decode\w{0,20}\(\s{0,3}request)/ nocase
    $dotnet = /\beval\s{0,3}\(\s{0,3}(System\.Text\.Encoding[^;]{1,120}\(\s{0,3})?(System\.)?(Convert\.FromBase64String\(\s{0,3})?Request\b/ nocase
    $jscript = /\beval\s{0,3}\([^;]{0,160}Request(\.Item|\.Form|\.QueryString)?\s{0,3}[\[(][^;]{0,80}["']unsafe["']/ nocase
    $command = /(wscript\.shell|process\.start|\.exec\s{0,3}\()[^\n]{0,120}request\s{0,3}[(\[.]/ nocase
  condition:
    is_asp and any of them
}

rule asp_command_page
{
  meta:
    class = "confirmed"
    meaning = "a page of ASP starts programs of the server for its visitor"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $take = /\brequest\s{0,3}(\.\s{0,3}(form|querystring|item|params|cookies|headers))?\s{0,3}[(\["]/ nocase
    $box = /<asp:textbox\b/ nocase
    $start_1 = /createobject\s{0,3}\(\s{0,3}["']?\s{0,3}(wscript\.shell|shell\.application)/ nocase
    $start_2 = /classid\s{0,3}=\s{0,3}["']?clsid:72C24DD5-D70A-438B-8A42-98424B88AFB8/ nocase
    $start_3 = /\bnew\s+(System\.Diagnostics\.)?Process(StartInfo)?\b/ nocase
    $run_1 = /\.\s{0,3}(exec|run)\s{0,3}\(\s{0,3}[^)\n]{0,60}(cmd|%comspec%|szcmd|command|str)/ nocase
    $run_2 = /\.FileName\s{0,3}=|Process\.Start\s{0,3}\(|\.ShellExecute\b/ nocase
    $run_3 = /cmd(\.exe)?["']?\s{0,3}\+?\s{0,3}["']?\s{0,3}\/c/ nocase
  condition:
    is_asp and ($take or $box) and any of ($start_*) and any of ($run_*)
}

rule asp_loads_hidden_code
{
  meta:
    class = "confirmed"
    meaning = "a page of ASP.NET loads a program that its visitor sends"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $load = /Assembly\s{0,3}\.\s{0,3}Load\s{0,3}\(|\.GetMethod\s{0,3}\(\s{0,3}["']Load["']/ nocase
    $make = /CreateInstance\s{0,3}\(|\.Invoke\s{0,3}\(|Activator\b/ nocase
    $body = /Request\s{0,3}\.\s{0,3}(BinaryRead|InputStream|Form|Params|Headers|Item)|Request\s{0,3}\[|RijndaelManaged|FromBase64String/ nocase
  condition:
    is_asp and all of them
}

rule asp_file_page
{
  meta:
    class = "suspicious"
    meaning = "a page of ASP reads and writes files that its visitor names"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $take = /\brequest\s{0,3}(\.\s{0,3}(form|querystring|item|params))?\s{0,3}[(\["]/ nocase
    $system = /scripting\.filesystemobject|adodb\.stream|System\.IO\b|DirectoryInfo\b/ nocase
    $write = /\.(createtextfile|opentextfile|savetofile|copyfile|deletefile|SaveAs|WriteAllText|WriteAllBytes|MoveTo|CopyTo)\s{0,3}\(?/ nocase
    $list = /\.(subfolders|getfolder|GetDirectories|GetFiles|drives)\b|GetLogicalDrives/ nocase
    $about = /server_software|local_addr|MachineName|\bcmd\b|wscript|serverobject|OSVersion/ nocase
  condition:
    is_asp and all of them
}

rule jsp_command_page
{
  meta:
    class = "confirmed"
    meaning = "a page of JSP starts programs of the server for its visitor"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $page = /<%|<jsp:(scriptlet|root|directive)/ nocase
    $take = /request\s{0,3}\.\s{0,3}(getParameter|getHeader|getInputStream|getReader|getQueryString|getCookies)\s{0,3}\(|\$\{\s{0,3}param\b/
    $run_1 = /Runtime\s{0,3}\.\s{0,3}getRuntime\s{0,3}\(\s{0,3}\)\s{0,3}\.\s{0,3}exec\s{0,3}\(/
    $run_2 = /new\s+(java\.lang\.)?ProcessBuilder\s{0,3}\(/
    $run_3 = /getMethod\s{0,3}\(\s{0,3}["'](exec|getRuntime)/
    $run_4 = /java\.lang\.Runtime["']/
    $run_5 = /\bRuntime\b[^;]{0,80};[^%]{0,400}\.\s{0,3}exec\s{0,3}\(/
  condition:
    $page and $take and any of ($run_*)
}

rule jsp_loads_hidden_code
{
  meta:
    class = "confirmed"
    meaning = "a page of JSP loads a program that its visitor sends"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $page = /<%|<jsp:(scriptlet|root|directive)/ nocase
    $take = /request\s{0,3}\.\s{0,3}(getParameter|getHeader|getInputStream|getReader)\s{0,3}\(/
    $load = /\bdefineClass\b|extends\s+ClassLoader|URLClassLoader\s{0,3}\(|ScriptEngineManager\s{0,3}\(|\bBCEL\b/
    $unpack = /BASE64Decoder|Base64\b|getDecoder|Cipher\b|\.eval\s{0,3}\(|\.newInstance\s{0,3}\(/
  condition:
    $page and all of them
}

rule jsp_file_page
{
  meta:
    class = "suspicious"
    meaning = "a page of JSP writes files that its visitor sends"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $page = /<%[^@]/
    $take = /request\s{0,3}\.\s{0,3}(getParameter|getInputStream|getPart)\s{0,3}\(/
    $write = /new\s+(java\.io\.)?(FileOutputStream|FileWriter|RandomAccessFile|PrintWriter)\s{0,3}\([^;]{0,160}(getParameter|getRealPath|path|file|name)/ nocase
  condition:
    all of them
}

rule coldfusion_command_page
{
  meta:
    class = "confirmed"
    meaning = "a page of ColdFusion starts programs of the server for its visitor"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $run = /<cfexecute\b[^>]{0,400}#/ nocase
    $java = /createobject\s{0,3}\(\s{0,3}["']java["']\s{0,3},\s{0,3}["']java\.lang\.(Runtime|ProcessBuilder)/ nocase
    $take = /\b(form|url|cgi|cookie)\s{0,3}[.\[]\s{0,3}["']?\w/ nocase
    $tag = /<cf(set|param|output|if|form)\b/ nocase
  condition:
    ($run or $java) and $take and $tag
}

rule program_command_page
{
  meta:
    class = "confirmed"
    meaning = "a program of CGI runs commands that its visitor sends"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $answer = /Content-[Tt]ype\s{0,3}:\s{0,3}text\/|print\s{0,3}\(?\s{0,3}header\b/ nocase
    $take_1 = /\$ENV\s{0,3}\{\s{0,3}['"]?(QUERY_STRING|CONTENT_LENGTH)|CGI(->|::|\s{0,3};)|&?ReadParse\b|\bparam\s{0,3}\(/
    $take_2 = /cgi\.FieldStorage|os\.environ[^\n]{0,40}(QUERY_STRING|HTTP_)/
    $take_3 = /\$\{?QUERY_STRING\b|\$\{?HTTP_\w{3,}/
    $run_perl = /`[^`\n]{0,80}[$@][^`\n]{0,80}`|\b(system|exec)\s{0,3}\(?\s{0,3}["']?[^;\n]{0,40}\$|open\s{0,3}\(\s{0,3}\w{1,20}\s{0,3},\s{0,3}["'][^"'\n]{0,40}(\$[^"'\n]{0,60}\||\|[^"'\n]{0,40}\$)|qx\s{0,3}[{(\/]/
    $run_python = /\b(os\.(system|popen\d?)|commands\.getoutput|subprocess\.(Popen|call|check_output|run|getoutput))\s{0,3}\(/
    $run_shell = /\beval\s+["']?\$|\|\s{0,3}(ba)?sh\b|\b(ba)?sh\s+-c\s+["']?\$/
  condition:
    is_program and $answer and any of ($take_*) and any of ($run_*)
}

rule program_back_door
{
  meta:
    class = "confirmed"
    meaning = "a program connects to a stranger and gives him a shell"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $perl_socket = /use\s+(IO::)?Socket\b/
    $perl_connect = /\bconnect\s{0,3}\(|IO::Socket::INET\s{0,3}->\s{0,3}new|\blisten\s{0,3}\(/
    $perl_shell = /open\s{0,3}\(?\s{0,3}(STDIN|STDOUT|STDERR)\s{0,3},\s{0,3}["'][<>]{1,2}&|\bexec\s{0,3}\{?\s{0,3}["']?\/bin\/(ba)?sh/
    $python_socket = /socket\.socket\s{0,3}\(/
    $python_shell = /os\.dup2\s{0,3}\([^\n]{0,60}fileno/
    $shell_tcp = /\b(ba)?sh\s+-i\s{0,5}[<>0-9&]{1,4}\s{0,3}\/dev\/tcp\//
    $shell_fifo = /mkfifo\s+\/tmp\/\w{1,20}[^\n]{0,80}\|\s{0,3}(\/bin\/)?(ba)?sh\s[^\n]{0,60}\|\s{0,3}nc\b/
    $shell_nc = /\bnc\s+(-\w+\s+){0,3}-e\s+\/bin\/(ba)?sh/
  condition:
    is_program and ((all of ($perl_*)) or (all of ($python_*)) or any of ($shell_*))
}

rule program_flood
{
  meta:
    class = "suspicious"
    meaning = "a program obeys a chat server, as those of floods and mass mail do"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $socket = /use\s+IO::Socket|socket\.socket\s{0,3}\(/
    $chat_1 = "PRIVMSG"
    $chat_2 = /\bNICK\s/
    $chat_3 = /\bJOIN\s/
    $act = /\b(udpflood|tcpflood|httpflood|portscan|synflood)\b|`[^`\n]{0,60}\$|\b(system|exec|popen)\s{0,3}\(/ nocase
  condition:
    is_program and $socket and 2 of ($chat_*) and $act
}

rule miner_of_coins
{
  meta:
    class = "confirmed"
    meaning = "settings or a script for a program that mines coins"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $pool = /stratum\+(tcp|ssl|udp):\/\/[\w.-]{4,80}:\d{2,5}/ nocase
    $wallet_1 = /["']?(user|wallet|address)["']?\s{0,3}[:=]\s{0,3}["']?[13489A-Za-z][0-9A-Za-z]{33,105}\b/
    $wallet_2 = /\s-u\s+[0-9A-Za-z]{34,106}/
    $algorithm = /cryptonight|randomx|"algo"|--donate-level|xmrig|minerd|cpuminer/ nocase
  condition:
    filesize < 2MB and $pool and ($algorithm or any of ($wallet_*))
}

rule program_runs_hidden_code
{
  meta:
    class = "confirmed"
    meaning = "a program of CGI runs code that was encoded"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $perl = /\beval\s{0,3}\(?\s{0,3}(&?decode_base64|unpack)\s{0,3}\(?\s{0,3}[$'"u]/
    $own = /\beval\s{0,3}\(?\s{0,3}&?\w{0,30}(decode|b64|base64)\w{0,30}\s{0,3}\(\s{0,3}\$/ nocase
    $python = /\bexec\s{0,3}\(?\s{0,3}(\w{1,30}\.){0,3}(b64decode|decompress|loads|fromhex)\s{0,3}\(/
    $shell = /base64\s+(-d|--decode)[^\n|]{0,60}\|\s{0,3}(ba)?sh\b/
  condition:
    is_program and any of them
}

rule asp_encoded
{
  meta:
    class = "encoded"
    meaning = "a page of ASP is encoded, so that nobody can read what it does"
    author = "Online Sentry developers"
    license = "Apache-2.0"
  strings:
    $encoded = /#@~\^[A-Za-z0-9+\/]{6}==/
  condition:
    is_asp and $encoded
}
