"""What the SAML identity provider remembers: its own keys, and which requests it has answered."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class SamlKey(Base):
    """A key pair that signs assertions, apart from the keys of LTI.

    One signs (`signs_since`, not retired). One more at most waits (no `signs_since`): it stands in
    the metadata before it signs, because a service provider reads those when a person tells it to.
    `fingerprint` is the certificate's SHA-256 in hex.
    """

    __tablename__ = "saml_key"
    __table_args__ = (
        Index(
            "uq_saml_key_one_signs",
            text("(retired_at IS NULL)"),
            unique=True,
            sqlite_where=text("retired_at IS NULL AND signs_since IS NOT NULL"),
            postgresql_where=text("retired_at IS NULL AND signs_since IS NOT NULL"),
        ),
        Index(
            "uq_saml_key_one_waits",
            text("(signs_since IS NULL)"),
            unique=True,
            sqlite_where=text("signs_since IS NULL"),
            postgresql_where=text("signs_since IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    private_pem: Mapped[bytes] = mapped_column(LargeBinary)
    certificate: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    signs_since: Mapped[datetime | None] = mapped_column(Moment)
    retired_at: Mapped[datetime | None] = mapped_column(Moment)


class SamlRequest(Base):
    """A request that was answered; it is kept for longer than its time of issue could pass again.

    `digest` is of the issuer and the id, which together name a request for good.
    """

    __tablename__ = "saml_request"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    answered_at: Mapped[datetime] = mapped_column(Moment)
