"""Every setting, from code, environment and files."""
