"""The package as strangers install it: each extra alone, in a new environment, and what it does there."""
