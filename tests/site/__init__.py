"""The built documentation site, which `make docs` makes first."""
