"""PHP's functions and variables by what they mean to a judge: one table each."""

from collections.abc import Mapping

REQUEST_VARIABLES = frozenset(
    {
        b"_GET",
        b"_POST",
        b"_REQUEST",
        b"_COOKIE",
        b"_FILES",
        b"HTTP_POST_VARS",
        b"HTTP_GET_VARS",
        b"HTTP_COOKIE_VARS",
        b"HTTP_POST_FILES",
        b"HTTP_RAW_POST_DATA",
    }
)
"""What a visitor sends."""

SERVER_VARIABLES = frozenset({b"_SERVER", b"_ENV", b"HTTP_SERVER_VARS"})
SENT_SERVER_KEYS = frozenset({b"QUERY_STRING", b"REQUEST_URI", b"PHP_AUTH_USER", b"PHP_AUTH_PW", b"PATH_INFO"})
"""Keys of `$_SERVER` that a visitor decides, beside all that begin with `HTTP_`."""

REQUEST_FUNCTIONS = frozenset(
    {
        b"getallheaders",
        b"apache_request_headers",
        b"filter_input",
        b"filter_input_array",
        b"get_defined_vars",
        b"session_id",
        b"exif_read_data",
        b"read_exif_data",
        b"iptcparse",
    }
)
"""What a visitor sends, be it inside of a picture."""

STORED_FUNCTIONS = frozenset(
    b"get_option get_site_option get_transient get_theme_mod get_post_meta get_user_meta variable_get".split()
)
"""What was put into the site's database, by whoever may or may have got in."""

REMOTE_FUNCTIONS = frozenset(
    {b"curl_exec", b"wp_remote_get", b"wp_remote_retrieve_body", b"wp_remote_post", b"fsockopen", b"pfsockopen"}
)
READERS = frozenset(
    {b"file_get_contents", b"file", b"fopen", b"readfile", b"stream_get_contents", b"fread", b"fgets"}
)
"""Read what their first argument names; those that take a handle carry on what the handle is."""

HANDLE_READERS = frozenset({b"stream_get_contents", b"fread", b"fgets", b"fopen"})

CODE = frozenset({b"eval", b"assert", b"create_function"})
COMMANDS = frozenset({b"system", b"exec", b"passthru", b"shell_exec", b"popen", b"proc_open", b"pcntl_exec"})

CALLBACKS: Mapping[bytes, int] = {
    b"call_user_func": 0,
    b"call_user_func_array": 0,
    b"forward_static_call": 0,
    b"forward_static_call_array": 0,
    b"array_map": 0,
    b"array_filter": 1,
    b"array_walk": 1,
    b"array_walk_recursive": 1,
    b"array_reduce": 1,
    b"array_diff_ukey": -1,
    b"array_udiff": -1,
    b"array_intersect_ukey": -1,
    b"array_uintersect": -1,
    b"array_diff_uassoc": -1,
    b"usort": 1,
    b"uasort": 1,
    b"uksort": 1,
    b"iterator_apply": 1,
    b"preg_replace_callback": 1,
    b"register_shutdown_function": 0,
    b"register_tick_function": 0,
    b"header_register_callback": 0,
    b"ob_start": 0,
    b"set_error_handler": 0,
    b"spl_autoload_register": 0,
    b"filter_var": 2,
}
"""Function → which argument it calls; -1 is the last."""

PATTERN_FUNCTIONS = frozenset({b"preg_replace", b"preg_filter", b"mb_ereg_replace", b"mb_eregi_replace"})
ADDRESSES = frozenset({b"fsockopen", b"pfsockopen", b"stream_socket_client"})
LOGINS = frozenset({b"wp_set_auth_cookie", b"wp_set_current_user"})
NEW_USERS = frozenset({b"wp_insert_user", b"wp_create_user"})
WRITERS = frozenset({b"file_put_contents", b"fwrite", b"fputs"})
EXTRACTORS = frozenset({b"extract", b"parse_str", b"import_request_variables", b"mb_parse_str"})
"""Make variables of what they are given."""

DECODERS = frozenset(
    {
        b"base64_decode",
        b"gzinflate",
        b"gzuncompress",
        b"gzdecode",
        b"str_rot13",
        b"strrev",
        b"hex2bin",
        b"convert_uudecode",
        b"pack",
        b"urldecode",
        b"rawurldecode",
    }
)
ASSEMBLERS = DECODERS | {
    b"chr",
    b"implode",
    b"join",
    b"substr",
    b"str_replace",
    b"strtr",
    b"preg_replace",
    b"sprintf",
}
"""What comes out of these cannot be found by searching for it."""

DANGEROUS = (
    CODE
    | COMMANDS
    | PATTERN_FUNCTIONS
    | {
        b"base64_decode",
        b"gzinflate",
        b"gzuncompress",
        b"str_rot13",
        b"strrev",
        b"file_put_contents",
        b"fwrite",
        b"move_uploaded_file",
        b"call_user_func",
        b"call_user_func_array",
        b"include",
        b"phpinfo",
        b"curl_exec",
        b"array_map",
    }
)
"""Functions that nobody with a good conscience calls by a name that was put together."""

HARMLESS = frozenset(
    b"""intval floatval absint boolval md5 sha1 crc32 hash crypt strlen count sizeof in_array array_key_exists
    array_search isset empty is_array is_string is_numeric is_int is_callable is_file is_dir is_readable
    function_exists method_exists class_exists defined file_exists filesize filemtime htmlspecialchars
    htmlentities escapeshellarg escapeshellcmd json_encode preg_match preg_match_all strpos stripos strrpos
    strcmp strcasecmp strncmp strstr number_format date time mktime strtotime round floor ceil esc_html esc_attr
    esc_url esc_sql sanitize_key sanitize_text_field sanitize_file_name wp_verify_nonce check_admin_referer
    current_user_can password_verify hash_equals mysql_query mysqli_query ctype_digit ctype_alnum""".split()
)
"""What comes out of these is no longer a visitor's text, or never was one."""

OWN_NAME = b"__FILE__"
"""The file itself, of which scripts read the end of their own source."""

NUMBER_CASTS = frozenset({b"int", b"integer", b"float", b"double", b"bool", b"boolean"})
"""Casts after which nothing of a text is left."""

INI_KEYS = frozenset(
    {b"auto_prepend_file", b"auto_append_file", b"allow_url_include", b"disable_functions", b"open_basedir"}
)
"""Settings that a page has no reason to change for itself."""
