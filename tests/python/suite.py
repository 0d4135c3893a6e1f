"""The suite as a client meets it: a process to start and stop, and errors that say what is wrong.

Run as a program, it starts the suite for a client in any language, which gets the address as its last argument:

    python tests/python/suite.py target/debug/rapport CLIENT [ARGUMENT…]
"""

import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

PATIENCE = 30  # Seconds that anything may take before the story gives up.


class Suite:
    """`rapport serve` on a free port of this machine, over a temporary folder."""

    def __init__(self, binary, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = Path(folder, "log")
        command = [binary, "serve", "--listen", self.address, "--data-dir", str(Path(folder, "data"))]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.channel = grpc.insecure_channel(self.address)

    def wait_until_healthy(self):
        """Waits until the suite serves, or fails with its log if it has ended."""
        health = health_pb2_grpc.HealthStub(self.channel)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the suite ended with {self.process.returncode}"
            with contextlib.suppress(grpc.RpcError):
                answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1, wait_for_ready=True)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
                return
        raise AssertionError("the suite does not serve")

    def stop(self):
        """Asks the suite to stop and answers with its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def running(binary):
    """Runs the suite for as long as the block takes; if that fails, prints the suite's log."""
    with tempfile.TemporaryDirectory(prefix="rapport-story-") as folder:
        suite = Suite(binary, folder)
        try:
            suite.wait_until_healthy()
            yield suite
        except BaseException:
            print(f"--- log of the suite\n{suite.log.read_text(errors='replace')}---", flush=True)
            raise
        finally:
            suite.channel.close()
            if suite.process.poll() is None:
                suite.process.kill()
                suite.process.wait()


class Refusal:
    """What an error says: its code, its reason from the registry with metadata, and the fields at fault."""

    def __init__(self, error):
        self.code = error.code()
        status = rpc_status.from_call(error)
        assert status is not None, f"no details in {error}"
        details = {}
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
            for detail in status.details:
                if detail.Is(kind.DESCRIPTOR):
                    details[kind] = kind()
                    detail.Unpack(details[kind])
        info = details[error_details_pb2.ErrorInfo]
        assert info.domain == "rapport", info
        self.reason = info.reason.removeprefix("ERROR_REASON_")
        self.metadata = dict(info.metadata)
        request = details.get(error_details_pb2.BadRequest, error_details_pb2.BadRequest())
        self.fields = [violation.field for violation in request.field_violations]
        assert all(violation.description for violation in request.field_violations), request


def refused(call, request, **options):
    """Makes a call that must be refused."""
    try:
        answer = call(request, **options)
    except grpc.RpcError as error:
        return Refusal(error)
    raise AssertionError(f"not refused: {answer}")


def main(binary, *client):
    with running(binary) as suite:
        subprocess.run([*client, suite.address], check=True, timeout=4 * PATIENCE)


if __name__ == "__main__":
    main(*sys.argv[1:])
