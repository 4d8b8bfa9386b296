#!/usr/bin/env bash
# Puts the real peers that the tests talk to into .tools/ (HYDRANT_TOOLS says otherwise):
#   venv/              Python with the protobuf definitions of OpenTelemetry, Dynatrace's own metric
#                      utilities, boto3, the AWS CLI, moto (S3, SQS, STS), cramjam (Snappy), cfn-lint,
#                      parliament (policies), python-hcl2, rotel, an OTLP receiver, Helm's engine,
#                      Kubernetes' schemas, hadolint
#   s3s/               s3s-fs, an S3 that verifies signatures and checksums
#   victoria-metrics/  VictoriaMetrics, which receives Firehose deliveries, OTLP and remote write
#   prometheus/        Prometheus and promtool
#   cargo-lambda/      cargo-lambda, which emulates Lambda's runtime API
#   javascript/        the AWS SDK for JavaScript
#   rust-sdk/          a program of the AWS SDK for Rust
# Can be run again at any time; what is there already is kept. The reference collector is built by
# collector.sh, since that takes longer.
# Exit code: 0 when all is there, 69 when something could not be had (the rest is there then).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
missing=0

python_tools() {
    local stamp=$tools/venv/.installed
    if [ -f "$stamp" ] && cmp -s "$stamp" "$here/requirements.txt"; then
        say "python: there already"
        return 0
    fi
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv" ||
        { say "python: no venv; Debian has it in the package python3-venv"; return 1; }
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check \
        -r "$here/requirements.txt" || { say "python: pip could not install all"; return 1; }
    cp "$here/requirements.txt" "$stamp"
    say "python: installed"
}

# The newest of the suites that move slowly first; sid last.
victoria_metrics() {
    local target=$tools/victoria-metrics suite deb
    if [ -x "$target/victoria-metrics" ]; then
        say "victoria-metrics: there already"
        return 0
    fi
    for suite in forky sid; do
        apt_private "$suite" || continue
        (cd "$apt_dir/debs" && apt-get -qq download victoria-metrics) || continue
        deb=$(ls "$apt_dir"/debs/victoria-metrics_*.deb | tail -1)
        rm -rf "$target.new" && mkdir -p "$target.new"
        dpkg -x "$deb" "$target.new"
        ln -s usr/bin/victoria-metrics "$target.new/victoria-metrics"
        "$target.new/victoria-metrics" -version >/dev/null 2>&1 || continue
        rm -rf "$target" && mv "$target.new" "$target"
        say "victoria-metrics: $(basename "$deb")"
        return 0
    done
    say "victoria-metrics: not to be had from Debian's suites forky and sid;"
    say "  put a binary at $target/victoria-metrics to use your own"
    return 1
}

# Prometheus and promtool, from the same suites. Debian's builds need nothing but an old glibc.
prometheus() {
    local target=$tools/prometheus suite deb
    if [ -x "$target/prometheus" ] && [ -x "$target/promtool" ]; then
        say "prometheus: there already"
        return 0
    fi
    for suite in forky sid; do
        apt_private "$suite" || continue
        (cd "$apt_dir/debs" && apt-get -qq download prometheus promtool) || continue
        rm -rf "$target.new" && mkdir -p "$target.new"
        for deb in prometheus promtool; do
            dpkg -x "$(ls "$apt_dir"/debs/${deb}_*.deb | tail -1)" "$target.new"
            ln -s "usr/bin/$deb" "$target.new/$deb"
        done
        "$target.new/prometheus" --version >/dev/null 2>&1 || continue
        "$target.new/promtool" --version >/dev/null 2>&1 || continue
        rm -rf "$target" && mv "$target.new" "$target"
        say "prometheus: $(basename "$(ls "$apt_dir"/debs/prometheus_*.deb | tail -1)")"
        return 0
    done
    say "prometheus: not to be had from Debian's suites forky and sid;"
    say "  put binaries at $target/prometheus and $target/promtool to use your own"
    return 1
}

# Compiled from the Rust registry: two minutes of CPU time, once.
s3s() {
    local target=$tools/s3s
    if [ -x "$target/bin/s3s-fs" ]; then
        say "s3s-fs: there already"
        return 0
    fi
    cargo install --quiet --locked s3s-fs@0.14.1 --features binary --root "$target" \
        --target-dir "$target/target" ||
        { say "s3s-fs: cargo could not install it"; return 1; }
    rm -rf "$target/target"
    say "s3s-fs: installed"
}

# An emulator of Lambda's runtime. Without its dependencies: they are a compiler that is not needed.
cargo_lambda() {
    local target=$tools/cargo-lambda
    if [ -x "$target/bin/cargo-lambda" ]; then
        say "cargo-lambda: there already"
        return 0
    fi
    rm -rf "$target"
    python3 -m venv "$target" &&
        "$target/bin/pip" install --quiet --disable-pip-version-check --no-deps \
            cargo-lambda==1.9.2 ||
        { say "cargo-lambda: pip could not install it"; return 1; }
    say "cargo-lambda: installed"
}

# Node.js is the one thing that is installed for the whole machine, when it is not there.
node_js() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    command -v node >/dev/null && command -v npm >/dev/null ||
        $sudo apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null 2>&1 ||
        { say "node: not there, and Debian's nodejs and npm cannot be installed"; return 1; }
    node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
        { say "node: $(node --version) is too old for the AWS SDK, which needs 20"; return 1; }
}

javascript_sdk() {
    local target=$tools/javascript
    if cmp -s "$target/.installed" "$here/javascript/package-lock.json"; then
        say "javascript: there already"
        return 0
    fi
    node_js || return 1
    rm -rf "$target" && mkdir -p "$target"
    cp "$here"/javascript/package*.json "$target/"
    (cd "$target" && npm ci --silent --no-audit --no-fund --ignore-scripts) ||
        { say "javascript: npm could not install the SDK"; return 1; }
    cp "$here/javascript/package-lock.json" "$target/.installed"
    say "javascript: installed"
}

# Compiled from the Rust registry: two minutes of CPU time, once.
rust_sdk() {
    (cd "$here/rust-sdk" && cargo build --quiet --locked --target-dir "$tools/rust-sdk") ||
        { say "rust-sdk: cargo could not build it"; return 1; }
    say "rust-sdk: built"
}

# Compiles while the others load.
rust_sdk &
rust_sdk_job=$!
python_tools || missing=1
javascript_sdk || missing=1
cargo_lambda || missing=1
s3s || missing=1
victoria_metrics || missing=1
prometheus || missing=1
wait "$rust_sdk_job" || missing=1
if [ "$missing" = 1 ]; then
    say "some tools are missing; checks that need them will say so"
    exit 69
fi
say "all there: $tools"
