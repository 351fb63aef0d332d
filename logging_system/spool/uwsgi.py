"""Says whether this is the process from which uWSGI will fork its workers.

It loads the application there, and forks without regard to the threads of Python: a child forked while one of
them has the interpreter's lock waits for that lock for ever, before it has served a request.
"""

from __future__ import annotations

import sys
from typing import Any


def forks_to_come() -> bool:
    """Return whether uWSGI forks from this process, so that no thread may run in it."""
    # uWSGI itself provides the module; it cannot be imported anywhere else.
    uwsgi: Any = sys.modules.get("uwsgi")
    if not hasattr(uwsgi, "worker_id"):
        return False
    return not (uwsgi.worker_id() or uwsgi.mule_id() or uwsgi.i_am_the_spooler())
