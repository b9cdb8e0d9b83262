"""Errors, named for what the caller does next.

The clients in `lti` and `coursera` translate HTTP into these once; nobody above them looks at a
status code. Every message is one sentence for people and carries no secret, name or e-mail.
"""

from collections.abc import Sequence


class PassportError(Exception):
    """Anything that the tool explains in one sentence instead of a traceback."""


class ConfigError(PassportError):
    """The configuration can't be used; `problems` holds one `FILE:LINE: key: what` line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class LaunchRefused(PassportError):
    """An LTI message that must not pass; `code` is one of the codes of the contract."""

    def __init__(self, code: str, detail: str = "", status: int = 400) -> None:
        self.code = code
        self.detail = detail
        self.status = status
        super().__init__(f"{code}: {detail}" if detail else code)


class SignOnRefused(PassportError):
    """A SAML sign-on that must not happen; `code` is stable, `detail` for the administrator."""

    def __init__(self, code: str, detail: str = "", status: int = 400) -> None:
        self.code = code
        self.detail = detail
        self.status = status
        super().__init__(f"{code}: {detail}" if detail else code)


class ServiceError(PassportError):
    """A call to a platform or to Coursera did not do what it should; `reason` is a stable code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class RetryLater(ServiceError):
    """The same call may succeed later; `after` is the other side's own wish in seconds, if any."""

    def __init__(self, reason: str, detail: str = "", after: float | None = None) -> None:
        super().__init__(reason, detail)
        self.after = after


class AnswerLost(RetryLater):
    """The call may or may not have been carried out: look before doing it again."""


class Rejected(ServiceError):
    """The same call will be refused again until something else changes."""


class Gone(Rejected):
    """What the call was about does not exist any more."""


class Conflict(Rejected):
    """The other side holds something equally new or newer: read it before deciding."""
