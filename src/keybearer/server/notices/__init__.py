"""Mails about tokens and apps that end: put down with the change, composed and sent later."""
