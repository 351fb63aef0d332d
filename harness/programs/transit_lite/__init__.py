"""A small key server that speaks the part of Vault's HTTP API that wrapping data keys needs."""
