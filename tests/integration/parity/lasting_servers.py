"""The servers that stand for the whole matrix: nginx with many faces, Python's http.server, aiohttp's."""

import asyncio
import http.server
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.authority import Authority, Identity, self_signed
from tests.integration.parity.row import HOST, Stage
from tests.integration.servers.loopback import LOOPBACK, answers, free_port
from tests.integration.servers.process import ServerProcess, require, wait_until

PAGE = (
    "<html><head><title>Panadería Núñez</title></head><body>"
    + "<p>Pan de molde y añadas</p>" * 100
    + "</body></html>"
)
BIG_HEADERS = " ".join(f"add_header X-Big-{number} '{'y' * 3000}';" for number in range(8))

TLS_SITES = ("tls", "tls-1.2", "tls-1.3", "tls-1.1", "sni", "client-certificate", "no-such-site")
BAD_CERTIFICATES = ("expired", "not-yet-valid", "wrong-host", "self-signed", "missing-intermediate", "unknown-root")


class ManyFacedNginx(ServerProcess):
    """nginx as it is set up on real sites: compressing, redirecting, refusing, failing."""

    name = "nginx"

    def __init__(self, folder: Path, ports: Mapping[str, int], hanging_port: int) -> None:
        super().__init__(folder)
        self._program = require("nginx", "nginx-light")
        self._ports = ports
        self._write(hanging_port)

    def command(self) -> Sequence[str]:
        return (self._program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr")

    def is_ready(self) -> bool:
        return answers(f"http://{LOOPBACK}:{self._ports['nginx']}/page.html")

    def _write(self, hanging_port: int) -> None:
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        (root / "page.html").write_text(PAGE)
        (root / "latin.html").write_bytes(PAGE.encode("latin-1"))
        (root / "empty.html").write_bytes(b"")
        (root / "slow.html").write_text(PAGE * 10)
        (self.folder / "users").write_text("ana:{PLAIN}s3cret-pw\n")
        temporary = " ".join(
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""  # a worker of another user could not read the folder
        (self.folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; {user} pid {self.folder}/nginx.pid; error_log stderr notice;\n"
            "events { worker_connections 512; }\n"
            f"http {{ {temporary} access_log off; types {{ text/html html; }} default_type text/html;\n"
            f"{self._plain(root, hanging_port)}\n{self._secured(root)}\n}}\n"
        )

    def _plain(self, root: Path, hanging_port: int) -> str:
        refused = free_port()
        statuses = "\n".join(f"location = /{status} {{ return {status}; }}" for status in STATUSES)
        moves = "\n".join(f"location = /moved-{status} {{ return {status} /page.html; }}" for status in MOVES)
        return f"""
server {{ listen {LOOPBACK}:{self._ports["nginx"]}; root {root}; absolute_redirect off; if_modified_since before;
  client_max_body_size 10; large_client_header_buffers 2 1k;
  location = / {{ index page.html; }}
  {statuses}
  {moves}
  location = /gzip {{ gzip on; gzip_min_length 1; try_files /page.html =404; }}
  location = /rewritten {{ sub_filter_once off; sub_filter molde centeno; try_files /page.html =404; }}
  location = /latin {{ charset iso-8859-1; try_files /latin.html =404; }}
  location = /cut-by-query {{ return 302 /page.html?token=1#top; }}
  location = /elsewhere {{ return 301 http://other.test:{self._ports["nginx"]}/page.html; }}
  location = /to-tls {{ return 301 https://{HOST}:{self._ports["tls"]}/page.html; }}
  location = /to-expired {{ return 301 https://{HOST}:{self._ports["expired"]}/; }}
  location = /chain {{ return 302 /chain-2; }} location = /chain-2 {{ return 307 chain-3; }}
  location = /chain-3 {{ return 308 ./page.html; }}
  location = /loop {{ return 302 /loop; }}
  location = /to-nowhere {{ return 302 /missing; }}
  location = /private {{ auth_basic "Pan"; auth_basic_user_file {self.folder}/users; try_files /page.html =404; }}
  location = /big-headers {{ {BIG_HEADERS} try_files /page.html =404; }}
  location = /hung-up {{ return 444; }}
  location = /slow {{ limit_rate 2k; try_files /slow.html =404; }}
  location = /bad-gateway {{ proxy_pass http://{LOOPBACK}:{refused}; }}
  location = /gateway-timeout {{ proxy_read_timeout 200ms; proxy_pass http://{LOOPBACK}:{hanging_port}; }}
  location = /hanging {{ proxy_pass http://{LOOPBACK}:{hanging_port}; }}
  location = /soft-404 {{ error_page 404 =200 /page.html; return 404; }}
  location = /own-error-page {{ error_page 503 /page.html; return 503; }}
  location = /agent {{ if ($http_user_agent = "") {{ return 403; }} return 200 "hi"; }}
  location = /who {{ return 200 $http_x_who; }}
}}"""

    def _secured(self, root: Path) -> str:
        def site(name: str, listening: str, *settings: str, server_name: str = "_", certificate: str = "") -> str:
            pem = self.folder / f"{certificate or name}.pem"
            return (
                f"server {{ listen {LOOPBACK}:{self._ports[listening]} ssl; server_name {server_name}; root {root}; "
                f"ssl_certificate {pem}; ssl_certificate_key {pem}; {' '.join(settings)} "
                f"location = / {{ index page.html; }} location = /to-plain {{ "
                f"return 302 http://{HOST}:{self._ports['nginx']}/page.html; }} }}"
            )

        clients = f"ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {self.folder}/ca.pem;"
        sites = [
            site("tls", "tls"),
            site("tls-1.2", "tls-1.2", "ssl_protocols TLSv1.2;", certificate="tls"),
            site("tls-1.3", "tls-1.3", "ssl_protocols TLSv1.3;", certificate="tls"),
            site("tls-1.1", "tls-1.1", "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;", certificate="tls"),
            site("sni-a", "sni", server_name="a.test"),
            site("sni-b", "sni", server_name="b.test"),
            site("client-certificate", "client-certificate", clients, certificate="tls"),
            f"server {{ listen {LOOPBACK}:{self._ports['no-such-site']} ssl; ssl_reject_handshake on; }}",
            *(site(name, name) for name in BAD_CERTIFICATES),
        ]
        return "\n".join(sites)


STATUSES = (204, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504)
MOVES = (301, 302, 303, 307, 308)


def issue(folder: Path, root: Authority, authority: Authority) -> dict[str, Identity]:
    """Writes the certificates of every TLS site into the folder and returns them by name."""
    stranger = Authority.root("Unknown Root").leaf(HOST)
    identities = {
        "tls": authority.leaf(HOST),
        "sni-a": authority.leaf("a.test"),
        "sni-b": authority.leaf("b.test"),
        "client": authority.leaf("client.test"),
        "expired": authority.leaf(HOST, days=(-30, -1)),
        "not-yet-valid": authority.leaf(HOST, days=(1, 30)),
        "wrong-host": authority.leaf("other.test"),
        "self-signed": self_signed(HOST),
        "missing-intermediate": authority.leaf(HOST),
        "unknown-root": stranger,
    }
    for name, identity in identities.items():
        identity.write(folder / f"{name}.pem", with_intermediates=name != "missing-intermediate")
    above: list[x509.Certificate] = [*authority.above, root.certificate]
    (folder / "ca.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in above))
    return identities


@contextmanager
def lasting_servers(folder: Path) -> Iterator[Stage]:
    """Runs them all; the root that probes trust lies in a file of its own."""
    root = Authority.root()
    authority = root.intermediate()
    identities = issue(folder, root, authority)
    names = ("nginx", *TLS_SITES, *BAD_CERTIFICATES)
    ports = {name: free_port() for name in names}
    with ExitStack() as running:
        ports["python"] = running.enter_context(_python(folder))
        ports["aiohttp"] = running.enter_context(_aiohttp())
        ports["hanging"] = running.enter_context(_hanging())
        running.enter_context(ManyFacedNginx(folder, ports, ports["hanging"]))
        yield Stage(folder, identities, root.write(folder / "root.pem"), ports)


@contextmanager
def _hanging() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as listener:  # the kernel takes connections; nobody ever answers
        yield listener.getsockname()[1]


@contextmanager
def _python(folder: Path) -> Iterator[int]:
    (folder / "python").mkdir()
    (folder / "python" / "index.html").write_text(PAGE)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=folder / "python")  # type: ignore[arg-type]  # what the server gives

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            """Keeps standard error clean."""

    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def _aiohttp() -> Iterator[int]:
    port = free_port()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(port, stop),), daemon=True)
    thread.start()
    wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/json"), "aiohttp's server to be ready")
    yield port
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


