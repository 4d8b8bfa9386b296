"""What the checks share: real peers as processes, servers of this process, Hydrant itself.

Everything listens on 127.0.0.1 and is stopped at the end.
"""
import gzip
import http.server
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import deliveries

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = pathlib.Path(os.environ.get("HYDRANT_TOOLS", HERE.parent / ".tools")).resolve()
PYTHON = TOOLS / "venv" / "bin" / "python"
# AWS's own variables: what the peers know, and what Hydrant's chain finds first.
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "rehearsal-secret",
       "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
UNAVAILABLE = 69  # exit code: something that is needed cannot be had


def enter_venv():
    """Starts the script again with the Python that has the reference libraries."""
    if not PYTHON.exists():
        print(f"{PYTHON} is not there; run {HERE.name}/setup.sh first", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    if pathlib.Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


NEXT_PORT = itertools.count(os.getpid() % 9_000)


def free_port():
    """A port that nobody listens on, each once, from below those that the system gives to connections:
    one of theirs could be taken again before a process binds it."""
    while True:
        port = 20_000 + next(NEXT_PORT) % 12_000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


# How long anything may take to start or to arrive; generous, since machines are shared.
WAIT_SECONDS = float(os.environ.get("PEERS_WAIT_SECONDS", "60"))


def wait_until(what, ready, seconds=WAIT_SECONDS):
    """Polls until `ready()` gives something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            result = ready()
        except (OSError, urllib.error.URLError):
            result = None
        if result:
            return result
        time.sleep(0.05)
    raise SystemExit(f"FAILED: {what}: not within {seconds:.0f} s")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read()


class WholeLines:
    """Standard output that several threads print to: a line stays in one piece."""

    def __init__(self, out):
        self.out, self.begun, self.lock = out, threading.local(), threading.Lock()

    def write(self, text):
        text = getattr(self.begun, "text", "") + text
        whole, newline, self.begun.text = text.rpartition("\n")
        with self.lock:
            self.out.write(whole + newline)
            self.out.flush()

    def flush(self):
        self.out.flush()


class Running:
    """Processes and servers of a check; stopped when it ends, however it ends."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hydrant-real-")
        self.path = pathlib.Path(self.folder.name)
        self.processes, self.servers, self.logs = [], [], {}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for server in self.servers:
            server.shutdown()
        if kind is not None:
            for name, log in self.logs.items():
                tail = log.read_text(errors="replace").splitlines()[-15:]
                print(f"--- {name}", *tail, sep="\n", file=sys.stderr)
        self.folder.cleanup()

    def start(self, name, command, env=None):
        log = self.path / f"{name}.log"
        self.logs[name] = log
        with log.open("wb") as out:
            process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out,
                                       cwd=self.path, env={**os.environ, **(env or {})})
        self.processes.append(process)
        return process

    def victoria_metrics(self, name):
        """A VictoriaMetrics; returns its base URL."""
        binary = TOOLS / "victoria-metrics" / "victoria-metrics"
        need(binary, "setup.sh")
        port = free_port()
        self.start(name, [binary, f"-httpListenAddr=127.0.0.1:{port}",
                          f"-storageDataPath={self.path / name}", "-retentionPeriod=100y"])
        base = f"http://127.0.0.1:{port}"
        wait_until(f"{name} starts", lambda: get(base + "/health"))
        return base

    def serve(self, answer):
        """An HTTP server in this process: `answer(path, headers, body)` gives (status, type, body)."""
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status, media, body = answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that is killed in the middle is part of the checks

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def otlp_sink(self):
        """An OTLP backend that keeps what opentelemetry-proto parsed; returns URL and requests."""
        from google.protobuf import json_format
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
        kept, lock = [], threading.Lock()

        def answer(path, headers, body):
            request = service.ExportMetricsServiceRequest()
            if path != "/v1/metrics":
                return 404, "text/plain", b"not found"
            try:
                if headers["Content-Type"].startswith("application/json"):
                    json_format.Parse(body, request)
                    empty, media = b"{}", "application/json"
                else:
                    request.ParseFromString(body)
                    empty, media = b"", "application/x-protobuf"
            except Exception as fault:  # noqa: BLE001: whatever it is, the sender must hear of it
                return 400, "text/plain", str(fault).encode()
            with lock:
                kept.append(request)
            return 200, media, empty

        return self.serve(answer), kept

    def collector(self, export_to):
        """A real OTLP receiver that passes on what it got; returns its URL and its name."""
        if (TOOLS / "otelc" / "otelc").exists():
            return self.otelc(export_to)[0], "OpenTelemetry Collector"
        return self.rotel(export_to)[0], "rotel"

    def otelc(self, export_to, ports=None, grpc=None, name="otelc"):
        """The OpenTelemetry Collector; returns its URLs of OTLP over HTTP and over gRPC, and its
        process. `grpc` goes into the settings of its gRPC receiver."""
        binary = TOOLS / "otelc" / "otelc"
        need(binary, "collector.sh")
        ports = ports or (free_port(), free_port())
        http, rpc = ({"endpoint": f"127.0.0.1:{port}"} for port in ports)
        protocols = {"http": http, "grpc": {**rpc, **(grpc or {})}}
        config = self.path / f"{name}.yaml"
        config.write_text(json.dumps({
            "receivers": {"otlp": {"protocols": protocols}},
            "exporters": {"otlp_http": {"endpoint": export_to, "compression": "none",
                                        "sending_queue": {"enabled": False}}},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"metrics": {"receivers": ["otlp"],
                                                  "exporters": ["otlp_http"]}}},
        }))
        process = self.start(name, [binary, "--config", f"file:{config}"])
        self.listening("OpenTelemetry Collector", *ports)
        return *(f"http://127.0.0.1:{port}" for port in ports), process

    def rotel(self, export_to):
        """Rotel; returns its URLs of OTLP over HTTP and over gRPC."""
        found = list((TOOLS / "venv").glob("lib/python3*/site-packages/rotel/rotel-agent"))
        need(found[0] if found else TOOLS / "venv" / "rotel-agent", "setup.sh")
        ports = (free_port(), free_port())
        self.start("rotel", [
            found[0], "start", "--otlp-http-endpoint", f"127.0.0.1:{ports[0]}",
            "--otlp-grpc-endpoint", f"127.0.0.1:{ports[1]}",
            "--otlp-exporter-endpoint", export_to, "--otlp-exporter-protocol", "http"])
        self.listening("rotel", *ports)
        return tuple(f"http://127.0.0.1:{port}" for port in ports)

    def listening(self, name, *ports):
        """Waits until all these ports are listened on."""
        def listens():
            for port in ports:
                socket.create_connection(("127.0.0.1", port), 1).close()
            return True

        wait_until(f"{name} starts", listens)

    def moto(self, name="moto"):
        """Moto, which answers for S3, SQS, SNS and STS; returns its URL."""
        server = TOOLS / "venv" / "bin" / "moto_server"
        need(server, "setup.sh")
        port = free_port()
        self.start(name, [server, "-H", "127.0.0.1", "-p", str(port)])
        base = f"http://127.0.0.1:{port}"
        wait_until("moto starts", lambda: get(base + "/moto-api/data.json"))
        return base

    def s3s(self, name="s3s", root=None):
        """A file-backed S3 that verifies signatures and checksums; returns URL and root."""
        binary = TOOLS / "s3s" / "bin" / "s3s-fs"
        need(binary, "setup.sh")
        root = root or self.path / f"{name}-root"
        root.mkdir(exist_ok=True)
        port = free_port()
        self.start(name, [binary, "--host", "127.0.0.1", "--port", str(port), "--access-key",
                          AWS["AWS_ACCESS_KEY_ID"], "--secret-key", AWS["AWS_SECRET_ACCESS_KEY"],
                          root])

        def listens():
            with socket.create_connection(("127.0.0.1", port), 1):
                return True

        wait_until("s3s-fs starts", listens)
        return f"http://127.0.0.1:{port}", root

    def client(self, service, endpoint, **more):
        """A client of boto3."""
        import boto3
        import botocore.config
        config = botocore.config.Config(s3={"addressing_style": "path"},
                                        retries={"max_attempts": 2})
        return boto3.client(service, endpoint_url=endpoint, region_name=AWS["AWS_REGION"],
                            aws_access_key_id=AWS["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=AWS["AWS_SECRET_ACCESS_KEY"],
                            config=config, **more)

    def hydrant_with(self, binary, sources, streams, data=None, **top):
        """Hydrant with these sources and streams; returns process, admin URL and data folder.
        Its credentials come from AWS's own variables."""
        admin = free_port()
        data = data or self.path / f"data-{admin}"
        settings = self.path / f"hydrant-{admin}.yaml"
        settings.write_text(json.dumps({
            "data_dir": str(data), "admin": {"listen": f"127.0.0.1:{admin}"},
            "sources": sources, "streams": streams, **top}, indent=1))
        process = self.start(f"hydrant-{admin}", [binary, "run", "-c", settings], env=AWS)

        def ready():
            if process.poll() is not None:
                raise SystemExit(f"FAILED: hydrant ended with exit code {process.returncode}")
            return get(f"http://127.0.0.1:{admin}/readyz")

        wait_until("hydrant is ready", ready)
        return process, f"http://127.0.0.1:{admin}", data

    def hydrant(self, binary, destination, **stream):
        """Hydrant with one Firehose source and one stream; returns the URL to deliver to."""
        source, admin = free_port(), free_port()
        settings = self.path / f"hydrant-{source}.yaml"
        # YAML takes JSON as it is.
        settings.write_text(json.dumps({
            "data_dir": str(self.path / f"data-{source}"),
            "admin": {"listen": f"127.0.0.1:{admin}"},
            "sources": {"aws": {"type": "firehose", "listen": f"127.0.0.1:{source}",
                                "access_keys": [deliveries.KEY]}},
            "streams": {"check": {"source": "aws", "destination": destination, **stream}},
        }, indent=1))
        process = self.start(f"hydrant-{source}", [binary, "run", "-c", settings])

        def ready():
            if process.poll() is not None:
                raise SystemExit(f"FAILED: hydrant ended with exit code {process.returncode}")
            return get(f"http://127.0.0.1:{admin}/readyz")

        wait_until("hydrant is ready", ready)
        return f"http://127.0.0.1:{source}/"


def need(path, script):
    if not pathlib.Path(path).exists():
        print(f"{path} is not there; {HERE.name}/{script} gets it", file=sys.stderr)
        sys.exit(UNAVAILABLE)


def binary_from_arguments(script):
    """The path of the built binary, or None when only the peers are tried (--peers-only)."""
    arguments = sys.argv[1:]
    if arguments == ["--peers-only"]:
        return None
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(f"usage: {script} PATH-OF-HYDRANT | --peers-only", file=sys.stderr)
        sys.exit(2)
    binary = pathlib.Path(arguments[0]).resolve()
    if not binary.exists():
        print(f"{binary} is not there; build it first: cargo build --release", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    return binary
