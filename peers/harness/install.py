"""Builds or installs every peer at a pinned version, by name, from its registry."""

import os
import re
import shutil
import subprocess
import sys
import venv

from .places import BIN, LOAD, PEERS, PYTHON, ROOT, TARGET

TELEGRAF = "v1.37.2"
TELEGRAF_PLUGINS = "custom,inputs.cloudwatch_metric_streams,outputs.dynatrace"
VICTORIA = "v1.151.0"
# As in collector/go.mod.
COLLECTOR = "v0.145.0"


def install(hydrant):
    """All of it; peers that are there already stay. Gives the path of the Hydrant to measure."""
    BIN.mkdir(parents=True, exist_ok=True)
    go_peers()
    collector()
    recipes()
    # Cargo knows whether it has changed; figures of an older one would be compared with new ones.
    say("building the load tool")
    cargo(PEERS / "load", "--target-dir", str(TARGET / "load"))
    if hydrant is None:
        say("building hydrant")
        cargo(ROOT, "-p", "hydrant")
        hydrant = ROOT / "target" / "release" / "hydrant"
    return hydrant


def go(arguments, **options):
    """One package at a time: a build of these is heavy enough."""
    # Build settings of the machine (GOFLAGS) are kept.
    flags = f"{os.environ.get('GOFLAGS', '')} -p=2 -buildvcs=false".strip()
    environment = os.environ | {"GOFLAGS": flags, "GOBIN": str(BIN)}
    return subprocess.run(["go", *arguments], env=environment, **options)


def go_peers():
    for name, package, tags in [
        ("telegraf", f"github.com/influxdata/telegraf/cmd/telegraf@{TELEGRAF}", TELEGRAF_PLUGINS),
        ("victoria-metrics", f"github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics@{VICTORIA}", ""),
        ("vmagent", f"github.com/VictoriaMetrics/VictoriaMetrics/app/vmagent@{VICTORIA}", ""),
    ]:
        if not (BIN / name).exists():
            say(f"building {package}")
            go(["install", "-trimpath", "-tags", tags, package], check=True)


def collector():
    if (BIN / "collector").exists():
        return
    say("building the OpenTelemetry Collector")
    work = TARGET / "collector"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(PEERS / "collector", work)
    # -mod=mod writes go.sum, which the checksum database vouches for.
    command = ["build", "-mod=mod", "-trimpath", "-o", str(BIN / "collector"), "."]
    done = go(command, cwd=work, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        unserved = sorted(set(re.findall(r"(\S+@v\S+): reading", done.stderr)))
        why = f"; the Go module proxy did not serve {' and '.join(unserved)}" if unserved else ""
        sys.exit(f"{done.stderr}peers: the OpenTelemetry Collector was not built{why}")


def recipes():
    if PYTHON.exists():
        return
    say("installing what the recipes need")
    venv.create(TARGET / "venv", with_pip=True)
    pinned = PEERS / "recipes" / "requirements.txt"
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", pinned], check=True)


def cargo(where, *arguments):
    subprocess.run(["cargo", "build", "--release", "--locked", *arguments], cwd=where, check=True)


def say(text):
    print(f"peers: {text}", flush=True)