async def _serve(port: int, stop: asyncio.Event) -> None:
    application = web.Application()
    application.add_routes(
        [
            web.get("/json", _json),
            web.get("/stream", _stream),
            web.get("/deflate", _deflate),
            web.get("/cookies", _cookies),
            web.get("/cookies-back", _cookies_back),
            web.post("/form", _form),
            web.get("/broken", _broken),
        ]
    )
    runner = web.AppRunner(application, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    await stop.wait()
    await runner.cleanup()


async def _json(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    response.enable_compression()
    await response.prepare(request)
    for at in range(0, len(PAGE), 500):
        await response.write(PAGE[at : at + 500].encode())
    return response


async def _deflate(_request: web.Request) -> web.Response:
    response = web.Response(text=PAGE, content_type="text/html")
    response.enable_compression(web.ContentCoding.deflate)
    return response


async def _cookies(_request: web.Request) -> web.Response:
    response = web.Response(status=302, headers={"Location": "/cookies-back"})
    response.set_cookie("seen", "yes")
    return response


async def _cookies_back(request: web.Request) -> web.Response:
    return web.Response(text="welcome back" if request.cookies.get("seen") else "who are you?")


async def _form(request: web.Request) -> web.Response:
    return web.Response(text=f"{len(await request.read())} bytes")


async def _broken(_request: web.Request) -> web.Response:
    raise RuntimeError("as an application does now and then")
