"""Whose Coursera row is whose membership. Pure; never a guess.

A row belongs to the one member that a person confirmed, else to the one whom Coursera was told to
call so, else to the one that the first fruitful rule of `match_by` names. Where external ids are
a rule, the last one is by what a member was called when they first went to Coursera. Two
candidates, or two rows for one member by the same rule: nobody's.

It is decided by joins in the scratch database of the report, where what is found stays:

- `verdicts` (learner, state, member, rule): a state for every learner of the report, 'unmatched',
  'ambiguous' or what `decide` calls those that are matched; `rule` is a rank in `rules`;
- `members` (member_fk, external_id, name, state, by) and `strangers` (external_id, name, state):
  the same as it is stored for the pages, of those who are members and of those who may be none.
"""

from collections.abc import Iterable, Iterator, Sequence
from sqlite3 import Connection
from typing import NamedTuple

from passport_lti.coursera.rows import key


class Identity(NamedTuple):
    """What a platform says of a member, as far as matching needs it; empty: not known.

    `known_as` is the external id of the member's first way to Coursera; with `is_told` it is what
    Coursera itself was told.
    """

    member_id: int
    external_id: str = ""
    email: str = ""
    confirmed: str | None = None
    known_as: str | None = None
    is_told: bool = False


class Matching:
    """Decides for every row of the report in a scratch database; comparisons ignore case.

    `taken` are the keys of rows that were confirmed for somebody, here or elsewhere on the
    platform: where that person is not among the identities, no rule gives the row to another.
    """

    def __init__(
        self, base: Connection, match_by: Sequence[str], taken: Iterable[str] = ()
    ) -> None:
        self._base = base
        for statement in _TABLES:
            self._base.execute(statement)
        self._rules = ("confirmed", "told", *match_by)
        if "external_id" in match_by:
            self._rules += ("known_as",)
        said = ((rank, _SAID.get(rule, rule)) for rank, rule in enumerate(self._rules))
        self._base.executemany("INSERT INTO rules VALUES (?, ?)", said)
        self._base.executemany("INSERT OR IGNORE INTO taken VALUES (?)", ((row,) for row in taken))

    def decide(self, identities: Iterable[Identity], state: str = "matched") -> None:
        """Match these people with the rows that are unmatched until now, which get this state."""
        for statement in _CLEAR:
            self._base.execute(statement)
        names = (name for identity in identities for name in _names(identity))
        self._base.executemany("INSERT INTO names VALUES (?, ?, ?)", names)
        self._base.execute("CREATE INDEX by_name ON names (rule, name, member)")
        for rank, rule in enumerate(self._rules):
            for statement in _CANDIDATES.get(rule, (_BY_EXTERNAL_ID,)):
                self._base.execute(statement, {"rank": rank, "rule": rule})
        self._base.execute(_TWO_MEMBERS)
        self._base.execute(_ONE_MEMBER, {"state": state})

    def strangers(self) -> Iterator[tuple[str, str]]:
        """External id and e-mail of the rows that are nobody's, or not surely."""
        return self._base.execute(_STRANGERS)

    def awaits_addresses(self) -> bool:
        """Whether a row without any e-mail and a member with one are both left over."""
        [found] = self._base.execute(_AWAITS_ADDRESSES)
        return bool(found[0])


def _names(identity: Identity) -> Iterator[tuple[str, str, int]]:
    """What a member goes by: rule, name and member."""
    member = identity.member_id
    if identity.confirmed:
        yield "confirmed", key(identity.confirmed), member
        return
    if identity.known_as:
        yield "told" if identity.is_told else "known_as", key(identity.known_as), member
    if identity.external_id:
        yield "external_id", key(identity.external_id), member
    if identity.email:
        yield "email", key(identity.email), member


_SAID = {"told": "external_id", "known_as": "external_id"}
"""How a rule is called to people."""

