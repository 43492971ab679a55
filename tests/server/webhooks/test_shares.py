"""Places for deliveries are shared out so that no webhook waits for ever beside others of its team."""

from keybearer.server.records import DueWebhook
from keybearer.server.webhooks.shares import MOST_OF_TEAM, MOST_TO_ONE, Shares

TEAM = 7


def test_webhooks_of_a_team_that_has_one_place_left_take_turns() -> None:
    shares, hanging = Shares(), MOST_OF_TEAM - 1
    for place in range(hanging):
        shares.begin(DueWebhook(f"hangs-{place // MOST_TO_ONE}", TEAM))
    quick = [DueWebhook("quick-1", TEAM), DueWebhook("quick-2", TEAM)]
    served = []
    for _ in range(4):
        found = [due for due in quick if due.webhook_id > shares.last] or quick
        [(webhook_id, count)] = shares.share_out(found).items()
        served.append((webhook_id, count))
    assert served == [("quick-1", 1), ("quick-2", 1)] * 2
