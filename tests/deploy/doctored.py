"""Breaks one thing after another in rendered manifests: each break must be told for what it is.

    python tests/deploy/doctored.py FOLDER

In the folder are `dev.yaml`, `production.yaml` and `embedded.yaml`.
"""

import copy
import sys
from pathlib import Path

from check import faults
from manifests import Manifests

COMPONENT = "app.kubernetes.io/component"
FEEDBACK = "rapport.feedback.v1.FeedbackService"


class Doctor:
    """Changes manifests by the names of what is in them. What is not there is an error."""

    def __init__(self, manifests):
        self.manifests = manifests

    def of(self, kind, name):
        return self.manifests.named(kind, name)["spec"]

    def workload(self, name):
        return next(workload for workload in self.manifests.workloads if workload.name == name)

    def pod(self, name):
        return self.workload(name).pod

    def container(self, name):
        return self.pod(name)["containers"][0]

    def drop(self, kind, name):
        self.manifests.objects.remove(self.manifests.named(kind, name))

    def let(self, name, variable, value):
        """Sets a variable of a workload; none takes it away."""
        values = self.container(name)["env"]
        values[:] = [known for known in values if known["name"] != variable]
        if value is not None:
            values.append({"name": variable, "value": value})


# The overlay, what has to be said, and what is done to have it said.
PODS = [
    ("dev", "has no readinessProbe", lambda d: d.container("rapport-orders").pop("readinessProbe")),
    ("production", "has no livenessProbe", lambda d: d.container("rapport-nats").pop("livenessProbe")),
    ("embedded", "has no startupProbe", lambda d: d.container("rapport").pop("startupProbe")),
    ("dev", "asks port 7601", lambda d: d.container("rapport-orders")["livenessProbe"]["grpc"].update(port=7601)),
    ("dev", f"asks for {FEEDBACK}, which it does not serve",
     lambda d: d.container("rapport-orders")["startupProbe"]["grpc"].update(service=FEEDBACK)),
    ("dev", "limits say nothing of memory", lambda d: d.container("rapport-feedback")["resources"].pop("limits")),
    ("dev", "requests say nothing of cpu",
     lambda d: d.container("rapport-postgres")["resources"]["requests"].pop("cpu")),
    ("dev", "may write to its own root",
     lambda d: d.container("rapport-orders")["securityContext"].pop("readOnlyRootFilesystem")),
    ("embedded", "may gain privileges",
     lambda d: d.container("rapport")["securityContext"].update(allowPrivilegeEscalation=True)),
    ("production", "has capabilities", lambda d: d.container("rapport-nats")["securityContext"].pop("capabilities")),
    ("dev", "may run as root", lambda d: d.pod("rapport-orders")["securityContext"].update(runAsUser=0)),
    ("dev", "may run as root", lambda d: d.pod("rapport-postgres")["securityContext"].pop("runAsNonRoot")),
    ("dev", "runs as root", lambda d: d.container("rapport-accounts")["securityContext"].update(runAsUser=0)),
    ("production", "has no seccomp profile", lambda d: d.pod("rapport-nats")["securityContext"].pop("seccompProfile")),
    ("dev", "has the token of a service account",
     lambda d: d.pod("rapport-orders").pop("automountServiceAccountToken")),
    ("embedded", "has variables of other services", lambda d: d.pod("rapport").pop("enableServiceLinks")),
    ("dev", "there is no service account rapport-orders", lambda d: d.drop("ServiceAccount", "rapport-orders")),
    ("dev", "is killed before its grace period", lambda d: d.let("rapport-orders", "RAPPORT_GRACE_PERIOD", "31")),
    ("embedded", "is killed before its grace period",
     lambda d: d.pod("rapport").update(terminationGracePeriodSeconds=29)),
    ("dev", "does not know RAPPORT_LISTENS", lambda d: d.let("rapport-orders", "RAPPORT_LISTENS", "0.0.0.0:7600")),
    # A client's variable is none of a server's.
    ("dev", "does not know RAPPORT_TENANT", lambda d: d.let("rapport-orders", "RAPPORT_TENANT", "retail")),
    ("dev", "where nothing is mounted",
     lambda d: d.let("rapport-orders", "RAPPORT_PEER_TOKEN", "/etc/peer/peer-token")),
    ("dev", "has a password in it",
     lambda d: d.let("rapport-orders", "RAPPORT_DATABASE", "postgres://me:word@rapport-postgres:5432/rapport")),
    ("production", "which does not come before it", lambda d: d.container("rapport-orders")["env"].reverse()),
    ("dev", "aggregator is not told where orders is",
     lambda d: d.let("rapport-aggregator", "RAPPORT_ORDERS_ENDPOINT", None)),
    ("dev", "has no token to show", lambda d: d.let("rapport-orders", "RAPPORT_PEER_TOKEN", None)),
    ("dev", "would have a database of its own", lambda d: d.let("rapport-orders", "RAPPORT_DATABASE", None)),
    ("embedded", "would have a database of its own", lambda d: d.of("StatefulSet", "rapport").update(replicas=2)),
    ("embedded", "knows its callers by nothing", lambda d: d.let("rapport", "RAPPORT_AUTH_TOKENS", None)),
    ("dev", "serves order, which there is not",
     lambda d: d.container("rapport-orders").update(args=["serve", "order"])),
    ("dev", "volume tokens is mounted, but not there",
     lambda d: d.pod("rapport-orders")["volumes"].remove(d.workload("rapport-orders").volumes["tokens"])),
    ("production", "does not say what pin of the secret rapport-feed is",
     lambda d: d.container("rapport-nats")["env"][1]["valueFrom"]["secretKeyRef"].update(key="pin")),
    ("dev", "does not say what word of the secret rapport-tokens is",
     lambda d: d.let("rapport-orders", "RAPPORT_AUTH_TOKENS", "/etc/rapport/tokens/word")),
    ("production", "there is no ConfigMap other",
     lambda d: d.workload("rapport-nats").volumes["configuration"]["configMap"].update(name="other")),
]
RELATIONS = [
    ("dev", "leads to port grcp", lambda d: d.of("Service", "rapport-orders")["ports"][0].update(targetPort="grcp")),
    ("dev", "is headless, but its port 80",
     lambda d: d.of("Service", "rapport-pods-orders")["ports"][0].update(port=80)),
    ("dev", "selects the pods of 0 workloads",
     lambda d: d.of("Service", "rapport-orders")["selector"].update({COMPONENT: "order"})),
    ("dev", "keeps 5 workloads",
     lambda d: d.of("PodDisruptionBudget", "rapport-orders")["selector"]["matchLabels"].pop(COMPONENT)),
    ("dev", "has no disruption budget and autoscaler", lambda d: d.drop("PodDisruptionBudget", "rapport-orders")),
    ("dev", "has no disruption budget and autoscaler", lambda d: d.drop("HorizontalPodAutoscaler", "rapport-orders")),
    ("dev", "there is no Deployment rapport-order",
     lambda d: d.of("HorizontalPodAutoscaler", "rapport-orders")["scaleTargetRef"].update(name="rapport-order")),
    ("dev", "has no headless Service", lambda d: d.drop("Service", "rapport-pods-orders")),
    ("embedded", "has no headless Service", lambda d: d.of("Service", "rapport").pop("clusterIP")),
    ("dev", "and so does its autoscaler", lambda d: d.of("Deployment", "rapport-orders").update(replicas=2)),
    ("dev", "may be in one place", lambda d: d.pod("rapport-orders").pop("topologySpreadConstraints")),
    ("dev", "spreads other pods than its own",
     lambda d: d.pod("rapport-orders")["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].pop(COMPONENT)),
    ("dev", "ingress is not denied to all pods", lambda d: d.drop("NetworkPolicy", "deny")),
    ("dev", "ingress from rapport-orders to rapport-accounts, port 7600, is needed",
     lambda d: d.of("NetworkPolicy", "accounts")["ingress"].pop(0)),
    ("dev", "egress from rapport-orders to rapport-accounts, port 7600, is needed",
     lambda d: d.of("NetworkPolicy", "orders")["egress"][0]["ports"][0].update(port=7601)),
    ("dev", "egress from rapport-orders to kube-system, port 53, is needed",
     lambda d: d.drop("NetworkPolicy", "names")),
    ("dev", "egress from rapport-orders to rapport-postgres, port 5432, is needed",
     lambda d: d.drop("NetworkPolicy", "to-postgres")),
    ("production", "egress from rapport-orders to rapport-nats, port 4222, is needed",
     lambda d: d.drop("NetworkPolicy", "to-nats")),
    ("production", "egress from rapport-orders to elsewhere, port 5432, is needed",
     lambda d: d.drop("NetworkPolicy", "to-database")),
    ("production", "egress from rapport-orders to observability, port 4317, is needed",
     lambda d: d.drop("NetworkPolicy", "to-collector")),
    ("production", "egress from rapport-nats to rapport-nats, port 6222, is needed",
     lambda d: d.of("NetworkPolicy", "nats").pop("egress")),
    ("dev", "ingress from clients to rapport-orders, port 7600, is needed",
     lambda d: d.drop("NetworkPolicy", "clients")),
    ("dev", "ingress from everybody to rapport-orders, port 7600, is allowed, but not needed",
     lambda d: d.of("NetworkPolicy", "clients")["ingress"][0]["from"].append({"namespaceSelector": {}})),
    ("dev", "egress from rapport-orders to rapport-feedback, port 7600, is needed",
     lambda d: d.let("rapport-orders", "RAPPORT_FEEDBACK_ENDPOINT", "http://rapport-feedback:7600")),
    ("dev", "egress from rapport-aggregator to rapport-orders, port 7600, is allowed, but not needed",
     lambda d: d.let("rapport-aggregator", "RAPPORT_ORDERS_ENDPOINT", "http://rapport-feedback:7600")),
    ("dev", "egress from rapport-aggregator to unknown, port 7600, is needed",
     lambda d: d.let("rapport-aggregator", "RAPPORT_ORDERS_ENDPOINT", "http://rapport-order:7600")),
    ("dev", "allows all ports", lambda d: d.of("NetworkPolicy", "orders")["ingress"][0].pop("ports")),
    ("dev", "allows all ports, or everybody", lambda d: d.of("NetworkPolicy", "orders")["ingress"][0].pop("from")),
]


def main(folder):
    whole = {name: Manifests.load(Path(folder, f"{name}.yaml")) for name in ("dev", "production", "embedded")}
    before = {name: set(faults(manifests)) for name, manifests in whole.items()}
    silent = 0
    for name, expected, harm in PODS + RELATIONS:
        broken = Manifests(copy.deepcopy(whole[name].objects))
        harm(Doctor(broken))
        # Looked at anew, as if they had been read like that.
        told = set(faults(Manifests(broken.objects))) - before[name]
        if not any(expected in fault for fault in told):
            silent += 1
            print(f"{name}: not told: {expected}; but {sorted(told) or 'nothing'}", file=sys.stderr)
    print(f"{len(PODS + RELATIONS)} breaks, {silent} of them not told")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
