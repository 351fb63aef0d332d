"""Has the library that the backend `containers` starts its services with."""

import sys
from importlib.util import find_spec

if find_spec("testcontainers") is None:
    sys.exit("testcontainers is not installed; pip install 'logquake[containers]'")
from testcontainers.core.container import DockerContainer

assert DockerContainer("nothing")
