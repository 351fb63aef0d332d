"""Where services come from, one file a backend, and how a stack's own processes run."""

from harness.model.registry import Family, Kind

BACKENDS = Family(
    "backend",
    {
        "attached": Kind(
            "harness.deployments.attached:AttachedServices",
            "your own services, which the stack file names; logquake does not start, stop or kill them",
        ),
        "containers": Kind(
            "harness.deployments.containers:ContainerServices",
            "Elasticsearch, Toxiproxy and Mailpit as containers of this machine's Docker daemon",
        ),
        "embedded": Kind(
            "harness.deployments.embedded:EmbeddedServices",
            "logquake's own small Elasticsearch and fault proxy; needs nothing installed",
        ),
        "local": Kind(
            "harness.deployments.local:LocalServices",
            "the real Elasticsearch and Toxiproxy, installed by `logquake servers install`",
        ),
    },
)
