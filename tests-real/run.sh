#!/usr/bin/env bash
# Runs every check against real peers: tests-real/run.sh PATH-OF-HYDRANT
# Gets what is needed first (setup.sh, collector.sh). WITHOUT_COLLECTOR=1 builds no collector: rotel
# stands in for it where it can, and check_grpc.py says that it is missing.
# Exit code: 0 when all pass, 1 when one fails, 69 when a peer is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: tests-real/run.sh PATH-OF-HYDRANT}
"$here/setup.sh"
result=0
if [ "${WITHOUT_COLLECTOR:-0}" != 1 ]; then "$here/collector.sh" || result=69; fi
for check in "$here"/check_*.py; do
    echo "== $(basename "$check")"
    status=0
    python3 "$check" "$binary" || status=$?
    case $status in
    0) ;;
    69) [ "$result" = 0 ] && result=69 ;;
    *) result=1 ;;
    esac
done
exit "$result"
