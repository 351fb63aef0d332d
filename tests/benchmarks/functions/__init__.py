"""Hot functions, each beside a reference that does the least that such work can take, measured in one run."""
