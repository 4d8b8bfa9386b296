"""docs/benchmarks.md, from what was found."""

import platform
import re
import subprocess
from pathlib import Path

from . import install, prose, tables
from .places import ROOT

SECTIONS = [
    ("otlp", "1. Firehose deliveries, OTel 1.0 in gzip, to OTLP over HTTP in gzip", tables.relay),
    ("remote-write", "2. Firehose deliveries, OTel 1.0 in gzip, to Prometheus remote write", tables.relay),
    ("dynatrace", "3. Firehose deliveries, JSON in gzip, to Dynatrace lines", tables.relay),
    ("throughput", "4. How much passes through Hydrant", tables.throughput),
    ("formats", "5. Which of AWS's three formats a peer understands", tables.formats),
    ("kill", "6. Killed with the destination down", tables.kill),
    ("power-cut", "7. The power cut", tables.power_cut),
    ("outage", "8. An outage of the destination", tables.outage),
    ("conform", "9. What the protocol demands, and what each receiver does", tables.conform),
]


def write(results, hydrant):
    """The page; what was not measured on this machine stays as the page has it."""
    path = ROOT / "docs" / "benchmarks.md"
    stood = sections(path.read_text()) if path.exists() else {}
    out = [prose.HEAD, machine(hydrant), prose.HOW]
    out.append("## The goals\n\n" + tables.goals(results, stood.get("The goals", "")) + prose.LOADED)
    for row, title, table in SECTIONS:
        out.append(f"## {title}\n")
        if row in results and results[row]["found"]:
            out.append(section(row, results[row], table))
        else:
            out.append(stood.get(title) or prose.NOT_RUN.get(row, "Not run yet.") + "\n")
    out.append(prose.CAVEATS)
    path.write_text("\n".join(out).replace("\n\n\n", "\n\n"))
    install.say(f"wrote {path.relative_to(ROOT)}")


def sections(page):
    """What stands under each heading."""
    parts = (part.partition("\n") for part in re.split(r"^## ", page, flags=re.M)[1:])
    return {title: text.strip("\n") + "\n" for title, _, text in parts}


def section(row, result, table):
    words = [table(result), prose.NOTES.get(row, ""), *(ran(result, run) for run in result["runs"])]
    return "\n".join(part for part in words if part)


def ran(result, run):
    """When and how a row was measured; of a part of its peers, which."""
    if len(result["runs"]) == 1:
        titles = "Run"
    else:
        titles = "; ".join(tables.titled(peer, result["found"][peer]) for peer in run["peers"]) + ": run"
    return (
        f"{titles} {run['when']} at commit {run['commit']}, {run['seconds'] / 60:.0f} min; load average of the machine "
        f"{run['load_before']:.1f} before and {run['load_after']:.1f} after, this run included.\n"
    )


def commit():
    return said(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"])


def machine(hydrant):
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    flags = "with" if "avx512" in Path("/proc/cpuinfo").read_text() else "without"
    cores = subprocess.check_output(["nproc"], text=True).strip()
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    gib = int(memory.group(1)) / 1024 / 1024
    rows = [
        ("machine", f"{cpu}, {cores} virtual cores ({flags} AVX-512), {gib:.0f} GiB, {platform.system()} {platform.release()}"),
        ("Hydrant", f"{said([hydrant, '--version'])}, `cargo build --release`; its commit is told under each table"),
        ("OpenTelemetry Collector", f"core and contrib {install.COLLECTOR}, with `awsfirehosereceiver` and the metric streams encoding; {said(['go', 'version'])}"),
        ("VictoriaMetrics, vmagent", f"{install.VICTORIA}, `go install`"),
        ("Telegraf", f"{install.TELEGRAF}, `go install`, build tags `{install.TELEGRAF_PLUGINS}`"),
        ("Python recipes", f"Python {platform.python_version()}, `peers/recipes/requirements.txt`"),
    ]
    lines = [f"| {name} | {text} |" for name, text in rows]
    return "| what | version |\n| --- | --- |\n" + "\n".join(lines) + "\n"


def said(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
