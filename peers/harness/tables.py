"""Tables of docs/benchmarks.md."""

from .load import quantile
from .relay import median

HYDRANT = {"otlp": "hydrant-otlp", "remote-write": "hydrant-remote-write", "dynatrace": "hydrant-dynatrace"}
NEVER = "–"
MEMORY, LOSS = "at most 150 MiB resident in every row", "acknowledged points lost: none"
WORST_OF = {MEMORY: [*HYDRANT, "outage", "throughput"], LOSS: ["kill", "power-cut"]}
VERDICTS = ("met", "**missed**")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def number(value, digits=1):
    return NEVER if value is None else f"{value:,.{digits}f}"


def times_over(value):
    return NEVER if value is None else f"{value:,.1f} x"


def titled(name, entry):
    """Hydrant is measured with several destinations."""
    to = name.removeprefix("hydrant-") if name.startswith("hydrant") else ""
    return entry["title"] + (f" ({to})" if to else "")


def of(rounds, key):
    return [one[key] for one in rounds if one.get(key) is not None]


def ratios(found, name, hydrant):
    """CPU beside Hydrant's of the same round."""
    pairs = zip(of(found[name]["rounds"], "cpu_per_million"), of(found[hydrant]["rounds"], "cpu_per_million"))
    return median([peer / own for peer, own in pairs])


def beside(found, name, own):
    """The Hydrant of the row that a peer is compared with, and its title where that is not `own`."""
    hydrant = found[name].get("beside", own)
    return hydrant, "" if hydrant == own else f" ({found[hydrant]['title']})"


def relay(result):
    found = result["found"]["peers"]
    hydrant = next(name for name in found if name in HYDRANT.values())
    rows = []
    for name, entry in found.items():
        other, which = beside(found, name, hydrant)
        rounds, fidelity = entry["rounds"], entry["fidelity"] or {}
        times = [time for one in rounds for time in one["times_ms"]]
        share = fidelity.get("share")
        rows.append(
            [
                entry["title"],
                number(median(of(rounds, "cpu_per_million")), 2),
                times_over(ratios(found, name, other)) + which,
                number(median(of(rounds, "paced_cpu_per_million")), 2),
                number(max(of(rounds, "peak_mib"), default=None), 0),
                number(quantile(times, 0.5) if times else None, 0),
                number(quantile(times, 0.99) if times else None, 0),
                len(times) or NEVER,
                NEVER if share is None else f"{share:.2%}",
                number(fidelity.get("wire_bytes_per_metric"), 0),
            ]
        )
    head = [
        "", "CPU-s per million metrics", "beside Hydrant", "the same at the fixed load", "peak resident MiB",
        "acknowledged, median ms", "99 % ms", "answers", "points with every dimension", "bytes out a metric",
    ]
    text = table(head, rows)
    lost = [short(entry) for entry in found.values()]
    return text + "".join(f"\n{line}\n" for line in lost if line)


def short(entry):
    """A peer that took points and did not send them on, or did not take them."""
    text = ""
    for one in entry["rounds"]:
        if one.get("arrived") is not None and one["arrived"] < one["acknowledged"] and entry["fidelity"].get("arrived"):
            missing = one["acknowledged"] - one["arrived"]
            text = f"{entry['title']}: of {one['acknowledged']:,} acknowledged metrics of a round, {missing:,.0f} never came."
        if one["not_taken"] and not text:
            text = f"{entry['title']}: {one['not_taken']} deliveries were refused or broken off."
    return text


def throughput(result):
    rows = []
    for name, rates in result["found"].items():
        best = max(rates, key=lambda rate: rate["delivered_per_second"])
        rows.append(
            [
                name,
                number(median(of(rates, "acknowledged_per_second")), 0),
                number(median(of(rates, "delivered_per_second")), 0),
                number(best["acknowledged_per_second"], 0),
                number(best["delivered_per_second"], 0),
                number(max(of(rates, "peak_mib")), 0),
            ]
        )
    head = ["", "acknowledged/s, median", "delivered/s, median", "acknowledged/s, best", "delivered/s, best", "peak resident MiB"]
    return table(head, rows)


def formats(result):
    rows = []
    for name, entry in result["found"].items():
        cells = []
        for form in ("otel10", "otel07", "json"):
            one = entry[form]
            if not one["taken"]:
                cells.append("refused")
            else:
                cells.append(f"taken; {one['arrived']:.0%} arrived, {one['intact']:.0%} with every dimension")
        rows.append([titled(name, entry), *cells])
    return table(["", "OTel 1.0", "OTel 0.7", "JSON"], rows)


