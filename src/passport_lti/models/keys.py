"""Secrets at rest: our signing keys and the platforms' access tokens, both encrypted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from passport_lti.extensions import Base
from passport_lti.models.types import Moment


class SigningKey(Base):
    """An RSA key pair of the tool; exactly one has no `retired_at`."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "uq_signing_key_one_active",
            text("(retired_at IS NULL)"),
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    private_pem: Mapped[bytes] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    retired_at: Mapped[datetime | None] = mapped_column(Moment)


class AccessToken(Base):
    """A platform's bearer token for one set of scopes, shared by all processes.

    It was given at `issued_at` and is not used from `expires_at` on, which lies before the end of
    its life.
    """

    __tablename__ = "access_token"
    __table_args__ = (UniqueConstraint("platform_id", "scopes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id"))
    scopes: Mapped[str] = mapped_column(String(500))
    granted: Mapped[str] = mapped_column(String(500), default="")
    token: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
