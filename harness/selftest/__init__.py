"""Known-bad stacks as real processes, and the examination that must see each of them blocked."""
