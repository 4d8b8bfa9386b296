#!/usr/bin/env bash
# Builds the reference OTLP receiver, a real OpenTelemetry Collector, into .tools/otelc/otelc.
# Compiler and sources are Debian's (sid packages the collector as a Go library), unpacked below
# .tools/ and nowhere else; no Go module proxy is asked. About two minutes, once.
# Exit code: 0 when it is there, 69 when it could not be had.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
target=$tools/otelc

give_up() { say "collector: $*"; say "  checks use rotel instead"; exit 69; }

mkdir -p "$target"
if [ -x "$target/otelc" ] && cat "$here"/collector/*.go | cmp -s - "$target/built-from"; then
    say "collector: there already"
    exit 0
fi
apt_private sid || give_up "Debian sid cannot be read"

# An empty status file: everything that the packages need is fetched, whatever is installed here.
: >"$apt_dir/empty-status"
say "collector: downloading compiler and sources"
apt-get -qq -y --download-only --no-install-recommends \
    -o Dir::State::status="$apt_dir/empty-status" -o Debug::NoLocking=1 \
    install golang-go golang-opentelemetry-collector-dev >"$target/download.log" 2>&1 ||
    { tail -5 "$target/download.log" >&2; give_up "the packages could not be downloaded"; }
rm -rf "$target/root" && mkdir -p "$target/root"
for deb in "$apt_dir"/cache/archives/*.deb; do
    case $(basename "$deb") in
    golang-*) dpkg -x "$deb" "$target/root" ;;
    esac
done

go_root=$(ls -d "$target"/root/usr/lib/go-[0-9]* 2>/dev/null | sort -V | tail -1)
[ -n "$go_root" ] || give_up "no Go compiler among the packages"
# Debian splits GOROOT into lib and share; the links between them are absolute.
share=$target/root/usr/share/$(basename "$go_root")
for link in $(find "$go_root" -maxdepth 1 -type l); do
    name=$(basename "$link")
    [ -e "$share/$name" ] && ln -sfn "$share/$name" "$link"
done

work=$target/work
rm -rf "$work" && mkdir -p "$work/src/otelc"
cp "$here"/collector/*.go "$work/src/otelc/"
say "collector: building"
(cd "$work" && GOROOT=$go_root GOPATH=$work:$target/root/usr/share/gocode GO111MODULE=off \
    GOTOOLCHAIN=local GOFLAGS= GOCACHE=$target/cache CGO_ENABLED=0 \
    "$go_root/bin/go" build -o "$target/otelc.new" otelc) >"$target/build.log" 2>&1 ||
    { tail -20 "$target/build.log" >&2; give_up "it did not build"; }
"$target/otelc.new" --version >/dev/null || give_up "it does not run"
mv "$target/otelc.new" "$target/otelc"
cat "$here"/collector/*.go >"$target/built-from"
rm -rf "$work" "$target/cache" "$target/root"
say "collector: $("$target/otelc" --version)"
