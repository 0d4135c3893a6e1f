"""The rules between objects: who selects whom, and who may talk to whom. Each yields what is wrong."""

import itertools
import re
from urllib.parse import urlsplit

from manifests import covers, environment

URL = re.compile(r"\b(?:http|nats|postgres)://[^\s\"',]+")
DEFAULT_PORTS = {"http": 80, "nats": 4222, "postgres": 5432}
NAMES = ("kube-system", 53)


def selection(manifests):
    """Every Service, budget and autoscaler has its pods, and every part of the suite has all of them."""
    served, kept, scaled = set(), [], []
    for service in manifests.of("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        workloads = manifests.selected(spec["selector"])
        if len(workloads) != 1:
            yield f"Service {name}: selects the pods of {len(workloads)} workloads"
            continue
        served.add((workloads[0].name, spec.get("clusterIP") == "None"))
        for port in spec["ports"]:
            target = port.get("targetPort", port["port"])
            number = workloads[0].number(target)
            if number is None:
                yield f"Service {name}: leads to port {target}, which {workloads[0]} does not have"
            elif spec.get("clusterIP") == "None" and number != port["port"]:
                yield f"Service {name}: is headless, but its port {port['port']} is not the pods' {number}"
    for budget in manifests.of("PodDisruptionBudget"):
        workloads = manifests.selected(budget["spec"]["selector"]["matchLabels"])
        if len(workloads) != 1:
            yield f"PodDisruptionBudget {budget['metadata']['name']}: keeps {len(workloads)} workloads"
        kept += [workload.name for workload in workloads]
    for scaler in manifests.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        thing = manifests.named(target["kind"], target["name"])
        if thing is None:
            yield f"HorizontalPodAutoscaler {scaler['metadata']['name']}: there is no {target['kind']} {target['name']}"
        elif "replicas" in thing["spec"]:
            yield f"{target['kind']} {target['name']}: says how many replicas, and so does its autoscaler"
        scaled.append(target["name"])
    for workload in manifests.workloads:
        if workload.kind == "StatefulSet" and (workload.name, True) not in served:
            yield f"{workload}: has no headless Service"
        for spread in workload.pod.get("topologySpreadConstraints", []):
            if manifests.selected(spread["labelSelector"]["matchLabels"]) != [workload]:
                yield f"{workload}: spreads other pods than its own"
        if workload.kind == "Deployment":
            for headless, kind in ((True, "headless Service"), (False, "Service with an address")):
                if (workload.name, headless) not in served:
                    yield f"{workload}: has no {kind}"
            if kept.count(workload.name) != 1 or scaled.count(workload.name) != 1:
                yield f"{workload}: has no disruption budget and autoscaler of its own"
            if not workload.pod.get("topologySpreadConstraints"):
                yield f"{workload}: all its pods may be in one place"


def network(manifests):
    """The policies allow what the addresses in variables and configurations need, on both sides, and nothing else."""
    policies = [policy["spec"] for policy in manifests.of("NetworkPolicy")]
    for way in ("Ingress", "Egress"):
        if not any(not policy["podSelector"] and way in policy["policyTypes"] for policy in policies):
            yield f"{way.lower()} is not denied to all pods where nothing allows it"
    needed = {edge for workload in manifests.workloads for edge in needs(manifests, workload)}
    for policy in policies:
        for rule in policy.get("ingress", []) + policy.get("egress", []):
            if not rule.get("ports") or not (rule.get("from") or rule.get("to")):
                yield "a NetworkPolicy allows all ports, or everybody"
    for way in ("Ingress", "Egress"):
        allowed = {edge for policy in policies for edge in allows(manifests, policy, way)}
        inside = {edge for edge in needed if way == "Egress" or not isinstance(edge[1], tuple)}
        if way == "Ingress":
            inside |= {(("clients",), workload.name, 7600) for workload in manifests.workloads if workload.services}
        for source, target, port in sorted(inside - allowed, key=str):
            yield f"{way.lower()} from {told(source)} to {told(target)}, port {port}, is needed, but not allowed"
        for source, target, port in sorted(allowed - inside, key=str):
            yield f"{way.lower()} from {told(source)} to {told(target)}, port {port}, is allowed, but not needed"


def needs(manifests, workload):
    """The edges (source, target, port) that a workload's addresses ask for. What is outside is a tuple."""
    yield workload.name, (NAMES[0],), NAMES[1]
    texts = []
    for container in workload.containers:
        values = environment(container)
        texts += [re.sub(r"\$\(\w+\)", "x", value) for value in values.values() if isinstance(value, str)]
        # Where the server is, only the secret says.
        if isinstance(values.get("RAPPORT_DATABASE"), dict):
            yield workload.name, ("elsewhere",), DEFAULT_PORTS["postgres"]
    for volume in workload.volumes.values():
        source = manifests.named("ConfigMap", volume.get("configMap", {}).get("name"))
        texts += list(source["data"].values()) if source else []
    for address in (urlsplit(url) for text in texts for url in URL.findall(text)):
        port = address.port or DEFAULT_PORTS[address.scheme]
        targets = manifests.behind(address.hostname)
        for target in targets:
            yield workload.name, target.name, port
        if not targets:
            namespace = (address.hostname.split(".") + ["unknown"])[1]
            yield workload.name, (namespace,), port


def allows(manifests, policy, way):
    """The edges that a policy allows in one direction."""
    key, peers = ("ingress", "from") if way == "Ingress" else ("egress", "to")
    own = manifests.selected(policy["podSelector"].get("matchLabels"))
    for rule in policy.get(key, []) if way in policy["policyTypes"] else []:
        ports = {port["port"] for port in rule.get("ports", [])}
        for mine, peer, port in itertools.product(own, rule.get(peers, []), ports):
            for other in others(manifests, peer):
                yield (other, mine.name, port) if way == "Ingress" else (mine.name, other, port)


def others(manifests, peer):
    """Whom one peer of a rule stands for: workloads of this namespace by name, what is outside as a tuple."""
    if "ipBlock" in peer:
        return {("elsewhere",)}
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    if "namespaceSelector" in peer:
        namespace = peer["namespaceSelector"].get("matchLabels", {}).get("kubernetes.io/metadata.name")
        if namespace:
            return {(namespace,)} if labels else {(namespace, "all pods")}
        return {("clients",)} if covers({"rapport-client": "true"}, labels) else {("everybody",)}
    return {workload.name for workload in manifests.selected(labels)}


def told(end):
    return end if isinstance(end, str) else " ".join(end)