def losses(result):
    rows = []
    for name, entry in result["found"].items():
        runs = entry["runs"]
        total = {key: sum(run[key] for run in runs) for key in ("acknowledged", "missing", "repeated")}
        share = total["missing"] / total["acknowledged"] if total["acknowledged"] else None
        hurt = sum(run["missing"] > 0 for run in runs)
        rows.append(
            [
                titled(name, entry),
                entry["promise"],
                len(runs),
                number(total["acknowledged"], 0),
                number(total["acknowledged"] - total["missing"], 0),
                number(total["missing"], 0),
                NEVER if share is None else f"{share:.1%}",
                hurt,
                number(total["repeated"], 0),
            ]
        )
    head = ["", "a yes means", "runs", "points acknowledged", "arrived", "lost", "share", "runs with a loss", "arrived twice"]
    return table(head, rows)


def kill(result):
    return losses(result)


def power_cut(result):
    if "impossible" in result["found"]:
        return f"Not possible on this machine: `{result['found']['impossible']}`. The row needs root and loop mounts.\n"
    return losses(result)


def outage(result):
    rows = []
    for name, entry in result["found"].items():
        rows.append(
            [
                titled(name, entry),
                number(entry["acknowledged"], 0),
                number(entry["missing"], 0),
                number(entry["repeated"], 0),
                entry["refused"],
                number(entry["memory_mib"], 0),
                number(entry["peak_mib"], 0),
                number(entry["disk_mib"], 0),
                number(entry["caught_up_seconds"], 0),
            ]
        )
    head = [
        "", "points acknowledged", "lost", "arrived twice", "deliveries refused for a time",
        "resident MiB at the end of it", "peak MiB", "disk MiB", "seconds until all had come",
    ]
    return table(head, rows)


def conform(result):
    """A row for each case, a column for each receiver: its answer and the verdict."""
    tried = result["found"].values()
    rows = []
    for cases in zip(*(entry["cases"] for entry in tried)):
        cells = [one["did"] if one["verdict"] == "ok" else f"{one['did']}: {bold(one['verdict'])}" for one in cases]
        rows.append([cases[0]["sends"], cases[0]["demands"], *cells])
    rows.append(["exit code of `hydrant conform`", "0", *(entry["code"] for entry in tried)])
    return table(["sent", "demanded", *(entry["title"] for entry in tried)], rows)


def bold(verdict):
    return f"**{verdict}**" if verdict in ("would lose data", "would stall", "takes anyone") else verdict


def goals(results, stood=""):
    """Each goal beside what was found: met or missed. `stood` is the table before: it tells of the rows
    that were not measured again, and keeps the order."""
    rows = {row[0]: row for row in map(cells, stood.splitlines()) if row and row[-1] in VERDICTS}
    for row in judgements(results):
        # Of what is the worst of several rows, what stood may tell of rows that were not measured again.
        whole = row[0] not in WORST_OF or all(name in results for name in WORST_OF[row[0]])
        rows[row[0]] = row if whole else max(row, rows.get(row[0], row), key=lambda one: float(one[1].replace(",", "")))
    return table(["goal", "found", ""], rows.values())


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []


def judgements(results):
    rows = []
    for row, limit in (("otlp", 1.3), ("dynatrace", 1.3)):
        if row not in results:
            continue
        found, own = results[row]["found"]["peers"], HYDRANT[row]
        rows.append(judged(f"{row}: at most 1.3 CPU-s per million metrics", median(of(found[own]["rounds"], "cpu_per_million")), "<=", limit, 2))
        for name, entry in found.items():
            other, which = beside(found, name, own)
            ratio = None if name.startswith("hydrant") else ratios(found, name, other)
            if ratio is not None:
                rows.append(judged(f"{row}: at most a tenth of {entry['title']}{which}", ratio, ">=", 10, 1))
    if "remote-write" in results:
        found, own = results["remote-write"]["found"]["peers"], HYDRANT["remote-write"]
        rows.append(judged("remote-write: at most a fifteenth of vmagent, four series each", ratios(found, "vmagent", own), ">=", 15, 1))
    peaks = [one["peak_mib"] for row in HYDRANT if row in results for name, entry in results[row]["found"]["peers"].items() if name.startswith("hydrant") for one in entry["rounds"]]
    if "outage" in results:
        peaks += [entry["peak_mib"] for name, entry in results["outage"]["found"].items() if name.startswith("hydrant")]
    if "throughput" in results:
        throughputs = results["throughput"]["found"]
        peaks += [rate["peak_mib"] for rates in throughputs.values() for rate in rates]
    if peaks:
        rows.append(judged(MEMORY, max(peaks), "<=", 150, 0))
    if "throughput" in results:
        best = max(median(of(rates, "delivered_per_second")) for rates in throughputs.values())
        rows.append(judged("more than 700,000 metrics/s, acknowledged after sync", best, ">=", 700_000, 0))
    lost = [
        sum(run["missing"] for run in entry["runs"])
        for row in ("kill", "power-cut") if row in results and "impossible" not in results[row]["found"]
        for name, entry in results[row]["found"].items() if name.startswith("hydrant")
    ]
    if lost:
        rows.append(judged(LOSS, sum(lost), "<=", 0, 0))
    return rows


def judged(goal, value, relation, limit, digits):
    met = value <= limit if relation == "<=" else value >= limit
    return [goal, number(value, digits), VERDICTS[not met]]
