"""logquake inside other tools: what a user runs already runs scenarios too."""
