#!/usr/bin/env bash
# Tests the checks themselves: with a stand-in that does its work they pass, with one that drops or
# alters a point, or sends one twice, they fail.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
failed=0

try() { # try WANTED FAULT CHECK
    local wanted=$1 fault=$2 check=$3 got=passes log
    log=$(mktemp)
    STANDIN_FAULT=$fault CHECK_FORMATS=opentelemetry1.0 \
        PEERS_WAIT_SECONDS=${PEERS_WAIT_SECONDS:-15} python3 "$here/$check" "$here/standin.py" >"$log" 2>&1 ||
        got=fails
    # A point too few is noticed by waiting for it in vain; otherwise that means a broken check.
    if [ "$fault" != drop ] && grep -q "^FAILED: .*\(not within\|ended\)" "$log"; then
        got="cannot run"
    fi
    if [ "$got" = "$wanted" ]; then
        echo "ok: $check $got with fault '${fault:-none}'"
    else
        echo "FAILED: $check $got with fault '${fault:-none}'"
        tail -5 "$log"
        failed=1
    fi
    rm -f "$log"
}

for check in check_otlp.py check_mint.py check_victoriametrics.py; do
    try passes "" "$check"
    for fault in drop alter; do try fails "$fault" "$check"; done
done
try fails repeat check_otlp.py
# No stand-in has the API of AWS: what judges its clients is fed directly.
python3 "$here/selftest_cloud.py" || failed=1
exit $failed
