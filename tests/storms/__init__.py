"""Storms of alerts: real handlers and `watch` processes, real mail and webhook servers, outages of all."""
