"""What becomes of acknowledged points when the destination is away and the peer falls."""

import json
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from . import load, peers
from .install import say
from .places import WORK
from .process import disk_mib

# Smaller deliveries here: more answers to lose.
DELIVERY = 4_000
RATE = 20_000
KILLED = [
    peers.HydrantOtlp,
    peers.HydrantRemoteWrite,
    peers.HydrantDynatrace,
    peers.Collector,
    peers.CollectorDurable,
    peers.Vmagent,
    peers.Telegraf,
    peers.TelegrafDisk,
]
CUT = [peers.HydrantOtlp, peers.CollectorDurable, peers.Vmagent]
# Those of a group are measured at the same time: three of Hydrant take less than one of the others.
OUTAGE = [
    [peers.HydrantOtlp, peers.HydrantRemoteWrite, peers.HydrantDynatrace],
    [peers.Collector],
    [peers.CollectorDurable],
    [peers.Vmagent],
    [peers.Telegraf],
]
# The names of all of them.
NAMES = sorted({cls.name for cls in [*KILLED, *CUT, *(cls for group in OUTAGE for cls in group)]})
IMAGE_MIB = 1024
# A peer that sends nothing for so long after its restart has nothing more to send.
QUIET = 12


class Ledger:
    """Acknowledged deliveries beside what a sink says arrived."""

    def __init__(self, peer, acks):
        self.peer, self.acks = peer, acks

    def compare(self, stats):
        """Missing and surplus, in points."""
        units, offset = self.peer.units, self.peer.offset
        arrived = {int(second) - offset: pair for second, pair in stats["by_second"].items()}
        wanted = sum(metrics for _second, metrics, _at in self.acks)
        missing = 0.0
        for second, metrics, _at in self.acks:
            distinct = arrived.get(second, (0, 0))[0]
            missing += max(0, metrics - distinct / units)
        repeated = sum(total - distinct for distinct, total in arrived.values()) / units
        return {"acknowledged": wanted, "missing": missing, "repeated": repeated}


def wanted(classes, options):
    """All, or those that were asked for."""
    return [cls for cls in classes if not options.only or cls.name in options.only]


def kill(options):
    """Destination down, ten seconds of load, SIGKILL, restart, destination up."""
    classes = wanted(KILLED, options)
    found = {cls.name: {"title": cls.title, "promise": cls.promise, "runs": []} for cls in classes}
    for number in range(options.times):
        for cls in classes:
            # The generator's instants are of the last minutes: new ones each time.
            pool = load.pool("safety", cls.formats[0], 60, DELIVERY)
            outcome = one_kill(cls, pool, options)
            say(f"kill, run {number + 1}: {cls.title}: {outcome}")
            found[cls.name]["runs"].append(outcome)
    return found


def one_kill(cls, pool, options):
    peer, work = cls(), peers.fresh(WORK / "kill")
    sink = load.Sink(work)
    acks = work / "acks.json"
    try:
        peer.start(work, sink, options.hydrant)
        sender = load.Sender(pool, peer, acks, connections=2, rate=RATE, **{"for": options.load_seconds + 1})
        time.sleep(options.load_seconds)
        peer.process.kill()
        sender.result()
        sink.up("exact")
        peer.start(work, sink, options.hydrant)
        ledger = Ledger(peer, json.loads(acks.read_text()))
        wanted = sum(ack[1] for ack in ledger.acks) * peer.units
        sink.settle(wanted, quiet=QUIET)
        # What comes twice comes now.
        time.sleep(1)
        return ledger.compare(sink.stats())
    finally:
        peer.process.kill()
        sink.down()


def power_cut(options):
    """Copies of a mounted disk image taken under load: what was not synced is not in them."""
    found = {}
    for cls in wanted(CUT, options):
        pool = load.pool("safety", cls.formats[0], 140, DELIVERY)
        work = peers.fresh(WORK / "cut")
        try:
            image, mounted = make_image(work)
        except subprocess.CalledProcessError as error:
            return {"impossible": f"{error.cmd[0]}: {error.stderr.decode().strip()}"}
        try:
            runs = cuts(cls, pool, (work, image, mounted), options)
        finally:
            subprocess.run(["umount", mounted], capture_output=True)
        found[cls.name] = {"title": cls.title, "promise": cls.promise, "runs": runs}
        lost = sum(run["missing"] for run in runs)
        say(f"power cut: {cls.title}: {len(runs)} copies, {lost:.0f} acknowledged points missing")
    return found


