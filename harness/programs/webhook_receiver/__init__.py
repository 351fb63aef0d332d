"""A webhook receiver: takes every POST, writes it down durably, and shows what came.

`POST` to any path is answered 200 once time, path, headers and body are on the disk, and so are `PUT` and
`PATCH`. `GET /received` shows what came, oldest first, from the message numbered `start` on. `GET` of any
other path with a header `idempotency-key` says whether a message with that key came to it: 200, or 404.
"""
