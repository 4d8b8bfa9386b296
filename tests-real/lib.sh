# Shared by setup.sh and collector.sh: where tools lie, and packages from Debian's newer suites.
# Nothing is installed system-wide: packages are downloaded and unpacked below .tools/.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
tools=${HYDRANT_TOOLS:-$root/.tools}
mkdir -p "$tools"
tools=$(cd "$tools" && pwd)

say() { printf '%s\n' "$*" >&2; }

# The archive this machine already uses, whether from sources.list or from a .sources file: apt
# itself is asked which files an update would fetch. Updates and security have no newer suites.
debian_archive() {
    apt-get --print-uris update 2>/dev/null |
        sed -n "s|^'\(.*/debian\)/*/dists/\([^/]*\)/InRelease'.*|\1 \2|p" |
        awk '$2 !~ /-/ { print $1; exit }'
}

# apt_private SUITE: makes a private apt configuration for one suite and reads its index once a day.
apt_private() {
    local suite=$1 archive
    apt_dir=$tools/apt/$suite
    command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
        { say "this is no Debian: apt-get or dpkg is not there"; return 1; }
    archive=$(debian_archive)
    [ -n "$archive" ] || { say "no Debian archive among this machine's apt sources"; return 1; }
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/debs"
    echo "deb $archive $suite main" >"$apt_dir/sources.list"
    cat >"$apt_dir/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt_dir/sources.list"; Dir::Etc::sourceparts "-";
Dir::State::lists "$apt_dir/lists"; Dir::Cache "$apt_dir/cache";
APT::Sandbox::User "root";
CONF
    export APT_CONFIG=$apt_dir/apt.conf
    if [ -z "$(find "$apt_dir/updated" -mmin -1440 2>/dev/null)" ]; then
        apt-get -qq update >"$apt_dir/update.log" 2>&1 ||
            { say "apt-get update of $suite failed:"; tail -3 "$apt_dir/update.log" >&2; return 1; }
        touch "$apt_dir/updated"
    fi
}
