#!/usr/bin/env python3
"""OTLP over gRPC, received by rotel (tonic) and by a real OpenTelemetry Collector (grpc-go), which
pass on what they got: every point, to the bit. The Collector is asked over HTTP too; it refuses
large messages, demands TLS, and is stopped in the middle.

With --peers-only the requests go over HTTP from here instead, to try the set-up.
"""
import datetime
import ipaddress
import urllib.request

import deliveries
import peers

GZIP, PLAIN = {"compression": "gzip"}, {"compression": "none"}
WAYS = [
    ("opentelemetry1.0", {**GZIP, "points": "summary"}),
    ("opentelemetry0.7", {**PLAIN, "points": "summary"}),
    ("json", {**GZIP, "points": "gauges"}),
]


def otlp(endpoint, way, **more):
    return {"type": "otlp", "protocol": "grpc", "endpoint": endpoint, **way, **more}


def send_from_here(url, sent):
    for at in range(0, len(sent), 100):
        body = deliveries.request_of(sent[at:at + 100]).SerializeToString()
        headers = {"Content-Type": "application/x-protobuf"}
        request = urllib.request.Request(url + "/v1/metrics", data=body, headers=headers)
        urllib.request.urlopen(request, timeout=30).read()


def start(running, binary, destination):
    """Hydrant behind a Firehose source; returns the URL to deliver to, and its admin URL."""
    port = peers.free_port()
    door = {"type": "firehose", "listen": f"127.0.0.1:{port}", "access_keys": [deliveries.KEY]}
    streams = {"check": {"source": "aws", "destination": destination}}
    _, admin, _ = running.hydrant_with(binary, {"aws": door}, streams)
    return f"http://127.0.0.1:{port}/", admin


def delivered(admin, sent, what):
    """Hydrant has understood that all was taken, at the first attempt where nothing was wrong."""
    def count():
        text = peers.get(admin + "/metrics").decode()
        lines = [line for line in text.splitlines() if line.startswith("hydrant_stream_points_total")
                 and 'outcome="delivered"' in line]
        return sum(float(line.split()[-1]) for line in lines) == len(sent)

    peers.wait_until(f"{what}: Hydrant counts {len(sent)} points as delivered", count)


def arrived(requests, sent, what, repeats_allowed=False):
    def complete():
        sets, _ = deliveries.merged(requests)
        return len(sets) >= len(sent) and all(None not in v[:4] for v in sets.values())

    peers.wait_until(f"{what}: all arrives", complete)
    sets, repeats = deliveries.merged(requests)
    deliveries.same_points(sent, sets, what)
    if repeats and not repeats_allowed:
        raise SystemExit(f"FAILED: {what}: {repeats} values came twice")


def check_ways(binary, sent, receiver):
    """All forms through a receiver that is left alone."""
    for output_format, way in WAYS if binary else WAYS[:1]:
        with peers.Running() as running:
            backend, requests = running.otlp_sink()
            http, grpc = getattr(running, receiver)(backend)[:2]
            what = ", ".join([output_format, *way.values(), f"grpc through {receiver}"])
            if binary is None:
                send_from_here(http, sent)
            else:
                door, admin = start(running, binary, otlp(grpc, way))
                deliveries.deliver_all(door, sent, output_format)
            if binary:
                delivered(admin, sent, what)
            arrived(requests, sent, what)


def check_http(binary, sent):
    """The Collector over HTTP, in both encodings."""
    for protocol in ("http/protobuf", "http/json"):
        with peers.Running() as running:
            backend, requests = running.otlp_sink()
            url = running.otelc(backend)[0]
            door, admin = start(running, binary, otlp(url, GZIP, protocol=protocol))
            deliveries.deliver_all(door, sent)
            delivered(admin, sent, protocol)
            arrived(requests, sent, f"{protocol} through otelc")


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself; paths of it and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
              .public_key(key.public_key()).serial_number(x509.random_serial_number())
              .not_valid_before(now - datetime.timedelta(days=1))
              .not_valid_after(now + datetime.timedelta(days=1))
              .add_extension(x509.SubjectAlternativeName([address]), critical=False)
              .sign(key, hashes.SHA256()))
    cert_file, key_file = folder / "server.crt", folder / "server.key"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return str(cert_file), str(key_file)


def check_tls(binary, sent):
    """`host:port` is TLS, verified by ca_file."""
    with peers.Running() as running:
        backend, requests = running.otlp_sink()
        cert_file, key_file = certificate(running.path)
        tls = {"tls": {"cert_file": cert_file, "key_file": key_file}}
        place = running.otelc(backend, grpc=tls)[1].removeprefix("http://")
        door, admin = start(running, binary, otlp(place, GZIP, ca_file=cert_file))
        deliveries.deliver_all(door, sent)
        delivered(admin, sent, "grpc by TLS")
        arrived(requests, sent, "grpc by TLS through otelc")


def check_limit(binary):
    """A receiver whose messages have a megabyte at most: requests are split, nothing is lost."""
    sent = deliveries.points(seed=5, series=1800, percentiles=True)
    with peers.Running() as running:
        backend, requests = running.otlp_sink()
        grpc = running.otelc(backend, grpc={"max_recv_msg_size_mib": 1})[1]
        door, admin = start(running, binary, otlp(grpc, GZIP))
        deliveries.deliver_all(door, sent, deliveries=1)
        delivered(admin, sent, "grpc to a limit")
        arrived(requests, sent, "grpc to a limit of 1 MiB")
        log = running.logs[next(name for name in running.logs if name.startswith("hydrant"))]
        if "larger than max" not in log.read_text(errors="replace"):
            raise SystemExit("FAILED: no request was over the limit, so nothing was tried")
        print("ok: requests over the limit of the receiver were split")


def check_restart(binary, sent):
    """The receiver is stopped between deliveries and started again on the same port."""
    with peers.Running() as running:
        backend, requests = running.otlp_sink()
        ports = (peers.free_port(), peers.free_port())
        _, grpc, process = running.otelc(backend, ports)
        door, admin = start(running, binary, otlp(grpc, GZIP))
        half = len(sent) // 2
        deliveries.deliver_all(door, sent[:half])
        delivered(admin, sent[:half], "before the receiver stops")
        arrived(requests, sent[:half], "before the receiver stops")
        process.terminate()
        process.wait(20)
        deliveries.deliver_all(door, sent[half:])
        running.otelc(backend, ports, name="otelc-again")
        delivered(admin, sent, "grpc through a receiver that was away")
        arrived(requests, sent, "grpc through a receiver that was away", repeats_allowed=True)


def main():
    peers.enter_venv()
    binary = peers.binary_from_arguments("check_grpc.py")
    peers.need(peers.TOOLS / "otelc" / "otelc", "collector.sh")
    sent = deliveries.points(seed=4, percentiles=True)
    check_ways(binary, sent, "rotel")
    check_ways(binary, sent, "otelc")
    if binary:
        check_http(binary, sent)
        check_tls(binary, sent)
        check_limit(binary)
        check_restart(binary, sent)


main()
