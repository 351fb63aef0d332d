"""Made-up secrets (canaries) that the load plants, and the search for them wherever a stack leaves bytes."""
