"""The words of mails: one template per kind, part and language."""

from commerce.providers.mail_templates.render import DEFAULT_LOCALE, RenderedMail, render

__all__ = ["DEFAULT_LOCALE", "RenderedMail", "render"]
