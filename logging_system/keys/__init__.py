"""Key-encryption keys: who keeps them, which version is used for what, and how one follows another."""
