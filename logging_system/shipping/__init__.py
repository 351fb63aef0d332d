"""From the spool to the store: the process, the thread, and what could not be indexed."""
