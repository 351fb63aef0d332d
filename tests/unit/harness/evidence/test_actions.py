"""What a receiver got of a stack's actions, as facts."""

from harness.evidence.actions import ActionsReader
from harness.evidence.alerts.messages import Message
from harness.model.declarations import Actions
from harness.model.errors import StackError
from harness.model.facts import ActionsRead, ActionTaken

DECLARED = Actions("to_webhook", "webhook_receiver", "header idempotency-key", "json finding.id")


class Inbox:
    """What a receiver got, or why it cannot be asked."""

    def __init__(self, *messages, error=None):
        self._messages, self._error = messages, error

    def messages(self, word):
        assert word == "run"
        if self._error is not None:
            raise self._error
        return iter(self._messages)


def message(at_ns, key="k", text='{"finding": {"id": "f"}}'):
    headers = (("idempotency-key", key),) if key else ()
    return Message(at_ns, "/run", headers, text)


def read(*messages, error=None):
    return list(ActionsReader(DECLARED, lambda: Inbox(*messages, error=error), "run").whole(9))


def test_a_message_is_an_action_of_when_it_came():
    assert read(message(5)) == [ActionTaken(5, "k", "f"), ActionsRead(9)]


def test_a_message_that_does_not_say_what_it_is_is_counted_and_told():
    *_actions, told = read(message(5, key=""), message(6), message(7, text="{}"))
    assert told.unreadable == 2
    assert told.example.startswith("a message has no header idempotency-key: ")


def test_a_receiver_that_cannot_be_asked_is_told():
    assert read(error=StackError("gone")) == [ActionsRead(9, unread="gone")]


def test_before_the_end_nobody_is_asked():
    reader = ActionsReader(DECLARED, lambda: Inbox(error=AssertionError()), "run", 7)
    assert (list(reader.look(3)), reader.settled_ns) == ([], 7)
