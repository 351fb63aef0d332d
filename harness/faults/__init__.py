"""Ways to hurt a target, one file a kind."""

from harness.model.registry import Family, Kind

FAULTS = Family(
    "fault",
    {
        "connection_reset": Kind(
            "harness.faults.connection_reset:ConnectionReset", "connections are reset as soon as data flows"
        ),
        "black_hole": Kind("harness.faults.black_hole:BlackHole", "bytes vanish, connections stay open"),
        "latency": Kind("harness.faults.latency:Latency", "everything through a link takes longer"),
        "bandwidth": Kind("harness.faults.bandwidth:Bandwidth", "a link takes only so many bytes a second"),
        "flapping": Kind(
            "harness.faults.flapping:Flapping", "a link goes down and comes up, again and again"
        ),
        "frozen": Kind(
            "harness.faults.frozen:Frozen", "a process is paused (SIGSTOP), its connections stay open"
        ),
        "spike": Kind(
            "harness.faults.spike:Spike", "the schedule sends a burst; this step proves that it happened"
        ),
        "killed": Kind(
            "harness.faults.killed:Killed", "a process is killed by SIGKILL and started again at the end"
        ),
        "stopped": Kind(
            "harness.faults.stopped:Stopped", "a process is ended cleanly and started again at the end"
        ),
        "answer_cut": Kind(
            "harness.faults.answer_cut:AnswerCut", "the store commits, and its answer never arrives"
        ),
        "requests_refused": Kind(
            "harness.faults.requests_refused:RequestsRefused", "whole requests get a 429 or another error"
        ),
        "items_refused": Kind(
            "harness.faults.items_refused:ItemsRefused", "single documents of a bulk get 429, 400 or 503"
        ),
        "poison_document": Kind(
            "harness.faults.poison_document:PoisonDocument", "chosen records are refused for good"
        ),
        "body_limited": Kind(
            "harness.faults.body_limited:BodyLimited", "requests above a size get an empty 413"
        ),
        "lying_answers": Kind(
            "harness.faults.lying_answers:LyingAnswers", "a 200 for requests that the store never saw"
        ),
        "bit_flip": Kind(
            "harness.faults.bit_flip:BitFlip", "single bits of a stack's files on disk are flipped, for good"
        ),
        "folder_gone": Kind(
            "harness.faults.folder_gone:FolderGone", "the folder of a stack's files is gone, and comes back"
        ),
        "disk_full": Kind(
            "harness.faults.disk_full:DiskFull", "the disk of a stack's files has no room left"
        ),
        "key_rotated": Kind(
            "harness.faults.key_rotated:KeyRotated",
            "the encryption keys are rotated, once or repeatedly",
        ),
        "key_revoked": Kind(
            "harness.faults.key_revoked:KeyRevoked", "the version of the keys in use is revoked, for good"
        ),
        "key_lost": Kind("harness.faults.key_lost:KeyLost", "the key provider's files are lost, for good"),
        "kms_unavailable": Kind(
            "harness.faults.kms_unavailable:KmsUnavailable", "no key can be had, and then it can again"
        ),
        "garbage_answers": Kind(
            "harness.faults.garbage_answers:GarbageAnswers",
            "a 200 with bytes that mean nothing, for every request",
        ),
        "new_error": Kind(
            "harness.faults.new_error:NewError",
            "the schedule sends errors of a new kind; this step proves that the load goes on",
        ),
        "mail_refused": Kind(
            "harness.faults.mail_refused:MailRefused", "a mail server asks everybody to try again later"
        ),
        "clock_jump": Kind(
            "harness.faults.clock_jump:ClockJump", "the wall clock of the stack jumps, and back at the end"
        ),
        "slow_answers": Kind("harness.faults.slow_answers:SlowAnswers", "the store answers late"),
    },
)
