"""Several gateways and several nodes on one machine, each of which is killed in turn: `make prove-many`."""
