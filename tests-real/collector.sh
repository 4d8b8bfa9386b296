#!/usr/bin/env bash
# Builds the reference OTLP receiver, a real OpenTelemetry Collector, into .tools/otelc/otelc.
# Compiler and sources are Debian's (sid packages the collector as a Go library), unpacked below
# .tools/ and nowhere else; no Go module proxy is asked. Once: 170 MB of packages, a good minute of
# CPU time; after that nothing, until collector/*.go changes.
# Exit code: 0 when it is there, 69 when it could not be had.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
target=$tools/otelc
# What the packages hold; not part of this system.
unpacked=$target/unpacked

give_up() { say "collector: $*"; exit 69; }

# Large packages that the collector's packages depend on and our few components do not use. Were one
# of them needed after all, the build below fails and is tried again with all.
unused='golang-(github-cloudflare-circl|github-aws-aws-sdk-go-v2|google-cloud|google-api'
unused+='|gonum-v1-plot|mongodb-mongo-driver|golang-x-image|github-apache-arrow-go)-dev|golang-golang-x-tools'

# The names of the Go packages that an installation would bring, whatever is installed here.
wanted() {
    : >"$apt_dir/empty-status"
    apt-get -qq -y --print-uris --no-install-recommends -o Debug::NoLocking=1 \
        -o Dir::State::status="$apt_dir/empty-status" \
        install golang-go golang-opentelemetry-collector-dev |
        sed -n "s/^'[^']*' \(golang-[^_]*\)_.*/\1/p"
}

# fetch NAME...: downloads what is not there yet, and unpacks all of it.
fetch() {
    local debs=$apt_dir/cache/archives have name missing=()
    have=$(ls "$debs" | sed -n 's/_.*\.deb$//p')
    for name in "$@"; do
        grep -qxF "$name" <<<"$have" || missing+=("$name")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        (cd "$debs" && apt-get -qq download "${missing[@]}") >"$target/download.log" 2>&1 || return 1
    fi
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    for name in "$@"; do
        dpkg -x "$(ls -t "$debs/$name"_*.deb | head -1)" "$unpacked" || return 1
    done
}

build() {
    local go_root share link name work=$target/work
    go_root=$(ls -d "$unpacked"/usr/lib/go-[0-9]* 2>/dev/null | sort -V | tail -1)
    [ -n "$go_root" ] || { say "collector: no Go compiler among the packages"; return 1; }
    # Debian splits GOROOT into lib and share; the links between them are absolute.
    share=$unpacked/usr/share/$(basename "$go_root")
    for link in $(find "$go_root" -maxdepth 1 -type l); do
        name=$(basename "$link")
        [ -e "$share/$name" ] && ln -sfn "$share/$name" "$link"
    done
    rm -rf "$work" && mkdir -p "$work/src/otelc"
    cp "$here"/collector/*.go "$work/src/otelc/"
    (cd "$work" && GOROOT=$go_root GOPATH=$work:$unpacked/usr/share/gocode GO111MODULE=off \
        GOTOOLCHAIN=local GOFLAGS= GOCACHE=$target/cache CGO_ENABLED=0 \
        "$go_root/bin/go" build -o "$target/otelc.new" otelc) >"$target/build.log" 2>&1
}

mkdir -p "$target"
# Two at once would unpack into one folder.
exec 9>"$target/lock"
flock 9 || give_up "$target/lock cannot be locked"
if [ -x "$target/otelc" ] && cat "$here"/collector/*.go | cmp -s - "$target/built-from"; then
    say "collector: there already"
    exit 0
fi
apt_private sid || give_up "Debian sid cannot be read"
names=$(wanted) && [ -n "$names" ] || give_up "Debian sid has no golang-opentelemetry-collector-dev"
lean=$(grep -Evx "$unused" <<<"$names")
say "collector: downloading compiler and sources"
# shellcheck disable=SC2086 # one name a word
fetch $lean || { tail -5 "$target/download.log" >&2; give_up "the packages could not be downloaded"; }
say "collector: building"
if ! build; then
    say "collector: building again, with all packages"
    # shellcheck disable=SC2086
    { fetch $names && build; } || { tail -20 "$target/build.log" >&2; give_up "it did not build"; }
fi
"$target/otelc.new" --version >/dev/null || give_up "it does not run"
mv "$target/otelc.new" "$target/otelc"
cat "$here"/collector/*.go >"$target/built-from"
rm -rf "$target/work" "$target/cache" "$unpacked"
say "collector: $("$target/otelc" --version)"
