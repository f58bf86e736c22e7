"""One stream over TLS, beside what a process of Python can do at best: `… -m conformance.benchmark.loop`.

The loop deciphers records and sends them on, in one thread that waits for nothing else: no URLs, no tokens,
no slots, no second client. It takes records as the bridge does (`download/records.py`), so what the bridge
lacks of it is the bridge's own; what it lacks of nginx is Python's.
"""

import argparse
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from conformance.benchmark.downloads import MEGABYTE, Cell, Target, bridge, measure
from conformance.benchmark.processes import free_port, stopped, wait_for
from conformance.benchmark.upstreams import FILE, SCHEMES, TOKEN, nginx
from stacbridge.download import records
from stacbridge.download.pieces import PIECE
from stacbridge.settings import Settings


def serve(port: int, upstream: int, authority: str) -> None:
    """Send on what the upstream answers, to one client after another."""
    context = ssl.create_default_context(cafile=authority)
    buffer = memoryview(bytearray(PIECE))
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            client, _ = listening.accept()
            with client:
                if asked := client.recv(PIECE):
                    pass_on(asked, client, context, upstream, buffer)


def pass_on(
    asked: bytes, client: socket.socket, context: ssl.SSLContext, upstream: int, buffer: memoryview
) -> None:
    """Ask the upstream with its token, and send its answer to the client."""
    with socket.create_connection(("localhost", upstream)) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, Settings().receive_buffer)
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(asked.replace(b"\r\n", f"\r\nAuthorization: {TOKEN}\r\n".encode(), 1))
            read, end = records.reading(connection), None
            while end is None:
                count, end = records.fill(read, buffer)
                client.sendall(buffer[:count])


def main() -> None:
    """Measure nginx, the bridge and the loop in turn, and print their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB for each measurement")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    size = options.size * 1024 * 1024
    with tempfile.TemporaryDirectory() as name, nginx(Path(name), size) as servers:
        authority = f"{name}/authority.pem"
        environment = os.environ | {"SSL_CERT_FILE": authority}
        origins = [f"{scheme}://localhost:{servers.upstreams[wire]}" for wire, scheme in SCHEMES.items()]
        upstream, port = servers.upstreams["tls"], free_port()
        code = f"from conformance.benchmark.loop import serve; serve({port}, {upstream}, {authority!r})"
        with (
            bridge(free_port(), origins, environment) as (pid, bridged),
            stopped(subprocess.Popen([sys.executable, "-c", code])) as looping,
        ):
            wait_for(port)
            path = f"/assets/{{wire}}/c/i/a/{FILE}"
            targets = {
                "nginx": Target((servers.pid,), servers.proxies, f"/{FILE}"),
                "bridge": Target((pid,), {"tls": bridged}, path),
                "loop": Target((looping.pid,), {"tls": port}, f"/{FILE}"),
            }
            cells = {target: Cell(target, "tls", 1) for target in targets}
            found = measure(targets, list(cells.values()), size, options.rounds)
    print("one stream over TLS    MB/s  of nginx  CPU s/GB")
    peer = median(one.rate for one in found[cells["nginx"]])
    for target, cell in cells.items():
        rounds = found[cell]
        rate, cpu = median(one.rate for one in rounds), median(one.cpu for one in rounds)
        print(f"{target:20} {rate / MEGABYTE:6.0f} {rate / peer:9.2f} {cpu:9.2f}")


if __name__ == "__main__":
    main()
