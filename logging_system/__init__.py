"""A complete centralized logging stack for Python."""
