"""`logquake baseline compare`, tried on versions that are the same and on versions that are slower.

    make prove-regression
    python -m tests.benchmarks.regressions --noop 50 --planted 10 --planted 20 --resume FILE

A comparison of the same version with itself that ends in FAIL is a false regression: none is allowed. How
often a planted one is found is the power of the rule at this machine's noise.
"""
