"""Who might be whom: for a person's eyes only, likeliest first."""

import pytest

from passport_lti.sync.people.suggestions import Named, Suggestion, suggestions

AMY = Named(1, "Amy Adams", ("amy.adams@campus.example",))
BEN = Named(2, "Ben Brown", ("ben@campus.example",))
CHLOE = Named(3, "Chloé Müller-Clark", ("cclark@campus.example",))
EVERYBODY = (AMY, BEN, CHLOE)


def found(row: Named, among: tuple[Named, ...] = EVERYBODY) -> list[int | str]:
    return [hit.key for hit in suggestions([row], among).get(row.key, ())]


@pytest.mark.parametrize(
    "name",
    [
        "Amy Adams", "amy ADAMS", "Adams, Amy", "Amy  Adams ", "Ámy Adams", "Amy Adam",
        "Amy Louise Adams", "A. Adams", "Adams A", "Aimy Adams", "Amy L. Adams", "Amy A.",
    ],
)  # fmt: skip
def test_a_name_in_any_dress_finds_its_owner(name: str) -> None:
    assert found(Named("r", name)) == [1]


@pytest.mark.parametrize("name", ["Chloe Mueller Clark", "CHLOE MULLER-CLARK", "Chloé Muller"])
def test_accents_and_hyphens_do_not_matter(name: str) -> None:
    assert found(Named("r", name)) == [3]


@pytest.mark.parametrize(
    "name", ["Amy", "Amy Brown", "B. Adams", "Zoe Zimmer", "", " ", "A A", "-"]
)
def test_a_stranger_is_nobody(name: str) -> None:
    assert found(Named("r", name)) == []


def test_the_name_in_a_private_address_is_a_hint() -> None:
    [hit] = suggestions([Named("r", "", ("Amy.Adams1999@home.example",))], EVERYBODY)["r"]
    assert (hit.key, hit.why) == (1, "address_like")
    assert found(Named("r", "", ("amyadams@home.example",))) == [1]


def test_a_shared_address_comes_first_and_says_so() -> None:
    row = Named("r", "Amy Adams", (" BEN@campus.example",))
    first, second = suggestions([row], EVERYBODY)["r"]
    assert first == Suggestion(2, 100, "address")
    assert (second.key, second.why) == (1, "name") and second.likeness < 100


def test_of_two_with_one_address_the_namesake_comes_first() -> None:
    twins = (
        Named(1, "Ben Braun", ("shared@uni",)), Named(2, "Ben Brown", ("shared@uni",)),
        Named(3, "Ben Brown", ("other@uni",)),
    )  # fmt: skip
    hits = suggestions([Named("r", "Ben Brown", ("Shared@uni",))], twins)["r"]
    assert [(hit.key, hit.why) for hit in hits] == [(2, "address"), (1, "address"), (3, "name")]


def test_an_id_without_an_at_is_no_name() -> None:
    assert found(Named("r", "", ("amy.adams",))) == []


def test_both_of_two_namesakes_are_shown() -> None:
    twin = Named(9, "Amy Adams", ("amy2@campus.example",))
    assert found(Named("r", "Amy Adams"), (AMY, twin, BEN)) == [1, 9]


def test_at_most_so_many_likeliest_first() -> None:
    crowd = [Named(number, f"Amy Adam{'s' * number}") for number in range(6)]
    hits = suggestions([Named("r", "Amy Adams")], crowd, most=3)["r"]
    assert len(hits) == 3 and hits[0].key == 1
    assert [hit.likeness for hit in hits] == sorted((h.likeness for h in hits), reverse=True)


def test_the_other_way_round_finds_the_same_pair() -> None:
    rows = [Named("x", "A. Adams"), Named("y", "Brown, Ben"), Named("z", "Zoe Zimmer")]
    there, back = suggestions(rows, EVERYBODY), suggestions(EVERYBODY, rows)
    assert {row: hits[0].key for row, hits in there.items()} == {"x": 1, "y": 2}
    assert {member: hits[0].key for member, hits in back.items()} == {1: "x", 2: "y"}


def test_nobody_among_nobody() -> None:
    assert suggestions([], EVERYBODY) == {}
    assert suggestions(EVERYBODY, []) == {}


def test_who_has_no_name_matches_nobody_without_one() -> None:
    assert suggestions([Named("r"), Named("s", "", ("",))], [Named(1), Named(2, "", ("",))]) == {}