_TABLES = (
    *(
        f"DROP {kind} IF EXISTS {name}"
        for kind, name in (
            ("VIEW", "members"), ("VIEW", "strangers"), ("TABLE", "rules"), ("TABLE", "taken"),
            ("TABLE", "verdicts"), ("TABLE", "names"), ("TABLE", "candidates"),
        )
    ),
    "CREATE TABLE rules (rank INTEGER PRIMARY KEY, said TEXT)",
    "CREATE TABLE taken (name TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE verdicts (learner INTEGER PRIMARY KEY, state TEXT, member INTEGER, rule INTEGER)",
    "CREATE TABLE names (rule TEXT, name TEXT, member INTEGER)",
    """CREATE TABLE candidates
        (learner INTEGER, rank INTEGER, member INTEGER, PRIMARY KEY (learner, rank, member))
        WITHOUT ROWID""",
    "INSERT INTO verdicts SELECT id, 'unmatched', NULL, NULL FROM learners",
    "CREATE INDEX by_member ON verdicts (member)",
    # Of several rows that may be one member's the first by name is shown.
    """CREATE VIEW members AS
        SELECT v.member AS member_fk, l.external_id, substr(l.full_name, 1, 255) AS name,
            v.state, r.said AS by
        FROM verdicts v JOIN learners l ON l.id = v.learner JOIN rules r ON r.rank = v.rule
        WHERE v.state = 'matched'
        UNION ALL
        SELECT member, external_id, name, 'ambiguous', NULL FROM (
            SELECT c.member, l.external_id, substr(l.full_name, 1, 255) AS name, min(l.key)
            FROM verdicts v JOIN candidates c ON c.learner = v.learner
            JOIN learners l ON l.id = v.learner
            WHERE v.state = 'ambiguous' GROUP BY c.member
        )""",
    """CREATE VIEW strangers AS
        SELECT l.external_id, substr(l.full_name, 1, 255) AS name, v.state
        FROM verdicts v JOIN learners l ON l.id = v.learner
        WHERE v.state IN ('unmatched', 'ambiguous')""",
)  # fmt: skip
_CLEAR = ("DROP INDEX IF EXISTS by_name", "DELETE FROM names", "DELETE FROM candidates")

_OPEN = """EXISTS (SELECT 1 FROM verdicts v WHERE v.learner = l.id AND v.state = 'unmatched')
    AND NOT EXISTS (SELECT 1 FROM candidates c WHERE c.learner = l.id AND c.rank < :rank)
    AND (:rule = 'confirmed' OR NOT EXISTS (SELECT 1 FROM taken t WHERE t.name = l.key))"""

_BY_EXTERNAL_ID = f"""INSERT OR IGNORE INTO candidates
    SELECT l.id, :rank, n.member FROM names n CROSS JOIN learners l ON l.key = n.name
    WHERE n.rule = :rule AND {_OPEN}"""

# Coursera repeats the e-mail as external id where the organisation gave none.
_BY_EMAIL = f"""INSERT OR IGNORE INTO candidates
    SELECT l.id, :rank, n.member FROM learners l CROSS JOIN names n
    ON n.rule = :rule AND n.name <> ''
        AND n.name IN (l.address, CASE WHEN instr(l.key, '@') THEN l.key ELSE '' END)
    WHERE {_OPEN}"""

# Somebody else who could be known by the same word makes it unclear again.
_OTHERS = """INSERT OR IGNORE INTO candidates
    SELECT c.learner, c.rank, n.member FROM candidates c JOIN learners l ON l.id = c.learner
    JOIN names n ON n.rule IN ('external_id', 'email') AND n.name = l.key
    WHERE c.rank = :rank"""

_CANDIDATES = {"told": (_BY_EXTERNAL_ID, _OTHERS), "email": (_BY_EMAIL,)}
"""What finds the candidates of a rule, where it is not by the external id."""

_TWO_MEMBERS = """INSERT OR REPLACE INTO verdicts
    SELECT learner, 'ambiguous', NULL, NULL FROM candidates GROUP BY learner HAVING count(*) > 1"""

_ONE_MEMBER = """INSERT OR REPLACE INTO verdicts
    WITH torn AS (
        SELECT c.member FROM candidates c JOIN verdicts v ON v.learner = c.learner
        WHERE v.state = 'ambiguous'
    ), claims AS (
        SELECT c.learner, c.member, c.rank,
            rank() OVER (PARTITION BY c.member ORDER BY c.rank) AS place,
            count(*) OVER (PARTITION BY c.member, c.rank) AS rivals
        FROM candidates c JOIN verdicts v ON v.learner = c.learner WHERE v.state = 'unmatched'
    )
    SELECT learner, CASE WHEN rivals = 1 AND member NOT IN torn THEN :state ELSE 'ambiguous' END,
        member, rank
    FROM claims WHERE place = 1"""

_STRANGERS = """SELECT l.external_id, l.email
    FROM verdicts v JOIN learners l ON l.id = v.learner
    WHERE v.state IN ('unmatched', 'ambiguous')"""

_AWAITS_ADDRESSES = """SELECT
    EXISTS (
        SELECT 1 FROM verdicts v JOIN learners l ON l.id = v.learner
        WHERE v.state = 'unmatched' AND l.address = '' AND NOT instr(l.key, '@')
    ) AND EXISTS (
        SELECT 1 FROM names n WHERE n.rule = 'email' AND NOT EXISTS (
            SELECT 1 FROM verdicts v WHERE v.member = n.member AND v.state = 'matched'
        )
    )"""
