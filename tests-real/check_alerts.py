#!/usr/bin/env python3
"""Alert rules and dashboard, judged by promtool and a Prometheus that scrapes a real Hydrant: the
rules are well-formed and pass their tests, every query of the dashboard parses and gets an answer,
every rule evaluates, and the alert for a destination that is down is raised.

With --peers-only promtool alone judges.
"""
import json
import re
import subprocess
import urllib.parse
import urllib.request

import deliveries
import peers

PACKAGING = peers.HERE.parent / "packaging"
RULES = PACKAGING / "prometheus" / "hydrant.rules.yml"
TESTS = PACKAGING / "prometheus" / "hydrant.rules.test.yml"
DASHBOARD = PACKAGING / "grafana" / "hydrant.json"
PROMTOOL = peers.TOOLS / "prometheus" / "promtool"
PROMETHEUS = peers.TOOLS / "prometheus" / "prometheus"


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"FAILED: promtool {' '.join(map(str, arguments))}\n"
                         f"{done.stdout}{done.stderr}")


def expressions():
    """Every query of the dashboard with its panel, its variables as Grafana fills them for All."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], re.sub(r"\$(instance|source|stream)\b", ".*", text)


def judge_files(folder):
    promtool("check", "rules", RULES)
    promtool("test", "rules", TESTS)
    found = list(expressions())
    queries = folder / "queries.yml"
    rules = [{"record": f"q{n}", "expr": expr} for n, (_, expr) in enumerate(found)]
    queries.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", queries)
    print(f"ok: promtool takes the rules, their tests, and {len(found)} queries of the dashboard")


def api(base, path, **parameters):
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{base}/api/v1/{path}?{query}", timeout=10) as answer:
        return json.load(answer)["data"]


def prometheus(run, admin):
    port = peers.free_port()
    config = run.path / "scrape.yml"
    config.write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "hydrant", "static_configs": [
            {"targets": [admin.removeprefix("http://")]}]}]}))
    run.start("prometheus", [PROMETHEUS, f"--config.file={config}",
                             f"--storage.tsdb.path={run.path / 'tsdb'}",
                             f"--web.listen-address=127.0.0.1:{port}"])
    base = f"http://127.0.0.1:{port}"
    peers.wait_until("prometheus is ready", lambda: peers.get(f"{base}/-/ready"))
    return base


def all_rules(base):
    return [rule for group in api(base, "rules")["groups"] for rule in group["rules"]]


def sick(base):
    """Rules that do not evaluate, or not yet."""
    return [rule["name"] for rule in all_rules(base) if rule["health"] != "ok"]


def silent(base):
    """Queries of the dashboard without an answer, but for those that only sources of other kinds, or
    refusals, have."""
    seldom = {"Certificate", "Objects", "Oldest message at work", "Closed minutes that wait",
              "Filtered", "Quarantined"}
    return [f"{title}: {expr}" for title, expr in expressions()
            if title not in seldom and "rejected" not in expr
            and "backup_pending" not in expr and not api(base, "query", query=expr)["result"]]


def judge_running(run, binary):
    source = peers.free_port()
    sources = {"aws": {"type": "firehose", "listen": f"127.0.0.1:{source}",
                       "access_keys": [deliveries.KEY]}}
    away = f"http://127.0.0.1:{peers.free_port()}"
    streams = {"away": {"source": "aws", "destination": {"type": "otlp", "endpoint": away}},
               "nowhere": {"source": "aws", "destination": {"type": "blackhole"}}}
    _, admin, _ = run.hydrant_with(binary, sources, streams)
    simulate = [binary, "simulate", "--to", f"http://127.0.0.1:{source}", "--access-key",
                deliveries.KEY, "--rate", "500", "--for", "5s", "--delivery-size", "64KiB"]
    subprocess.run(simulate, check=True, capture_output=True)
    base = prometheus(run, admin)

    def outage():
        alerts = api(base, "alerts")["alerts"]
        return [a for a in alerts if a["labels"]["alertname"] == "HydrantStreamOutage"
                and a["labels"]["stream"] == "away"]

    peers.wait_until("the alert for the destination that is down", outage)
    # A rule is evaluated, and a rate has its two scrapes, within seconds.
    peers.wait_until("the rules evaluate", lambda: not sick(base))
    rules = all_rules(base)
    if len(rules) < 15:
        raise SystemExit(f"FAILED: {len(rules)} rules")
    try:
        peers.wait_until("the dashboard has its answers", lambda: not silent(base))
    except SystemExit as late:
        raise SystemExit(f"{late}; queries without an answer:\n" + "\n".join(silent(base)))
    print(f"ok: {len(rules)} rules evaluate, the outage is seen, the dashboard has its answers")


def main():
    binary = peers.binary_from_arguments("check_alerts.py")
    peers.need(PROMTOOL, "setup.sh")
    peers.need(PROMETHEUS, "setup.sh")
    with peers.Running() as run:
        judge_files(run.path)
        if binary is not None:
            judge_running(run, binary)


if __name__ == "__main__":
    main()
