"""How the Hypothesis LMS app sends scores, re-created: one task, one transaction, one score.

Each score is a row with its sync, assignment and user, loaded by the ORM; the token stands in a
table; each task has an HTTP session of its own, and a second task looks whether the sync is
complete. On PostgreSQL where it is here. The task queue itself is left out, to its advantage.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import DateTime, ForeignKey, create_engine, exists, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

import databases
from benchmarks.senders import KIND, Send, score
from passport_lti.lti.ags import SCORE

WAIT = (10, 10)
"""Seconds to connect, and for the answer."""


class Base(DeclarativeBase):
    """The tables of the re-creation, filled by hand."""


class Token(Base):
    __tablename__ = "token"
    id: Mapped[int] = mapped_column(primary_key=True)
    scopes: Mapped[str]
    text: Mapped[str]
    expires_at: Mapped[float]


class Assignment(Base):
    __tablename__ = "assignment"
    id: Mapped[int] = mapped_column(primary_key=True)
    line_item: Mapped[str]


class Sync(Base):
    __tablename__ = "sync"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    status: Mapped[str] = mapped_column(default="in_progress")
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    assignment: Mapped[Assignment] = relationship()


class User(Base):
    __tablename__ = "lms_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    sub: Mapped[str]


class Wanted(Base):
    __tablename__ = "sync_grade"
    id: Mapped[int] = mapped_column(primary_key=True)
    sync_id: Mapped[int] = mapped_column(ForeignKey("sync.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("lms_user.id"))
    grade: Mapped[float]
    success: Mapped[bool | None]
    sync: Mapped[Sync] = relationship()
    user: Mapped[User] = relationship()


LEARNERS = 5000
"""Rows that are there to be sent, each once."""


@contextmanager
def hypothesis_like(url: str) -> Iterator[Send]:
    """One task, one transaction and one score; learners beyond `LEARNERS` are not there."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with _database() as address:
        engine = create_engine(address, pool_size=32)
        try:
            Base.metadata.create_all(engine)
            with Session(engine) as session, session.begin():
                assignment = Assignment(line_item=f"{url}/hypothesis/0/lineitem")
                sync = Sync(id=1, assignment=assignment, created=datetime.now(UTC))
                session.add(sync)
                for number in range(1, LEARNERS + 1):
                    user = User(sub=str(number))
                    session.add(Wanted(id=number, sync=sync, user=user, grade=50.0))

            def send(number: int) -> None:
                with Session(engine) as session, session.begin():
                    _task(session, number + 1, url, key)
                with Session(engine) as session, session.begin():
                    _complete(session)

            yield send
        finally:
            engine.dispose()


@contextmanager
def _database() -> Iterator[str]:
    with ExitStack() as last:
        try:
            address = last.enter_context(databases.postgresql())
        except pytest.skip.Exception:
            folder = last.enter_context(tempfile.TemporaryDirectory(prefix="hypothesis-"))
            address = f"sqlite:///{folder}/grades.db"
        yield address


def _task(session: Session, number: int, url: str, key: rsa.RSAPrivateKey) -> None:
    wanted = session.get_one(Wanted, number)
    body = {**score(wanted.user.sub), "timestamp": wanted.sync.created.isoformat()}
    address = f"{wanted.sync.assignment.line_item}/scores"
    with requests.Session() as http:
        bearer = {"Authorization": f"Bearer {_token(session, http, url, key)}"}
        headers = {**bearer, "Content-Type": KIND}
        http.post(address, json=body, headers=headers, timeout=WAIT).raise_for_status()
    wanted.success = True


def _token(session: Session, http: requests.Session, url: str, key: rsa.RSAPrivateKey) -> str:
    now = time.time()
    found = session.scalars(
        select(Token).where(Token.scopes == SCORE, Token.expires_at > now + 60)
    ).first()
    if found is None:
        claims = {"iss": "bench", "sub": "bench", "aud": f"{url}/token", "iat": now}
        form = {
            "grant_type": "client_credentials", "scope": SCORE,
            "client_assertion": jwt.encode(claims, key, algorithm="RS256"),
        }  # fmt: skip
        answer = http.post(f"{url}/token", data=form, timeout=WAIT).json()
        until = now + answer["expires_in"]
        found = Token(scopes=SCORE, text=answer["access_token"], expires_at=until)
        session.add(found)
    return found.text


def _complete(session: Session) -> None:
    sync = session.get_one(Sync, 1)
    waiting = exists().where(Wanted.sync_id == sync.id, Wanted.success.is_(None))
    if not session.scalar(select(waiting)):
        sync.status = "finished"
