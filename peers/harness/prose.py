"""The words of docs/benchmarks.md around its tables."""

from . import install
from .relay import DELIVERY, FIXED_LOAD
from .safety import RATE

HEAD = """# Hydrant beside its peers

Written by `peers/run --write-docs` from what it measured; `peers/README.md` says how to repeat it. A
*metric* or *point* is one statistic set of one CloudWatch metric in one period. A ratio of 10 x means
that the peer took ten times the CPU of Hydrant in the same round.
"""

HOW = f"""## How it was measured

- Generator, what is measured, and sink share the machine. Deliveries are made before the clock starts
  ({DELIVERY:,} metrics each: 1 MiB of gzip in OTel 1.0, 0.75 in JSON; the same series in each, 20
  namespaces, 1 to 4 dimensions); the sender only puts a new request id before them. The sink counts and decodes no more than counting needs.
- Peers take turns within a round, each round begins with another one; every round starts a fresh
  process with an empty disk and warms it up with four deliveries. Tables show medians over rounds; the
  ratio is the median of the ratios within a round.
- CPU is what the kernel counted for the process, from the first delivery until all points had come: of a
  batch sent as fast as it is taken over four connections, and of the fixed load.
  Peak resident memory is `VmHWM`, file pages included.
- *Time to acknowledge* is at a fixed load of {FIXED_LOAD:,} metrics/s that every peer holds, counted from
  the moment a delivery was due.
- *Points with every dimension* are told in a run of their own: each delivery once, slowly; the sink
  looks for the value of every dimension of every point, under whatever name.
- Settings are each program's defaults but for what the row needs; `peers/harness/peers.py` holds them
  all. Exceptions: Telegraf's buffer is 2,000,000 instead of 10,000 and it flushes each second, since
  with its defaults it loses most of a delivery (see 3); vmagent is held to the Prometheus protocol; the
  Collector compresses at level 1, as Hydrant does.
"""

LOADED = """
The load average under each table says whether the machine was its own. On two cores, anything well above
2 before a row began means that other work ran beside it: CPU-seconds are then too high and rates too low,
by how much nobody knows. Peers took turns, so ratios should suffer less; a goal that is missed on such a
machine is neither met nor lost. Ratios too differ from hour to hour on a machine that others share: vmagent
took 13.6 times the CPU of Hydrant in one run and 11.6 times in the next, in which all were faster.
"""

NOTES = {
    "otlp": """Telegraf, vmagent and VictoriaMetrics are not here: the first takes JSON only (an OTel delivery
is answered 400, see 5), the others have no OTLP output. The recipe reads plain objects and sends plain
requests, so it is compared with the second Hydrant, whose deliveries are not compressed and which does not
compress what it sends; the Collector is compared with the first. The recipe also does without HTTP and base64
in front, and without S3; the second Hydrant does not.
""",
    "remote-write": """All make four series of a point. VictoriaMetrics does not send on, it stores: the sink
is its own disk, its share is that of the series it then knows, and its CPU includes the storing.
Telegraf takes no OTel delivery (see 5). The peers put
the dimensions into one label as JSON text; here that counts as there.
""",
    "dynatrace": """Telegraf does not compress what it sends to Dynatrace, hence the second Hydrant; what comes in
is gzip for both, and all ratios are beside the first. Telegraf makes four lines of a point where Hydrant
makes one. What it loses is the dimension `Region` of `AWS/CloudFront`: keys are put into lower case, and
the region of the account takes its place. The Collector, vmagent and VictoriaMetrics cannot send Dynatrace
lines (the Collector's exporter was removed in 2024). The recipe sends OTLP in JSON, not lines, is given
plain objects, and leaves the OAuth2 token out.
""",
    "formats": """Told by one delivery of each format, sent to the peer as it is set up for its row; the
percentages are of its points. The Collector's encoding takes the format that it is set to: JSON for the
delivery in JSON, OTel 1.0 for both others, since it knows no OTel 0.7. vmagent stands for VictoriaMetrics too: they share
the decoder.
""",
    "kill": f"""Destination down, ten seconds of load ({RATE:,} metrics/s in deliveries of 4,000), SIGKILL under
load, restart on the same disk, destination up. Lost is what was acknowledged and never came. Telegraf
with its buffer on disk acknowledges next to nothing at this load: a delivery takes it longer than its
own time to answer, so that hardly any of it counts.
""",
    "conform": """200 is what a receiver said; whether it kept the points is not in this table (see 5). Most
cases carry JSON lines: a receiver that takes OTel only refuses those for that reason alone, which
says nothing of the case itself, but is what a stream in JSON would meet. Hence the Collector twice: set to
OTel 1.0, as in its rows, and to JSON.
""",
    "power-cut": """The data is on an ext4 image that is mounted; under load, with the destination down, the process
is stopped for an instant and the image is copied, then each copy is mounted and the peer started on
it. What was written but not yet handed to the disk is not in the copy, as after a power cut. Milder
than one: what the kernel had written of its own accord is there. Counted is what was acknowledged
before the copy.
""",
    "outage": f"""{RATE:,} metrics/s all the time; a refused delivery is repeated each second under its id, as Firehose
repeats. *Seconds until all had come* counts from the moment the destination was up; the load goes on
for ten seconds more, so ten is the least there can be. It includes what was left of the peer's own pause
between attempts. The Collector makes a request of each record, and its queue holds 1,000 requests: when it is
full, the rest of a delivery is refused, and what was queued of it comes twice.
""",
}

NOT_RUN = {
    "conform": "This build of Hydrant had no `conform` command; `peers/run conform` adds the tables.",
}

CAVEATS = f"""## What a fair reader should know

- The harness is part of Hydrant's repository and was written by its authors. It is short; read it.
- The metrics are made up: their formats follow AWS, values and names do not. Real streams may be
  ordered differently; grouped metrics compress better and cost everybody less.
- All deliveries carry the same series. Stores and agents that index series cost more with more
  of them; their first sight is left out by the warm-up.
- Compression: Hydrant and the Collector write gzip at level 1, by different libraries; Telegraf does not
  compress for Dynatrace; remote write is Snappy; the Python recipes do not compress. The bytes out are in
  the tables. What comes in is gzip at level 6, as Firehose's seems to be, but for the recipes and the
  Hydrant that one of them is compared with.
- Two cores are shared by three processes. A peer that needs both cores competes with the generator and
  the sink; CPU-seconds are little moved by that, times to acknowledge are.
- Promises differ. Hydrant acknowledges after an fsync; the others, as set up here, after a queue in
  memory or a file that is not synced, but for Telegraf with its buffer on disk. The time to acknowledge contains that difference.
- No TLS on either side, nowhere. Everything is on loopback: no round trips, no proxy.
- `file_storage` can sync each write (`fsync: true`); its default, measured here, does not.
- The table of `conform` may come from another build of Hydrant than the rest: what a receiver answers does
  not hang on optimisation.
- The Collector is {install.COLLECTOR}: the newest release whose Firehose receiver the Go module proxy at hand served.
  Newer ones exist. By default this receiver closes the connection after each answer; the sender then opens another.
- A peer may have settings that suit this load better than its defaults.
"""
