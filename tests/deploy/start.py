"""Starts the dev overlay on this machine: each pod is a process with the pod's command, variables and secrets.

    tests/postgres.sh python tests/deploy/start.py target/debug/rapport RENDERED.yaml

Only where the manifests name what a cluster has, something of this machine takes its place: a free port for each pod,
the first pod for each Service, a folder for what is mounted, and the PostgreSQL of tests/postgres.sh.
"""

import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from manifests import Manifests, environment
from pods import mounted

PATIENCE = 120  # Seconds that anything may take before this gives up.
TENANT = "acme"
ACCOUNTS = "account_id,display_name,opened_at,currency\na1,Acme,2026-01-01T00:00:00Z,EUR\n"
ORDERS = "order_id,account_id,placed_at,total,currency\no1,a1,2026-01-05T10:00:00Z,12.50,EUR\n"


class Cluster:
    """The processes, the folder with what is mounted, and a client's token."""

    def __init__(self, binary, manifests, folder):
        self.binary, self.folder, self.token = Path(binary).resolve(), Path(folder), secrets.token_hex(32)
        peer = secrets.token_hex(32)
        digests = [(self.token, TENANT), (peer, "*")]
        lines = [f"{hashlib.sha256(token.encode()).hexdigest()} {tenants}\n" for token, tenants in digests]
        # As deploy/README.md has them made. The server here asks for no password.
        self.write("rapport-tokens/auth-tokens", "".join(lines))
        self.write("rapport-peer/peer-token", f"{peer}\n")
        self.write("rapport-database/password", secrets.token_hex(32))
        self.suite = [workload for workload in manifests.workloads if workload.services]
        scalers = {s["spec"]["scaleTargetRef"]["name"]: s for s in manifests.of("HorizontalPodAutoscaler")}
        self.addresses = {w.name: free_addresses(scalers[w.name]["spec"]["minReplicas"]) for w in self.suite}
        self.processes = []

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self):
        for workload in self.suite:
            container = workload.containers[0]
            for number, address in enumerate(self.addresses[workload.name]):
                values = {name: self.here(workload, container, value) for name, value in environment(container).items()}
                values["RAPPORT_LISTEN"] = address
                with self.write(f"{workload.name}-{number}.log", "").open("wb") as log:
                    command = [self.binary, *container["args"]]
                    process = subprocess.Popen(command, env=values, cwd=self.folder, stdout=log, stderr=log)
                self.processes.append((workload.name, address, process))

    def here(self, workload, container, value):
        """A variable's value, with what this machine has in place of what a cluster has."""
        mount = mounted(container, value)
        if mount:
            secret = workload.volumes[mount["name"]]["secret"]["secretName"]
            return str(self.folder / secret) + value[len(mount["mountPath"]) :]
        if value.startswith("postgres://"):
            server, wanted = urlsplit(os.environ["TEST_DATABASE_URL"]), urlsplit(value)
            return wanted._replace(netloc=server.netloc, path=server.path).geturl()
        for name, addresses in self.addresses.items():
            value = value.replace(f"//{name}:7600", f"//{addresses[0]}")
        return value

    def call(self, address, *words, token=None):
        """Says something to a pod by the command line: exit code and output."""
        token = self.write("token", token or self.token)
        options = ["--endpoint", f"http://{address}", "--token-file", str(token), "--tenant", TENANT]
        told = subprocess.run([self.binary, *words, *options], capture_output=True, text=True, timeout=PATIENCE)
        return told.returncode, told.stdout + told.stderr

    def eventually(self, expected, address, *words):
        """Says it until it succeeds and the answer has what is expected; returns the answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            code, output = self.call(address, *words)
            if code == 0 and expected in output:
                return output
            ended = [name for name, _, process in self.processes if process.poll() is not None]
            assert not ended, f"ended by itself: {ended}"
            assert time.monotonic() < deadline, f"{words}: {code} {output}"
            time.sleep(0.2)


def free_addresses(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]
    for listener in sockets:
        listener.close()
    return addresses


def story(cluster):
    cluster.start()
    for _, address, _ in cluster.processes:
        cluster.eventually("", address, "health")
    at = cluster.addresses
    # Written to one replica, followed from another, read from all: what they share is in the database.
    for kind, rows in (("accounts", ACCOUNTS), ("orders", ORDERS)):
        file = cluster.write(f"{kind}.csv", rows)
        code, output = cluster.call(at[f"rapport-{kind}"][-1], "import", kind, str(file))
        assert code == 0, output
    question = ["assess", "a1", "--at", "2026-02-01", "--by-source"]
    answers = {cluster.eventually("orders/o1", address, *question) for address in at["rapport-aggregator"]}
    assert len(answers) == 1, answers
    code, output = cluster.call(at["rapport-orders"][0], "assess", "a1", token=secrets.token_hex(32))
    assert code != 0 and "token" in output, output
    for _, _, process in cluster.processes:
        process.send_signal(signal.SIGTERM)
    ended = {name: process.wait(PATIENCE) for name, _, process in cluster.processes}
    assert set(ended.values()) == {0}, ended
    print(f"{len(cluster.processes)} processes told the story")


def main(binary, rendered):
    with tempfile.TemporaryDirectory(prefix="rapport-deploy-") as folder:
        cluster = Cluster(binary, Manifests.load(rendered), folder)
        try:
            story(cluster)
        except BaseException:
            for log in sorted(Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
            raise
        finally:
            for _, _, process in cluster.processes:
                process.kill()
                process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
