"""Has the library that services in containers are started with, and can describe one; no daemon is asked."""

from testcontainers.core.container import DockerContainer

assert callable(DockerContainer.with_bind_ports)
