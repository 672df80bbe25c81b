# packages.sh - what quickstart and test share: Debian packages, the cache folder, the build.
# SPDX-License-Identifier: MIT
# Sourced by bash, with $source set to the top of the source tree.

# What the host and the build need. The plugins' libraries are optional: without one configure
# leaves its plugins out.
BUILD_PACKAGES="gcc libc6-dev make autoconf automake pkg-config
    libuv1-dev libyaml-dev libcjson-dev"
PLUGIN_PACKAGES="libgcrypt20-dev libgnutls28-dev libhiredis-dev libisal-dev libnghttp2-dev
    libnghttp3-dev libngtcp2-crypto-gnutls-dev libngtcp2-dev libsnappy-dev libssl-dev zlib1g-dev"

# What the tests run besides: tools, and the peers that our protocols are tried against.
TEST_PACKAGES="python3 binutils g++ curl openssl iproute2 procps socat"
PEER_PACKAGES="bind9-dnsutils dante-server haproxy iperf3 kcptun libnginx-mod-stream microsocks
    ncat netcat-openbsd nftables nghttp2-client nghttp2-proxy nginx-light openssh-client
    openssh-server proxychains4 python3-websockets redis-server shadowsocks-libev simple-obfs
    squid stunnel4 v2ray"

# Peers that only Python's package index has: installed where there is pip, for its python.
PYTHON_PEERS="aioquic==1.7.2"

cache=${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/gost-host

say()
{
    echo "${0##*/}: $*" >&2
}

die()
{
    say "$*"
    exit 1
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root and no sudo here; run this as root: $*"
    fi
}

# Prints those of its arguments that are not installed.
absent()
{
    local name
    for name in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in
            installed) ;;
            *) echo "$name" ;;
        esac
    done
}

# Prints those of its arguments that this release has. A name that others only mention has no
# candidate.
available()
{
    local name
    for name in "$@"; do
        if [[ $(LC_ALL=C apt-cache policy "$name" 2>/dev/null) =~ Candidate:\ [^\(] ]]; then
            echo "$name"
        else
            say "this release has no package $name: going on without it"
        fi
    done
}

# install_packages NEEDED OPTIONAL: installs what is missing of two lists of words.
install_packages()
{
    local needed optional
    command -v apt-get >/dev/null || {
        say "no apt-get here: install what configure asks for yourself"
        return 0
    }
    needed=$(absent $1)
    optional=$(absent $2)
    [ -n "$needed$optional" ] || return 0
    say "installing" $needed $optional
    as_root apt-get -o DPkg::Lock::Timeout=300 -q update >&2 ||
        die "apt-get update failed; see above"
    optional=$(available $optional)
    [ -n "$needed$optional" ] || return 0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q install -y \
        --no-install-recommends $needed $optional >&2 ||
        die "apt-get could not install these packages; see above"
}

# Puts PYTHON_PEERS into a folder of their own in the cache and on PYTHONPATH.
install_python_peers()
{
    local folder
    if ! python3 -m pip --version >/dev/null 2>&1; then
        say "python3 has no pip: going on without $PYTHON_PEERS"
        return
    fi
    folder=$cache/python-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(cat "$folder/installed" 2>/dev/null)" != "$PYTHON_PEERS" ]; then
        say "installing $PYTHON_PEERS"
        rm -rf "$folder"
        if ! python3 -m pip install -q --disable-pip-version-check --no-input --no-compile \
            --root-user-action ignore --target "$folder" $PYTHON_PEERS >&2; then
            say "pip could not install $PYTHON_PEERS; see above: going on without"
            return
        fi
        echo "$PYTHON_PEERS" >"$folder/installed"
    fi
    export PYTHONPATH=$folder${PYTHONPATH:+:$PYTHONPATH}
}

# build FOLDER CONFIGURE-ARGUMENT...: configures where anything changed, then makes everything.
build()
{
    local folder=$1 wanted
    shift
    [ ! -e "$source/config.status" ] ||
        die "$source was configured in place: run 'make distclean' there first"
    if [ ! -x "$source/configure" ] ||
        [ -n "$(find "$source" -name '*.mk' -newer "$source/configure")" ] ||
        [ "$source/configure.ac" -nt "$source/configure" ] ||
        [ "$source/Makefile.am" -nt "$source/configure" ]; then
        say "making configure"
        (cd "$source" && autoreconf -if) >&2 || die "autoreconf failed; see above"
    fi
    wanted="$source $*"
    # Only a folder that was made here is thrown away.
    if [ -e "$folder/configured-as" ] && [ "$(cat "$folder/configured-as")" != "$wanted" ]; then
        rm -rf "$folder"
    fi
    mkdir -p "$folder"
    if [ ! -e "$folder/config.status" ] ||
        [ "$source/configure" -nt "$folder/config.status" ]; then
        say "configuring in $folder"
        echo "$wanted" >"$folder/configured-as"
        (cd "$folder" && "$source/configure" "$@") >&2 || die "configure failed; see above"
    fi
    make -C "$folder" -s -j"$(nproc)" >&2 || die "make failed in $folder; see above"
}
