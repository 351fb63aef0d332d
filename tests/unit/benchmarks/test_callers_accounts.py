from tests.benchmarks.callers.outcome import OURS, Account, Outcome, costs, goal_rows, headline, losses


def outcome(contender, account, *, state="dead", turn=0, killed=False, exit_seconds=1.0, **figures):
    measured = {
        "thread_cpu_us": 20.0,
        "process_cpu_us": 40.0,
        "call_p99_us": 200.0,
        "null_thread_cpu_us": 10.0,
        "null_process_cpu_us": 10.0,
        "null_call_p99_us": 100.0,
        "call_max_ms": 3.0,
        "response_p99_ms": 4.0,
        "memory_mib": 5.0,
        **figures,
    }
    return Outcome(contender, turn, state, measured, exit_seconds, killed, account)


def cells(table, line=0):
    return [cell.strip() for cell in table.splitlines()[2 + line].strip("|").split("|")]


def test_silently_lost_is_what_neither_arrived_nor_was_counted_nor_is_held():
    account = Account(offered=100, arrived=60, counted=25, held=10)

    assert account.silently_lost == 5


def test_without_a_counter_everything_that_did_not_arrive_is_silently_lost():
    account = Account(offered=100, arrived=60, counted=None, held=10)

    assert account.silently_lost == 30


def test_records_counted_as_dropped_that_arrived_nevertheless_show_as_negative():
    account = Account(offered=100, arrived=90, counted=12, held=0)

    assert account.silently_lost == -2


def test_accounts_of_several_rounds_add_up():
    total = Account(100, 60, 25, 10) + Account(100, 90, 0, 10)

    assert total == Account(200, 150, 25, 20)


def test_a_sum_with_one_that_cannot_say_cannot_say():
    assert (Account(100, 60, 25, 10) + Account(100, 60, None, 10)).counted is None


def test_losses_are_summed_over_the_rounds_and_silent_ones_stand_out():
    table = losses(
        [outcome("peer", Account(100, 60, 25, 10)), outcome("peer", Account(100, 60, 25, 15), turn=1)]
    )

    assert cells(table)[:7] == ["peer", "dead", "200", "120", "50", "25", "**5**"]


def test_one_that_has_no_counter_says_so():
    assert "cannot say" in cells(losses([outcome("peer", Account(100, 60, None, 0))]))


def test_a_contender_that_keeps_nothing_has_no_line_among_the_losses():
    assert len(losses([outcome("NullHandler", None, state="")]).splitlines()) == 2


def test_an_end_that_had_to_be_forced_is_told():
    ends = [
        outcome("peer", Account(1, 1, 0, 0), exit_seconds=3.0),
        outcome("peer", Account(1, 1, 0, 0), exit_seconds=35.0, turn=1, killed=True),
    ]

    assert cells(losses(ends))[-1] == "19.0 (3.0 to 35.0), killed 1 of 2"


def test_cpu_is_a_ratio_to_the_nullhandler_of_the_same_process():
    table = costs(
        [
            outcome("peer", None, thread_cpu_us=30.0, null_thread_cpu_us=10.0),
            outcome("peer", None, thread_cpu_us=80.0, null_thread_cpu_us=20.0, turn=1),
            outcome("peer", None, thread_cpu_us=20.0, null_thread_cpu_us=10.0, turn=2),
        ]
    )

    assert cells(table)[2] == "3.00 (2.00 to 4.00)"


def test_a_percentile_is_a_ratio_to_the_median_of_the_nullhandlers_of_its_round():
    table = costs(
        [
            outcome("one", None, call_p99_us=300.0, null_call_p99_us=100.0),
            outcome("two", None, null_call_p99_us=150.0),
            outcome("three", None, null_call_p99_us=900.0),
            outcome("one of another round", None, null_call_p99_us=1.0, turn=1),
        ]
    )

    assert cells(table)[4] == "2.00"


def test_goals_are_for_this_project_alone():
    peer, mine = outcome("peer", Account(9, 0, 0, 0)), outcome(OURS[0], Account(9, 9, 0, 0))

    assert {row.what.split(":")[0] for row in goal_rows([peer, mine])} == {OURS[0]}


def test_the_worst_state_of_the_store_is_held_against_a_goal_in_each_round():
    rows = goal_rows(
        [
            outcome(OURS[0], Account(9, 9, 0, 0), state="healthy", exit_seconds=1.0),
            outcome(OURS[0], Account(9, 7, 1, 0), state="dead", exit_seconds=4.0),
            outcome(OURS[0], Account(9, 9, 0, 0), state="healthy", exit_seconds=7.0, turn=1),
        ]
    )

    assert [row.value for row in rows if row.what.endswith(": exit")] == [4.0, 7.0]
    assert [row.value for row in rows if row.what.endswith(": silently lost")] == [1, 0]


def test_the_headline_speaks_of_the_dead_store_and_never_rounds_a_loss_away():
    table = headline(
        [
            outcome("peer", Account(100_000, 99_999, 0, 0), state="healthy"),
            outcome("peer", Account(100_000, 99_999, 0, 0)),
            outcome("all kept", Account(10, 0, 0, 10)),
        ]
    )

    assert len(table.splitlines()) == 4
    assert cells(table)[:4] == ["peer", "99.9 %", "0 %", "0.1 %"]
    assert cells(table, 1)[:4] == ["all kept", "100 %", "0 %", "0 %"]
