#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own, which is gone afterwards:
#
#     tests/postgres.sh cargo test -p store
#
# The command finds the server in TEST_DATABASE_URL, and in TEST_DATABASE_CERTIFICATES a folder with the certificate of the
# authority that vouches for it (`authority.crt`) and of one that does not (`other.crt`). TEST_DATABASE_OPTIONS are further
# options of the server.
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: tests/postgres.sh COMMAND [ARGUMENT…]" >&2
    exit 2
fi

binaries() {
    local initdb
    initdb=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$initdb" ] || initdb=$(command -v initdb) || return 1
    dirname "$(readlink -f "$initdb")"
}

if ! bin=$(binaries); then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >&2
    fi
    bin=$(binaries) || { echo "install PostgreSQL first (Debian: apt-get install postgresql)" >&2; exit 1; }
fi

# PostgreSQL refuses to run as root; its package brings a user for it.
if [ "$(id -u)" -eq 0 ]; then
    server() { runuser -u postgres -- "$@"; }
else
    server() { "$@"; }
fi

folder=$(server mktemp -d "${TMPDIR:-/tmp}/postgres.XXXXXX")
cleanup() {
    server "$bin/pg_ctl" stop --pgdata "$folder/data" --mode immediate --silent >/dev/null 2>&1 || true
    rm -rf "$folder" "${certificates:-}"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# From here on the server's folder is where everybody may be.
cd "$folder"
server "$bin/initdb" --pgdata data --username postgres --auth trust --encoding UTF8 --no-sync >/dev/null

# An authority that vouches for the server, and another one.
for name in authority other; do
    server openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$name" \
        -keyout $name.key -out $name.crt 2>/dev/null
done
server openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -keyout server.key -out server.csr 2>/dev/null
echo "subjectAltName = DNS:localhost" | server tee server.ext >/dev/null
server openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 \
    -extfile server.ext -out server.crt 2>/dev/null
# What everybody may read.
certificates=$(mktemp -d "${TMPDIR:-/tmp}/certificates.XXXXXX")
cp authority.crt other.crt "$certificates"

# Another process may take a free port before the server does: try again then.
for attempt in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300"
    options+=" -c ssl=on -c ssl_cert_file=$folder/server.crt -c ssl_key_file=$folder/server.key ${TEST_DATABASE_OPTIONS:-}"
    if server "$bin/pg_ctl" start --pgdata data --log "$folder/log" --silent --wait --options "$options" >/dev/null; then
        break
    elif [ "$attempt" -eq 5 ]; then
        cat "$folder/log" >&2
        exit 1
    fi
done
cd "$OLDPWD"

# Without encryption unless a test asks for it, as what is measured against it goes without.
export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
export TEST_DATABASE_CERTIFICATES=$certificates
echo "TEST_DATABASE_URL=$TEST_DATABASE_URL" >&2
"$@"
