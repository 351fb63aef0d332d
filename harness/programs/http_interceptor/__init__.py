"""An HTTP fault proxy that changes an Elasticsearch's answers: `python -m harness.programs.http_interceptor`.

    HTTP ── api.py ── interceptor.py ─ listener, rules, counters
                          │
                      passage.py              one client connection, one to the store
                       │      │
                    wire.py  wire.py          bytes and HTTP events (h11)
                          │
                       rules/                 one file a kind: requests_refused, answer_cut …

Without a rule for a request it is transparent: head and body stream through as they come, in both directions
at once, and a connection that the store closes or refuses is closed for the client too; it never makes up an
answer of its own. With a rule it reads the request whole, and the rule decides what the store gets to see and
what the client is told. All chance comes from the seed given with a rule. It listens on loopback only.
"""
