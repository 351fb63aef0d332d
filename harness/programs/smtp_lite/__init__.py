"""A mail server that keeps what it is sent and delivers nothing: SMTP by aiosmtpd, a part of Mailpit's API.

A message is answered 250 once it is on the disk, with time, envelope and bytes. Over HTTP:

* `GET /api/v1/messages?start=0&limit=50` lists messages, newest first; `GET /api/v1/message/ID/raw` shows
  one.
* `GET` and `PUT /api/v1/chaos` say with which probability, in percent, a sender or a recipient is refused,
  and with which code, as Mailpit's chaos does. A restart makes it honest again.
"""
