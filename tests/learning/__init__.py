"""Whether the engine learns what helps, on real faults: real processes, and runbooks that really act."""
