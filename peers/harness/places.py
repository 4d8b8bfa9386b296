"""Where things are. Everything that is built or measured goes under peers/target."""

from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent
ROOT = PEERS.parent
TARGET = PEERS / "target"
BIN = TARGET / "bin"
LOAD = TARGET / "load" / "release" / "load"
PYTHON = TARGET / "venv" / "bin" / "python"
POOLS = TARGET / "pools"
WORK = TARGET / "work"
RESULTS = TARGET / "results.json"
KEY = "peers-access-key"
