"""Frozen rows: how data travels between store, actions and doors. Times are microseconds since 1970 UTC."""

from keybearer.server.records.activity import ActivityFilter, ActivityLog, LogName, Tally
from keybearer.server.records.credentials import (
    Authorization,
    Client,
    ClientSecret,
    Code,
    Family,
    FamilyStanding,
    Grant,
    HeldRefresh,
    HeldToken,
    IssuedAccess,
    Succession,
)
from keybearer.server.records.notices import Expiry, Notice, Standing, ToldNotice
from keybearer.server.records.people import Attempts, MailLink, Member, PasswordAttempt, Place, Session, Team, User
from keybearer.server.records.verifiers import Report, ResourceServer, Verifier
from keybearer.server.records.webhooks import Answer, ClaimedDelivery, Delivery, DueWebhook, SealedSecrets, Webhook

__all__ = (
    "ActivityFilter",
    "ActivityLog",
    "Answer",
    "Attempts",
    "Authorization",
    "ClaimedDelivery",
    "Client",
    "ClientSecret",
    "Code",
    "Delivery",
    "DueWebhook",
    "Expiry",
    "Family",
    "FamilyStanding",
    "Grant",
    "HeldRefresh",
    "HeldToken",
    "IssuedAccess",
    "LogName",
    "MailLink",
    "Member",
    "Notice",
    "PasswordAttempt",
    "Place",
    "Report",
    "ResourceServer",
    "SealedSecrets",
    "Session",
    "Standing",
    "Succession",
    "Tally",
    "Team",
    "ToldNotice",
    "User",
    "Verifier",
    "Webhook",
)
