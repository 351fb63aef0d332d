"""Real key servers for tests: Vault's transit engine, local-kms and SoftHSM. `make kms` installs them."""
