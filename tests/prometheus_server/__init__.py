"""The real Prometheus and its `promtool` for tests, of Debian's package. `make servers` fetches it."""
