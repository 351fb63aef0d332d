"""What the reference stack finds under the suites `default` and `disk`, and while nothing is wrong."""
