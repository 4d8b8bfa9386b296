"""The peers: how each is started, where it takes deliveries, and what it makes of a point."""

import shutil

from .places import BIN, KEY
from .process import Process, free_port

OTLP, REMOTE_WRITE, DYNATRACE, STORED = "otlp", "remote write", "dynatrace", "stored"
# Path of each protocol at the sink.
PATHS = {OTLP: "/v1/metrics", REMOTE_WRITE: "/api/v1/write", DYNATRACE: "/api/v2/metrics/ingest"}


class Peer:
    """One peer in one arrangement. `units` is how many units of the protocol make a point."""

    name = ""
    title = ""
    to = OTLP
    units = 1
    # Added to the start of a point's period, in seconds, to get the instant it is sent on with.
    offset = 0
    path = "/"
    # Of the deliveries it gets.
    content_encoding = "gzip"
    formats = ("otel10",)
    # What a yes of it rests on, in a word.
    promise = ""

    def __init__(self):
        self.port = free_port()
        self.process = None

    def start(self, work, sink, hydrant):
        """Starts it on what an earlier start left in `work`."""
        (work / "data").mkdir(parents=True, exist_ok=True)
        command = self.command(work, sink, hydrant)
        self.process = Process(command, work / f"{self.name}.log", cwd=work)
        self.process.wait_for_port(self.port)

    def target(self, sink):
        return sink.url + PATHS[self.to]


class Hydrant(Peer):
    title = "Hydrant"
    formats = ("otel10", "otel07", "json")
    promise = "synced to disk"
    destination = ""

    def command(self, work, sink, hydrant):
        destination = self.destination.format(url=sink.url, target=self.target(sink))
        settings = work / f"{self.name}.yaml"
        settings.write_text(
            f"""data_dir: {work}/data
disk_budget: 4GiB
admin: {{ listen: "127.0.0.1:0" }}
sources:
  aws: {{ type: firehose, listen: "127.0.0.1:{self.port}", access_keys: [{KEY}] }}
streams:
  onward:
    source: aws
    destination: {destination}
"""
        )
        return [hydrant, "run", "-c", settings]


class HydrantOtlp(Hydrant):
    name = "hydrant-otlp"
    offset = 60
    destination = '{{ type: otlp, endpoint: "{url}", compression: gzip }}'


class HydrantOtlpPlain(HydrantOtlp):
    """As the recipe for OTel 1.0 works: nothing is compressed, neither what comes in nor what goes out."""

    name = "hydrant-otlp-plain"
    title = "Hydrant, not compressed"
    content_encoding = "none"
    destination = HydrantOtlp.destination.replace("gzip", "none")


class HydrantRemoteWrite(Hydrant):
    name = "hydrant-remote-write"
    to, units = REMOTE_WRITE, 4
    destination = (
        '{{ type: prometheus_remote_write, url: "{target}", naming: otel, metadata: false }}'
    )


class HydrantDynatrace(Hydrant):
    name = "hydrant-dynatrace"
    to = DYNATRACE
    destination = '{{ type: dynatrace, url: "{url}", api_token: dt0c01.A.B, metadata: false }}'


class HydrantDynatracePlain(HydrantDynatrace):
    name = "hydrant-dynatrace-plain"
    title = "Hydrant, not compressed"
    destination = HydrantDynatrace.destination.replace(" }}", ", compression: none }}")


