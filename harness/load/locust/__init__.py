"""Load by Locust, a master and workers, each a process. A Locust file of your own imports `send`."""

from harness.load.locust.sending import send

__all__ = ["send"]