def make_image(work):
    image, mounted = work / "disk.img", work / "disk"
    mounted.mkdir()
    with open(image, "wb") as file:
        file.truncate(IMAGE_MIB * 1024 * 1024)
    run("mkfs.ext4", "-q", "-F", image)
    mount(image, mounted)
    return image, mounted


def run(*command):
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def mount(image, mounted):
    run("mount", "-o", "loop", image, mounted)


def cuts(cls, pool, place, options):
    """One load with many copies taken, then one restart from each copy."""
    work, image, mounted = place
    peer, sink = cls(), load.Sink(work)
    seconds = 20
    chance = random.Random(7)
    moments = sorted(chance.uniform(3, seconds - 1) for _ in range(options.snapshots))
    copies = []
    peer.start(mounted, sink, options.hydrant)
    try:
        sender = load.Sender(pool, peer, work / "acks.json", connections=2, rate=RATE, **{"for": seconds})
        begun = time.monotonic()
        for number, moment in enumerate(moments):
            time.sleep(max(0, begun + moment - time.monotonic()))
            # Stopped for the time of the copy, so that the copy is of one moment.
            peer.process.signal(signal.SIGSTOP)
            stopped = time.time()
            copy = work / f"copy-{number}.img"
            run("cp", "--sparse=always", image, copy)
            peer.process.signal(signal.SIGCONT)
            copies.append((copy, stopped))
        sender.result()
    finally:
        peer.process.kill()
    run("umount", mounted)
    acks = json.loads((work / "acks.json").read_text())
    outcomes = []
    for copy, stopped in copies:
        mount(copy, mounted)
        before = [ack for ack in acks if ack[2] <= stopped]
        outcomes.append(restarted(peer, sink, mounted, before, options))
        run("umount", mounted)
        copy.unlink()
    return outcomes


def restarted(peer, sink, mounted, acks, options):
    sink.up("exact")
    try:
        peer.start(mounted, sink, options.hydrant)
        ledger = Ledger(peer, acks)
        sink.settle(sum(ack[1] for ack in acks) * peer.units, quiet=QUIET)
        return ledger.compare(sink.stats())
    except RuntimeError as error:
        # It does not start from what the disk holds.
        say(f"{peer.title}: {str(error)[:300]}")
        return Ledger(peer, acks).compare({"by_second": {}}) | {"did_not_start": True}
    finally:
        peer.process.kill()
        sink.down()


def outage(options):
    """The destination is down for a while under load, then up."""
    found = {}
    seconds = options.outage_seconds + 10
    for group in filter(None, [wanted(group, options) for group in OUTAGE]):
        form = group[0].formats[0]
        pool = load.pool("outage", form, seconds * RATE // DELIVERY + 2, DELIVERY)
        with ThreadPoolExecutor() as threads:
            outcomes = threads.map(lambda cls: one_outage(cls, pool, seconds, options), group)
            for cls, outcome in zip(group, outcomes):
                say(f"outage: {cls.title}: {outcome}")
                found[cls.name] = {"title": cls.title, **outcome}
    return found


def one_outage(cls, pool, seconds, options):
    peer, work = cls(), peers.fresh(WORK / f"outage-{cls.name}")
    sink, acks = load.Sink(work), work / "acks.json"
    try:
        peer.start(work, sink, options.hydrant)
        sender = load.Sender(
            pool, peer, acks, connections=4, rate=RATE, retry=120, **{"for": seconds}
        )
        time.sleep(options.outage_seconds)
        disk = disk_mib(work / "data")
        memory = peer.process.memory().get("VmRSS")
        sink.up("exact")
        up = time.monotonic()
        told = sender.result()
        ledger = Ledger(peer, json.loads(acks.read_text()))
        # Backoffs of a minute and more are common.
        last = sink.settle(told["metrics"] * peer.units, quiet=75, limit=300)
        return ledger.compare(sink.stats()) | {
            "refused": told["refused"] + told["failed"],
            "memory_mib": memory,
            "peak_mib": peer.process.peak_mib,
            "anonymous_mib": peer.process.anonymous_mib,
            "disk_mib": disk,
            "caught_up_seconds": last - up,
        }
    finally:
        peer.process.kill()
        sink.down()
