"""The texts of mails about addresses and webhooks; but for an address, no word in them was chosen by a stranger."""

from dataclasses import dataclass

from keybearer.server.accounts.mailed_links import AddressAsked
from keybearer.server.mail.mailer import Letter
from keybearer.server.records import Webhook
from keybearer.server.rules.redelivery import MOST_FAILURES
from keybearer.server.settings import Settings


@dataclass(frozen=True, slots=True)
class Letters:
    """
    Writes mails.

    Args:
        settings: the product's name, and the issuer: every link begins with it, whatever a request's headers say.
    """

    settings: Settings

    def address_asked(self, asked: AddressAsked) -> Letter:
        """Ask the present address whether the wanted one is to count; or tell it that it never will."""
        return self._address_is_taken(asked) if asked.is_taken else self._address_is_free(asked)

    def address_to_prove(self, email: str, link: str) -> Letter:
        """Ask an address to show that it is its user's."""
        text = f"""\
This is the email address of a {self.settings.product_name} account.

To show that it is yours, open this link within 24 hours and confirm it:

{self._link(link)}

If you have no such account, ignore this mail. Somebody has mistyped their own
address, and cannot get into your mailbox.
"""
        return Letter(email, f"Confirm your email address for {self.settings.product_name}", text)

    def webhook_is_off(self, email: str, webhook: Webhook) -> Letter:
        """Tell an owner that events are no longer sent, and where to see why."""
        text = f"""\
A webhook of one of your teams on {self.settings.product_name} is switched off: {MOST_FAILURES} events
in a row could not be delivered, each tried several times.

What became of each event, and the button that switches the webhook on again,
are here, in the {webhook.environment} team with the id {webhook.team_id}:

{self.settings.issuer}/team/webhooks/{webhook.webhook_id}

Events that happen until then are not sent. Nothing else has changed: your
tokens and apps work as before.
"""
        return Letter(email, f"A webhook is switched off on {self.settings.product_name}", text)

    def _address_is_free(self, asked: AddressAsked) -> Letter:
        text = f"""\
Somebody who is signed in to your {self.settings.product_name} account, or uses one of its
tokens, wants to change its email address

from {asked.present}
to   {asked.wanted}

If that is you, open this link within 24 hours and confirm it:

{self._link(asked.link)}

{self._if_it_was_somebody_else()}"""
        return Letter(asked.present, f"Change your email address for {self.settings.product_name}?", text)

    def _address_is_taken(self, asked: AddressAsked) -> Letter:
        text = f"""\
Somebody who is signed in to your {self.settings.product_name} account, or uses one of its
tokens, wants to change its email address

from {asked.present}
to   {asked.wanted}

That address cannot be used for your account, so nothing changes. Choose
another one here:

{self.settings.issuer}/settings/account

{self._if_it_was_somebody_else()}"""
        return Letter(asked.present, f"Your email address for {self.settings.product_name} stays", text)

    def _if_it_was_somebody_else(self) -> str:
        return f"""\
If it is not you, your address stays as it is. But somebody has got into your
account: change your password, and revoke all your tokens and apps with it.

{self.settings.issuer}/settings/security
"""

    def _link(self, text: str) -> str:
        return f"{self.settings.issuer}/mail-link/{text}"
