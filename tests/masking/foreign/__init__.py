"""Text that others wrote and labelled, and real logs without secrets."""
