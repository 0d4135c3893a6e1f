"""Rendered manifests, and what belongs together in them."""

import yaml

SUITE = {"accounts", "orders", "interactions", "feedback", "aggregator"}


class Manifests:
    """All objects that one `kubectl apply` would send."""

    def __init__(self, objects):
        self.objects = objects
        self.workloads = [Workload(thing) for kind in ("Deployment", "StatefulSet") for thing in self.of(kind)]

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls([thing for thing in yaml.safe_load_all(file) if thing])

    def of(self, kind):
        return [thing for thing in self.objects if thing["kind"] == kind]

    def named(self, kind, name):
        return next((thing for thing in self.of(kind) if thing["metadata"]["name"] == name), None)

    def selected(self, selector):
        """The workloads whose pods a plain selector takes, such as that of a Service."""
        return [workload for workload in self.workloads if covers(selector, workload.labels)]

    def behind(self, host):
        """The workloads that a name such as `orders` or `nats-0.nats` leads to; none outside of this namespace."""
        service = self.named("Service", host.split(".")[0])
        if service is None and "." in host:
            pod, name = host.split(".")[:2]
            service = self.named("Service", name)
            sets = [w.thing for w in self.workloads if w.kind == "StatefulSet" and w.name == pod.rpartition("-")[0]]
            if not any(thing["spec"]["serviceName"] == name for thing in sets):
                return []
        return self.selected(service["spec"]["selector"]) if service else []


class Workload:
    """A Deployment or StatefulSet, and its pods."""

    def __init__(self, thing):
        self.thing = thing
        self.kind = thing["kind"]
        self.name = thing["metadata"]["name"]
        self.labels = thing["spec"]["template"]["metadata"]["labels"]
        self.pod = thing["spec"]["template"]["spec"]
        self.containers = self.pod.get("initContainers", []) + self.pod["containers"]
        self.claims = [claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])]
        self.volumes = {volume["name"]: volume for volume in self.pod.get("volumes", [])}

    def __str__(self):
        return f"{self.kind} {self.name}"

    @property
    def services(self):
        """The services of the suite that it runs; all five if its command names none; none if it is something else."""
        words = [word for container in self.containers for word in container.get("args", [])]
        if words[:1] != ["serve"]:
            return set()
        return set(words[1:]) or SUITE

    @property
    def ports(self):
        return [port for container in self.containers for port in container.get("ports", [])]

    def number(self, port):
        """The number of a port that is told by name or number; none if the pods do not have it."""
        return next((p["containerPort"] for p in self.ports if port in (p.get("name"), p["containerPort"])), None)


def covers(selector, labels):
    """Whether these labels have all that is asked for; nothing asked for is anything."""
    return all(labels.get(key) == value for key, value in (selector or {}).items())


def environment(container):
    """Its variables: name to the value, or to where the value comes from."""
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container.get("env", [])}
