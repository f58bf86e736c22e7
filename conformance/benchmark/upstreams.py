"""nginx as an upstream that wants a token, plain and over TLS, as the tuned proxy in front of it, and as an
upstream that answers at once what another one has answered before."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import trustme

from conformance.benchmark.processes import free_port, stopped, wait_for

TOKEN = "Bearer benchmark"
FILE = "product.zip"
SCHEMES = {"plain": "http", "tls": "https"}
TEMPLATE = Template((Path(__file__).parent / "downloads.nginx.conf").read_text())

UPSTREAM = """
    server {{
        listen 127.0.0.1:{port}{tls};
        root {folder}/files;
        if ($http_authorization != "{token}") {{ return 401; }}
    }}
"""
CERTIFICATE = """
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
"""
PROXY = """
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_set_header Host localhost;
            proxy_set_header Connection "";
            proxy_set_header Authorization "{token}";
            proxy_ssl_trusted_certificate {folder}/authority.pem;
            proxy_ssl_verify on;
            proxy_ssl_name localhost;
            proxy_ssl_server_name on;
            proxy_max_temp_file_size 0;
            proxy_buffers 8 64k;
            proxy_busy_buffers_size 128k;
        }}
    }}
"""
KEEPER = """
    proxy_cache_path {folder}/kept keys_zone=kept:1m;
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location / {{
            proxy_pass {upstream};
            proxy_cache kept;
            proxy_cache_valid 200 1h;
        }}
    }}
"""
FRONT = Path(__file__).parents[2] / "docker" / "nginx" / "stacbridge.conf.template"
"""nginx in front of a bridge, moving the bytes itself (`X-Accel-Redirect`), as operators run it."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Ports of the upstream and of the proxy, by what the upstream speaks, and the proxy's process id.

    The proxy is also `front` of a bridge that hands it its downloads, which it looks for at `behind`.
    """

    upstreams: dict[str, int]
    proxies: dict[str, int]
    front: int
    behind: int
    pid: int


@contextmanager
def nginx(folder: Path, size: int) -> Iterator[Servers]:
    """Run the upstream with a file of `size` bytes, and the proxies."""
    prepare(folder, size)
    upstream_ports = {wire: free_port() for wire in SCHEMES}
    proxy_ports = {wire: free_port() for wire in SCHEMES}
    upstream, proxies = CERTIFICATE.format(folder=folder), ""
    for wire, scheme in SCHEMES.items():
        port, tls = upstream_ports[wire], " ssl" if wire == "tls" else ""
        upstream += UPSTREAM.format(port=port, tls=tls, folder=folder, token=TOKEN)
        origin = f"{scheme}://localhost:{port}"
        proxies += PROXY.format(port=proxy_ports[wire], upstream=origin, folder=folder, token=TOKEN)
    front, behind = free_port(), free_port()
    proxies += accelerated(folder, front, behind)
    with run(folder, "upstream", upstream), run(folder, "proxy", proxies) as proxy:
        for port in (*upstream_ports.values(), *proxy_ports.values(), front):
            wait_for(port)
        yield Servers(upstream_ports, proxy_ports, front, behind, proxy.pid)


@contextmanager
def keeping(folder: Path, upstream: str) -> Iterator[str]:
    """Run a server that asks the origin `upstream` for each URL once, and keeps its answers.

    Yields its origin.
    """
    port = free_port()
    servers = KEEPER.format(folder=folder, port=port, upstream=upstream)
    with run(folder, "keeper", servers):
        wait_for(port)
        yield f"http://127.0.0.1:{port}"


def accelerated(folder: Path, front: int, behind: int) -> str:
    """Return the template's server: at the port `front`, before the bridge at `behind`.

    Its resolver is never asked: nginx knows the upstreams' names from the other servers.
    """
    names = {
        "LISTEN": f"127.0.0.1:{front}",
        "BRIDGE": f"127.0.0.1:{behind}",
        "RESOLVER": "127.0.0.1",
        "CONNECTIONS": "64",
        "VERIFY": "on",
        "AUTHORITIES": f"{folder}/authority.pem",
    }
    server = FRONT.read_text()
    for name, value in names.items():
        server = server.replace(f"${{{name}}}", value)
    return server


@contextmanager
def run(folder: Path, role: str, servers: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one nginx with `servers`."""
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        raise SystemExit(
            "This benchmark measures against nginx, which is not installed (Debian: nginx-light)."
        )
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / f"{role}.conf"
    config.write_text(TEMPLATE.substitute(folder=folder, role=role, user=user, servers=servers))
    with stopped(
        subprocess.Popen([binary, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)
    ) as server:
        yield server


def prepare(folder: Path, size: int) -> None:
    """Write the file (sparse: the page cache serves it either way) and a certificate for localhost."""
    (folder / "files").mkdir()
    with (folder / "files" / FILE).open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(size)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(folder / "server.pem")
    )
