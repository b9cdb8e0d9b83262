"""Whose Coursera row is whose membership: every rule, and never a guess."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport_lti.coursera.rows import RawRow, key
from passport_lti.coursera.sweep import Sweep
from passport_lti.sync.people import matching
from passport_lti.sync.people.matching import Identity

BOTH = ("external_id", "email")


class Row(NamedTuple):
    external_id: str
    email: str = ""


class Matching(NamedTuple):
    """What was decided, by the external ids of the rows."""

    members: dict[str, tuple[int, str]] = {}
    ambiguous: dict[str, tuple[int, ...]] = {}
    unmatched: tuple[str, ...] = ()


def match(
    rows: Iterable[Row],
    people: Iterable[Identity],
    rules: Sequence[str],
    taken: Iterable[str] = (),
) -> Matching:
    """Decide over a report with these rows."""
    with report(rows) as found:
        matching.Matching(found.scratch, rules, taken).decide(people)
        return decided(found)


def report(rows: Iterable[Row]) -> Sweep:
    found = Sweep("p", "c", datetime(2026, 1, 5, tzinfo=UTC))
    for row in rows:
        found._keep(RawRow(row.external_id, row.email, "", "p", "c", None, {}, False, 0))
    return found


def decided(found: Sweep) -> Matching:
    members = found.scratch.execute("SELECT external_id, member_fk, by FROM members WHERE by <> ''")
    unmatched = found.scratch.execute(
        "SELECT external_id FROM strangers WHERE state = 'unmatched' ORDER BY external_id"
    )
    torn = found.scratch.execute(
        "SELECT l.external_id, c.member FROM verdicts v JOIN candidates c ON c.learner = v.learner"
        " JOIN learners l ON l.id = v.learner WHERE v.state = 'ambiguous' ORDER BY c.member"
    )
    ambiguous: dict[str, tuple[int, ...]] = {}
    for row, member in torn:
        ambiguous[row] = (*ambiguous.get(row, ()), member)
    return Matching(
        {row: (member, by) for row, member, by in members},
        ambiguous,
        tuple(row for (row,) in unmatched),
    )


def test_the_external_id_names_the_member() -> None:
    found = match([Row("s-1", "private@home.example")], [Identity(1, "s-1", "amy@uni")], BOTH)
    assert found == Matching({"s-1": (1, "external_id")}, {}, ())


def test_the_email_names_the_member_where_the_external_id_does_not() -> None:
    found = match([Row("c-9", "amy@uni")], [Identity(1, "s-1", "amy@uni")], BOTH)
    assert found.members == {"c-9": (1, "email")}


def test_an_email_as_external_id_counts_as_an_email() -> None:
    """Coursera repeats the e-mail as external id where the organisation gave none."""
    found = match([Row("amy@uni")], [Identity(1, "s-1", "amy@uni")], BOTH)
    assert found.members == {"amy@uni": (1, "email")}


@pytest.mark.parametrize("theirs", ["Amy@Uni.Example", "AMY@UNI.EXAMPLE", " amy@uni.example "])
def test_case_and_blanks_do_not_matter(theirs: str) -> None:
    by_email = match([Row("c-9", theirs)], [Identity(1, "", "amy@uni.EXAMPLE")], BOTH)
    assert by_email.members == {"c-9": (1, "email")}
    by_id = match([Row(theirs)], [Identity(1, "aMy@uni.example")], BOTH)
    assert by_id.members == {theirs: (1, "external_id")}
    confirmed = match([Row(theirs)], [Identity(1, confirmed="amy@UNI.example")], BOTH)
    assert confirmed.members == {theirs: (1, "confirmed")}


def test_the_first_fruitful_rule_decides() -> None:
    people = [Identity(1, "s-1", "amy@uni"), Identity(2, "s-2", "ben@uni")]
    row = Row("s-1", "ben@uni")
    assert match([row], people, BOTH).members == {"s-1": (1, "external_id")}
    assert match([row], people, ("email", "external_id")).members == {"s-1": (2, "email")}


def test_only_the_given_rules_are_used() -> None:
    people = [Identity(1, "s-1", "amy@uni")]
    assert match([Row("x", "amy@uni")], people, ("external_id",)).unmatched == ("x",)
    assert match([Row("s-1", "x@uni")], people, ("email",)).unmatched == ("s-1",)


def test_nobody_is_found_by_what_is_not_known() -> None:
    found = match([Row("s-1", ""), Row("s-2", " ")], [Identity(1), Identity(2, "", "")], BOTH)
    assert found == Matching({}, {}, ("s-1", "s-2"))
    assert match([], [Identity(1, "s-1")], BOTH) == Matching()


def test_a_row_for_two_members_is_nobodys() -> None:
    people = [Identity(2, "b", "shared@uni"), Identity(1, "a", "shared@uni")]
    found = match([Row("c-9", "shared@uni")], people, BOTH)
    assert found == Matching({}, {"c-9": (1, 2)}, ())


def test_an_email_and_an_external_id_that_name_two_members_are_nobodys() -> None:
    people = [Identity(1, "a", "amy@uni"), Identity(2, "b", "ben@uni")]
    found = match([Row("amy@uni", "ben@uni")], people, BOTH)
    assert found == Matching({}, {"amy@uni": (1, 2)}, ())


def test_two_rows_for_one_member_by_one_rule_are_nobodys() -> None:
    rows = [Row("c-1", "amy@uni"), Row("c-2", "AMY@uni")]
    found = match(rows, [Identity(1, "a", "amy@uni")], BOTH)
    assert found == Matching({}, {"c-1": (1,), "c-2": (1,)}, ())


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_rows_for_one_member_the_better_rule_counts(turned: bool) -> None:
    rows = [Row("s-1", "private@home"), Row("c-2", "amy@uni")]
    found = match(rows[::-1] if turned else rows, [Identity(1, "s-1", "amy@uni")], BOTH)
    assert found == Matching({"s-1": (1, "external_id")}, {}, ("c-2",))


@pytest.mark.parametrize("turned", [False, True])
def test_a_member_of_an_ambiguous_row_is_not_graded_by_another(turned: bool) -> None:
    people = [Identity(1, "s-1", "shared@uni"), Identity(2, "s-2", "shared@uni")]
    rows = [Row("c-9", "shared@uni"), Row("s-1", "private@home")]
    found = match(rows[::-1] if turned else rows, people, BOTH)
    assert found.members == {}
    assert found.ambiguous == {"c-9": (1, 2), "s-1": (1,)}


def test_what_a_person_confirmed_comes_first() -> None:
    people = [
        Identity(1, "s-1", "shared@uni", confirmed="c-9"),
        Identity(2, "s-2", "shared@uni"),
        Identity(3, "c-9", "cat@uni"),
    ]
    found = match([Row("c-9", "shared@uni"), Row("s-1", "cat@uni")], people, BOTH)
    assert found.members == {"c-9": (1, "confirmed"), "s-1": (3, "email")}
    assert found.ambiguous == {}


def test_a_confirmed_member_takes_no_other_row() -> None:
    people = [Identity(1, "s-1", "amy@uni", confirmed="gone")]
    assert match([Row("s-1", "amy@uni")], people, BOTH) == Matching({}, {}, ("s-1",))


def test_a_confirmed_member_is_graded_although_others_are_torn() -> None:
    people = [
        Identity(1, "s-1", "shared@uni", confirmed="c-1"),
        Identity(2, "s-2", "shared@uni"),
        Identity(3, "s-3", "shared@uni"),
    ]
    found = match([Row("c-1"), Row("c-2", "shared@uni")], people, BOTH)
    assert found.members == {"c-1": (1, "confirmed")}
    assert found.ambiguous == {"c-2": (2, 3)}


def test_one_row_confirmed_for_two_members_is_nobodys() -> None:
    people = [Identity(1, confirmed="c-9"), Identity(2, confirmed="C-9")]
    assert match([Row("c-9")], people, BOTH) == Matching({}, {"c-9": (1, 2)}, ())


def test_everybody_of_a_large_course_is_found_once() -> None:
    people = [Identity(n, f"s-{n}", f"p{n}@uni") for n in range(5000)]
    rows = [Row(f"S-{n}") if n % 2 else Row(f"c-{n}", f"P{n}@uni") for n in range(5000)]
    found = match(rows, people, BOTH)
    assert {member for member, _ in found.members.values()} == set(range(5000))
    assert not found.ambiguous and not found.unmatched


AMY = {"email": "amy@uni", "sourcedid": "1234", "username": "amy", "sub": "77"}
"""What a campus knows of Amy; which of it Coursera calls her external id is a setting."""


@pytest.mark.parametrize("match_by", [BOTH, BOTH[::-1], ("external_id",), ("email",)])
@pytest.mark.parametrize("kind", list(AMY))
@pytest.mark.parametrize("dress", [str, str.upper, str.title])
@pytest.mark.parametrize(
    ("given", "email"),
    [
        (True, "same"), (True, "private"), (True, ""),
        (False, "same"), (False, "private"), (False, "changed"),
    ],
)  # fmt: skip
def test_every_kind_of_external_id(kind, match_by, dress, given, email) -> None:
    """Found by what both sides know, in any case; by nothing else, and never by half."""
    known_as = {"same": AMY["email"], "private": "amy@home", "changed": "amy@new.uni", "": ""}[
        email
    ]
    row = Row(dress(AMY[kind] if given else known_as), dress(known_as))
    people = [Identity(1, AMY[kind], AMY["email"]), Identity(2, f"{AMY[kind]}-2", "ben@uni")]

    found = match([row], people, match_by)

    same_email = AMY["email"] in (row.external_id.casefold(), known_as.casefold())
    same_id = row.external_id.casefold() == AMY[kind]
    rules = [r for r in match_by if (same_id if r == "external_id" else same_email)]
    expected = {row.external_id: (1, rules[0])} if rules else {}
    assert found.members == expected and not found.ambiguous


@pytest.mark.parametrize("match_by", [BOTH, BOTH[::-1], ("external_id",), ("email",)])
def test_a_row_confirmed_for_somebody_elsewhere_is_nobodys_here(match_by) -> None:
    people = [Identity(1, "c-9", "amy@uni"), Identity(2, "c-8", "ben@uni")]
    rows = [Row("C-9", "amy@uni"), Row("c-8", "ben@uni")]
    found = match(rows, people, match_by, taken={"c-9"})
    assert found.unmatched == ("C-9",) and not found.ambiguous
    assert found.members == {"c-8": (2, match_by[0])}


def test_a_row_moved_to_another_member_leaves_the_first_without() -> None:
    people = [Identity(1, "c-9", "amy@uni"), Identity(2, "c-8", "ben@uni", confirmed="c-9")]
    found = match([Row("c-9", "amy@uni"), Row("c-8", "ben@uni")], people, BOTH, taken={"c-9"})
    assert found.members == {"c-9": (2, "confirmed")} and found.unmatched == ("c-8",)


def told(member: int, name: str, email: str = "", external_id: str = "") -> Identity:
    return Identity(member, external_id, email, None, name, is_told=True)


@pytest.mark.parametrize("rules", [BOTH, ("email",), ("external_id",)])
def test_what_coursera_was_told_comes_before_the_rules(rules: tuple[str, ...]) -> None:
    people = [told(1, "Amy@old", "amy@new"), Identity(2, "b", "ben@uni")]
    found = match([Row("amy@OLD", "private@home"), Row("c", "ben@uni")], people, rules)
    assert found.members["amy@OLD"] == (1, "external_id")
    rows = [Row("c-2", "amy@new"), Row("amy@old", "private@home")]
    assert match(rows, people, rules).members["amy@old"] == (1, "external_id")


def test_somebody_else_who_has_the_address_now_makes_it_unclear() -> None:
    people = [told(1, "amy@uni", "amy@new"), Identity(2, "s-2", "amy@uni")]
    assert match([Row("amy@uni")], people, BOTH).ambiguous == {"amy@uni": (1, 2)}
    people = [told(1, "s-1", "amy@uni"), Identity(2, "S-1", "ben@uni")]
    assert match([Row("s-1", "x@home")], people, BOTH).ambiguous == {"s-1": (1, 2)}


def test_the_name_of_the_first_way_there_is_the_last_rule_of_external_ids() -> None:
    left = Identity(1, "amy@new", "amy@new", None, "amy@old")
    assert match([Row("amy@old", "x@home")], [left], BOTH).members == {
        "amy@old": (1, "external_id")
    }
    assert match([Row("amy@old", "x@home")], [left], ("email",)).unmatched == ("amy@old",)
    heir = Identity(2, "amy@old", "amy@old")
    assert match([Row("amy@old", "x@home")], [left, heir], BOTH).members == {
        "amy@old": (2, "external_id")
    }


def test_a_persons_word_comes_before_what_coursera_was_told() -> None:
    people = [Identity(1, "s-1", "amy@uni", "c-9", "s-1", True), Identity(2, "s-2", "ben@uni")]
    found = match([Row("c-9"), Row("s-1", "ben@uni")], people, BOTH)
    assert found.members == {"c-9": (1, "confirmed"), "s-1": (2, "email")}


def test_those_who_have_left_get_what_is_left_over() -> None:
    rows = [Row("s-1"), Row("s-2"), Row("c-3", "shared@uni"), Row("s-4")]
    here = [Identity(1, "s-1"), Identity(3, "x", "shared@uni"), Identity(4, "y", "shared@uni")]
    away = [Identity(2, "s-2"), Identity(5, "s-1"), Identity(6, "z", "shared@uni")]
    with report(rows) as found:
        found_out = matching.Matching(found.scratch, BOTH)
        found_out.decide(here)
        assert [row for row, _ in found_out.strangers()] == ["s-2", "c-3", "s-4"]
        found_out.decide(away, state="away")
        verdicts = found.scratch.execute(
            "SELECT l.external_id, v.state, v.member FROM verdicts v"
            " JOIN learners l ON l.id = v.learner ORDER BY l.id"
        )
        assert list(verdicts) == [
            ("s-1", "matched", 1), ("s-2", "away", 2), ("c-3", "ambiguous", None),
            ("s-4", "unmatched", None),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "person", "expected"),
    [
        (Row("c-1"), Identity(1, "s-1", "amy@uni"), True),
        (Row("c-1", "private@home"), Identity(1, "s-1", "amy@uni"), False),
        (Row("private@home"), Identity(1, "s-1", "amy@uni"), False),
        (Row("c-1"), Identity(1, "s-1"), False),
        (Row("c-1"), Identity(1, "c-1", "amy@uni"), False),
        (Row("c-1"), Identity(1, "s-1", "amy@uni", confirmed="c-9"), False),
    ],
)
def test_addresses_are_asked_for_where_one_may_help(row, person, expected) -> None:
    with report([row]) as found:
        found_out = matching.Matching(found.scratch, BOTH)
        found_out.decide([person])
        assert found_out.awaits_addresses() is expected


def test_a_report_can_be_decided_again_for_other_people() -> None:
    with report([Row("s-1"), Row("s-2")]) as found:
        for member in (1, 2):
            matching.Matching(found.scratch, BOTH, taken={"s-2"}).decide([Identity(member, "s-1")])
            assert decided(found) == Matching({"s-1": (member, "external_id")}, {}, ("s-2",))


WORDS = st.sampled_from(["", "a", "B", " b ", "c@uni", "C@UNI", "d@uni", "e", "f@home"])
ROWS = st.lists(
    st.builds(Row, WORDS.filter(bool), WORDS), max_size=6, unique_by=lambda row: key(row[0])
)
PEOPLE = st.lists(
    st.tuples(WORDS, WORDS, st.none() | WORDS, st.none() | WORDS, st.booleans()), max_size=6
).map(lambda known: [Identity(n, *one) for n, one in enumerate(known, 1)])


@given(
    ROWS, PEOPLE, st.sampled_from([BOTH, BOTH[::-1], ("email",)]), st.sets(WORDS.map(key))
)  # fmt: skip
def test_joins_decide_as_the_rules_say(rows, people, rules, taken) -> None:
    """Whatever people are called: the same as one row after the other, one rule after the other."""
    found: dict[str, tuple[int, str, set[int]]] = {}
    for row in rows:
        tried = [("confirmed", "confirmed")]
        if key(row.external_id) not in taken:
            tried += [("told", "external_id"), *((rule, rule) for rule in rules)]
            tried += [("known_as", "external_id")] if "external_id" in rules else []
        for rank, (rule, said) in enumerate(tried):
            members = {person.member_id for person in people if goes_by(person, rule, row)}
            if rule == "told" and members:
                members |= {p.member_id for p in people if goes_by(p, "external_id", row)}
                members |= {p.member_id for p in people if goes_by(p, "email", Row(row[0]), "")}
            if members:
                found[row.external_id] = rank, said, members
                break
    torn = {member for *_, members in found.values() if len(members) > 1 for member in members}
    expected = Matching({}, {}, ())
    for row in rows:
        rank, said, members = found.get(row.external_id, (0, "", set()))
        rivals = [other for name, (other, _, theirs) in found.items()
                  if theirs == members and name != row.external_id]  # fmt: skip
        if len(members) > 1:
            expected.ambiguous[row.external_id] = tuple(sorted(members))
        elif not members or any(other < rank for other in rivals):
            expected = expected._replace(unmatched=(*expected.unmatched, row.external_id))
        elif rank in rivals or members & torn:
            expected.ambiguous[row.external_id] = tuple(members)
        else:
            expected.members[row.external_id] = *members, said
    got = match(rows, people, rules, taken)
    assert got._replace(unmatched=set(got.unmatched)) == expected._replace(
        unmatched=set(expected.unmatched)
    )


def goes_by(person: Identity, rule: str, row: Row, sign: str = "@") -> bool:
    """Whether a rule finds a person for a row; without a `sign` any external id is an e-mail."""
    if bool(person.confirmed) is not (rule == "confirmed"):
        return False
    if rule == "email":
        words = {key(row.email)} | ({key(row.external_id)} if sign in row.external_id else set())
        return key(person.email) in words - {""}
    names = {
        "confirmed": person.confirmed,
        "told": person.known_as if person.is_told else "",
        "known_as": "" if person.is_told else person.known_as,
        "external_id": person.external_id,
    }
    return bool(names[rule]) and key(names[rule] or "") == key(row.external_id)
