"""Checks rendered manifests against rules that no schema knows.

    python tests/deploy/check.py RENDERED.yaml…

The binary's flags are read from its sources, the services from proto/, and what secrets hold from deploy/README.md.
"""

import re
import sys
from pathlib import Path

import pods
import relations
from manifests import Manifests

ROOT = Path(__file__).parents[2]
# Where the flags of `rapport serve` are; those of the client are elsewhere.
SOURCES = (
    "services/rapport/src/serve.rs",
    "services/rapport/src/databases.rs",
    "shared/runtime/src/settings.rs",
    "shared/runtime/src/settings/*.rs",
)


def flags():
    """The variables that `rapport serve` reads."""
    texts = [path.read_text(encoding="utf-8") for source in SOURCES for path in ROOT.glob(source)]
    return {name for text in texts for name in re.findall(r'env = "(RAPPORT_\w+)"', text)}


def served():
    """The gRPC services by full name, each with the service of the suite that has it."""
    names = {}
    for path in (ROOT / "proto").rglob("*.proto"):
        text = path.read_text(encoding="utf-8")
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
        part = package.split(".")[1]
        for service in re.findall(r"^service (\w+)", text, re.MULTILINE):
            names[f"{package}.{service}"] = part if part in pods.SUITE else "aggregator"
    return names


def documented():
    """The (secret, key) pairs in the table of deploy/README.md."""
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(rapport-[\w-]+)` \| `([\w.-]+)` \|", text, re.MULTILINE))


def faults(manifests):
    """All that is wrong with one rendered overlay."""
    yield from pods.safety(manifests)
    yield from pods.probes(manifests, served())
    yield from pods.variables(manifests, flags())
    yield from pods.files(manifests)
    for secret, key in sorted(set(pods.secrets(manifests)) - documented()):
        yield f"deploy/README.md does not say what {key} of the secret {secret} is"
    yield from relations.selection(manifests)
    # One process by itself, as the embedded suite is, has no edges to draw.
    if manifests.of("Deployment"):
        yield from relations.network(manifests)


def main(paths):
    found, asked = 0, set()
    for path in paths:
        manifests = Manifests.load(path)
        asked |= set(pods.secrets(manifests))
        for fault in faults(manifests):
            found += 1
            print(f"{Path(path).stem}: {fault}", file=sys.stderr)
    # A certificate is named by the URL in the secret, which is not here.
    for secret, key in sorted(documented() - asked - {("rapport-database", "ca.crt")}):
        found += 1
        print(f"nobody asks for {key} of the secret {secret}, which deploy/README.md describes", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