class Collector(Peer):
    """Its own defaults, a queue in memory, but gzip at level 1 as Hydrant has."""

    name = "collector"
    title = "OpenTelemetry Collector"
    promise = "a queue in memory"
    offset = 60
    formats = ("otel10", "json")
    encoding = "opentelemetry1.0"
    exporter = """  otlp_http:
    metrics_endpoint: {target}
    compression: gzip
    compression_params: {{ level: 1 }}
"""
    storage = ""

    def command(self, work, sink, _hydrant):
        extensions = {"awscloudwatchmetricstreams_encoding": f"{{ format: {self.encoding} }}"}
        if self.storage:
            extensions["file_storage"] = f"{{ directory: {work}/data, create_directory: true }}"
        sections = "\n".join(f"  {name}: {options}" for name, options in extensions.items())
        exporter = self.exporter.format(target=self.target(sink)) + self.storage
        name = exporter.split(":")[0].strip()
        settings = work / f"{self.name}.yaml"
        settings.write_text(
            f"""receivers:
  awsfirehose:
    endpoint: 127.0.0.1:{self.port}
    access_key: {KEY}
    encoding: awscloudwatchmetricstreams_encoding
extensions:
{sections}
exporters:
{exporter}
service:
  extensions: [{", ".join(extensions)}]
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines:
    metrics:
      receivers: [awsfirehose]
      exporters: [{name}]
"""
        )
        return [BIN / "collector", "--config", settings]


class CollectorJson(Collector):
    """For a stream in JSON: the encoding takes the one format that it is set to."""

    name = "collector-json"
    title = "OpenTelemetry Collector, set to JSON"
    encoding = "json"


class CollectorDurable(Collector):
    name = "collector-file-storage"
    title = "OpenTelemetry Collector, file_storage"
    promise = "a file, not synced (its default)"
    storage = "    sending_queue: { storage: file_storage }\n"


class CollectorRemoteWrite(Collector):
    name = "collector-remote-write"
    to, units = REMOTE_WRITE, 4
    exporter = """  prometheusremotewrite:
    endpoint: {target}
    tls: {{ insecure: true }}
    resource_to_telemetry_conversion: {{ enabled: true }}
    target_info: {{ enabled: false }}
"""


class Vmagent(Peer):
    name = "vmagent"
    title = "vmagent"
    to, units, offset = REMOTE_WRITE, 4, 60
    path = "/opentelemetry/v1/metrics"
    promise = "a queue in memory, spilled to files"

    def command(self, work, sink, _hydrant):
        return [
            BIN / "vmagent",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-remoteWrite.url={self.target(sink)}",
            f"-remoteWrite.tmpDataPath={work}/data",
            "-remoteWrite.forcePromProto",
        ]


class VictoriaMetrics(Peer):
    name = "victoria-metrics"
    title = "VictoriaMetrics, single node"
    to, units, offset = STORED, 4, 60
    path = "/opentelemetry/v1/metrics"
    promise = "a buffer in memory, stored each few seconds"

    def command(self, work, _sink, _hydrant):
        return [
            BIN / "victoria-metrics",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={work}/data",
        ]


class Telegraf(Peer):
    name = "telegraf"
    title = "Telegraf"
    to, units = DYNATRACE, 4
    path = "/telegraf"
    formats = ("json",)
    promise = "a buffer in memory"
    agent = 'metric_buffer_limit = 2000000\n  flush_interval = "1s"'

    def command(self, work, sink, _hydrant):
        settings = work / f"{self.name}.toml"
        agent = self.agent.format(data=work / "data")
        settings.write_text(
            f"""[agent]
  omit_hostname = true
  {agent}
[[inputs.cloudwatch_metric_streams]]
  service_address = "127.0.0.1:{self.port}"
  access_key = "{KEY}"
[[outputs.dynatrace]]
  url = "{self.target(sink)}"
  api_token = "dt0c01.A.B"
"""
        )
        return [BIN / "telegraf", "--config", settings]


class TelegrafDefaults(Telegraf):
    name = "telegraf-defaults"
    title = "Telegraf, its defaults"
    promise = "a buffer of 10,000 in memory"
    agent = ""


class TelegrafDisk(Telegraf):
    name = "telegraf-disk"
    title = "Telegraf, buffer on disk"
    promise = "a log on disk, synced at every metric"
    agent = (
        'metric_buffer_limit = 2000000\n  flush_interval = "1s"\n'
        '  buffer_strategy = "disk"\n  buffer_directory = "{data}"'
    )


def fresh(directory):
    """An empty folder to work in."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
