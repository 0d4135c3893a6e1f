"""The rules that each pod is held to. Each yields what is wrong, a sentence for each fault."""

import re

from manifests import SUITE, environment

# Services that another one needs to have somewhere, as `rapport serve` says when it has not.
NEEDS = {"orders": {"accounts"}, "aggregator": {"accounts", "orders", "interactions", "feedback"}}
# How long a process takes to close what is open, after its grace period: LONGEST_CLOSING in the runtime.
CLOSING = 5
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def safety(manifests):
    """Least rights, bounded memory, and no privilege to gain."""
    for workload in manifests.workloads:
        pod = workload.pod
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{workload}: may run as root"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{workload}: has no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{workload}: has the token of a service account"
        if pod.get("enableServiceLinks") is not False:
            yield f"{workload}: has variables of other services"
        account = pod.get("serviceAccountName")
        if account and manifests.named("ServiceAccount", account) is None:
            yield f"{workload}: there is no service account {account}"
        for container in workload.containers:
            name = f"{workload}, container {container['name']}"
            context = container.get("securityContext", {})
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{name}: may write to its own root"
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield f"{name}: may gain privileges"
            if context.get("capabilities", {}) != {"drop": ["ALL"]}:
                yield f"{name}: has capabilities"
            if context.get("runAsNonRoot") is False or context.get("runAsUser") == 0:
                yield f"{name}: runs as root"
            resources = container.get("resources", {})
            for kind, what in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if what not in resources.get(kind, {}):
                    yield f"{name}: {kind} say nothing of {what}"


def probes(manifests, served):
    """Probes ask what is there and served (`served` tells who serves which gRPC service), and an end has its time."""
    for workload in manifests.workloads:
        for container in workload.containers:
            name = f"{workload}, container {container['name']}"
            for probe in PROBES:
                asked = container.get(probe)
                if not asked:
                    yield f"{name}: has no {probe}"
                    continue
                port = asked.get("grpc", asked.get("httpGet", {})).get("port")
                if "exec" not in asked and workload.number(port) is None:
                    yield f"{name}: {probe} asks port {port}, which it does not have"
                service = asked.get("grpc", {}).get("service", "")
                if service and served.get(service) not in workload.services:
                    yield f"{name}: {probe} asks for {service}, which it does not serve"
            grace = environment(container).get("RAPPORT_GRACE_PERIOD")
            if grace is not None:
                pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                if workload.pod.get("terminationGracePeriodSeconds", 30) < pause + float(grace) + CLOSING:
                    yield f"{name}: is killed before its grace period is over"


def variables(manifests, flags):
    """Every variable is one of the binary's `flags`, has what it is made of, and points to what there is."""
    for workload in manifests.workloads:
        for container in workload.containers:
            name = f"{workload}, container {container['name']}"
            seen = set()
            values = environment(container)
            for variable, value in values.items():
                if variable.startswith("RAPPORT_") and variable not in flags:
                    yield f"{name}: rapport does not know {variable}"
                if isinstance(value, str):
                    for part in re.findall(r"\$\((\w+)\)", value):
                        if part not in seen:
                            yield f"{name}: {variable} is made of {part}, which does not come before it"
                    if re.search(r"://[^/@:]*:(?!\$\()[^/@]+@", value):
                        yield f"{name}: {variable} has a password in it"
                    if variable.startswith("RAPPORT_") and value.startswith("/") and mounted(container, value) is None:
                        yield f"{name}: {variable} is {value}, where nothing is mounted"
                seen.add(variable)
            if workload.services:
                yield from complete(workload, name, values)


def complete(workload, name, values):
    """A process of the suite has all that it does not start without, and no truth of its own in a replica."""
    if unknown := workload.services - SUITE:
        yield f"{name}: serves {', '.join(sorted(unknown))}, which there is not"
    if "RAPPORT_AUTH_TOKENS" not in values:
        yield f"{name}: knows its callers by nothing"
    for service in sorted(workload.services):
        for other in sorted(NEEDS.get(service, set()) - workload.services):
            if f"RAPPORT_{other.upper()}_ENDPOINT" not in values:
                yield f"{name}: {service} is not told where {other} is"
        if not {"RAPPORT_DATABASE", f"RAPPORT_{service.upper()}_DATABASE"} & set(values):
            if workload.kind != "StatefulSet" or workload.thing["spec"].get("replicas") != 1:
                yield f"{name}: each replica of {service} would have a database of its own"
    if any(variable.endswith("_ENDPOINT") for variable in values) and workload.services != SUITE:
        needed = any(NEEDS.get(service) for service in workload.services)
        if needed and "RAPPORT_PEER_TOKEN" not in values:
            yield f"{name}: has no token to show to the others"


def files(manifests):
    """Whatever is mounted is a volume, and whatever a volume takes from here is here."""
    for workload in manifests.workloads:
        there = set(workload.volumes) | set(workload.claims)
        used = {mount["name"] for container in workload.containers for mount in container.get("volumeMounts", [])}
        for volume in sorted(used ^ there):
            yield f"{workload}: volume {volume} is {'mounted, but not there' if volume in used else 'never mounted'}"
        for volume in workload.volumes.values():
            source = volume.get("configMap")
            if source and manifests.named("ConfigMap", source["name"]) is None:
                yield f"{workload}: there is no ConfigMap {source['name']}"


def secrets(manifests):
    """The (secret, key) pairs that the pods ask for, by variable or as a file."""
    for workload in manifests.workloads:
        for container in workload.containers:
            for value in environment(container).values():
                reference = value.get("secretKeyRef") if isinstance(value, dict) else None
                if reference:
                    yield reference["name"], reference["key"]
                mount = mounted(container, value) if isinstance(value, str) else None
                secret = workload.volumes.get(mount["name"], {}).get("secret") if mount else None
                if secret:
                    yield secret["secretName"], value[len(mount["mountPath"]) :].strip("/")
        for volume in workload.volumes.values():
            for item in volume.get("secret", {}).get("items", []):
                yield volume["secret"]["secretName"], item["key"]


def mounted(container, path):
    """The mount that a path is under."""
    return next((m for m in container.get("volumeMounts", []) if f"{path}/".startswith(f"{m['mountPath']}/")), None)
