"""Steps at Coursera: what is asked, and how each answer is understood."""

import pytest
from flask import Response, jsonify

from passport_lti.coursera import provisioning
from passport_lti.coursera.provisioning import Done, Person
from passport_lti.errors import Gone, Rejected, RetryLater

AMY = Person("amy@uni.example", "amy@uni.example", "Amy Adams")
PLACE = "programs/prg"


def refusal(status, code=None, text=None):
    def answer():
        if code is None:
            return Response(text or "", status, mimetype="text/plain")
        return Response(jsonify(errorCode=code, message=text).get_data(), status)

    return answer


def test_nobody_is_mailed_and_a_hidden_name_is_left_out(fake, make_client):
    client = make_client()
    fake.answers[f"{PLACE}/invitations"] = fake.answers[f"{PLACE}/memberships"] = {}
    provisioning.invite(client, "prg", AMY)
    provisioning.join(client, "prg", Person("7", "amy@uni.example"))

    assert fake.bodies == [
        {"externalId": AMY.external_id, "email": AMY.email, "fullName": "Amy Adams",
         "sendEmail": False},
        {"externalId": "7", "email": "amy@uni.example", "sendWelcomeEmail": False},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"externalId": "amy@uni.example"}, Done("created", "amy@uni.example")),
        ({"externalId": "S-100"}, Done("created", "S-100")),
        ({"elements": [{"externalId": 413861904646}]}, Done("created", "413861904646")),
        ({}, Done("created", "amy@uni.example")),
        (refusal(201, text=""), Done("created", "amy@uni.example")),
        (refusal(204), Done("created", "amy@uni.example")),
        (refusal(400, "MEMBERSHIP_ALREADY_EXISTS"), Done("existed", "amy@uni.example")),
        (refusal(409, "MEMBERSHIP_ALREADY_EXISTS"), Done("existed", "amy@uni.example")),
        (refusal(400, "INVITATION_ALREADY_EXISTS"), Done("existed", "amy@uni.example")),
        (refusal(409, "INVITATION_ALREADY_EXISTS"), Done("existed", "amy@uni.example")),
        (refusal(400, text="User is already a member"), Done("existed", "amy@uni.example")),
    ],
)
@pytest.mark.parametrize("step", ["invite", "join"])
def test_a_place_in_a_program(fake, make_client, step, answer, expected):
    path = {"invite": "invitations", "join": "memberships"}[step]
    fake.answers[f"{PLACE}/{path}"] = answer

    assert getattr(provisioning, step)(make_client(), "prg", AMY) == expected


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (refusal(400, "SEAT_LIMIT_REACHED"), Rejected, "coursera_bad_request"),
        (refusal(400, "not a code <b>"), Rejected, "coursera_bad_request"),
        (refusal(400, text="[" * 100_000), Rejected, "coursera_bad_request"),
        (refusal(401), Rejected, "coursera_refused"),
        (refusal(403, "FORBIDDEN"), Rejected, "coursera_forbidden"),
        (refusal(404), Gone, "coursera_gone"),
        (refusal(409), Rejected, "coursera_bad_request"),
        (refusal(429), RetryLater, "coursera_rate_limited"),
        (refusal(302), RetryLater, "coursera_down"),
        (refusal(500), RetryLater, "coursera_down"),
        (refusal(200, text="<html>"), RetryLater, "coursera_malformed"),
    ],
)
@pytest.mark.parametrize("step", ["invite", "join"])
def test_what_is_no_success_is_said_and_asked_once(
    fake, make_client, waits, step, answer, error, reason
):
    path = {"invite": "invitations", "join": "memberships"}[step]
    fake.answers[f"{PLACE}/{path}"] = answer
    with pytest.raises(error) as raised:
        getattr(provisioning, step)(make_client(), "prg", AMY)

    assert raised.value.reason == reason and "amy" not in str(raised.value)
    assert waits == [] and len(fake.bodies) == (2 if reason == "coursera_refused" else 1)


@pytest.mark.parametrize(
    "answer",
    [refusal(400, "ALREADY_ENROLLED"), refusal(409, "USER_ALREADY_ENROLLED"),
     refusal(400, text="already enrolled")],
)  # fmt: skip
def test_who_is_enrolled_already_is_enrolled(fake, make_client, answer):
    fake.answers[f"{PLACE}/programEnrollments"] = answer
    found = provisioning.enroll(make_client(), "prg", "crs", AMY)
    assert found == Done("existed", "amy@uni.example")


def members(*rows):
    return {"elements": [{"externalId": i, "email": e} for i, e in rows], "paging": {}}


def test_who_has_another_name_there_is_found_by_the_address(fake, make_client):
    fake.answers[f"{PLACE}/programEnrollments"] = [refusal(404), {}]
    fake.answers[f"{PLACE}/memberships"] = members(("x", "x@uni"), ("S-1", "AMY@uni.example"))
    assert provisioning.enroll(make_client(), "prg", "crs", AMY) == Done("created", "S-1")
    assert [body["externalId"] for body in fake.bodies] == ["amy@uni.example", "S-1"]


@pytest.mark.parametrize(
    "rows",
    [(), (("x", "x@uni"),), (("S-1", AMY.email), ("S-2", AMY.email)), ((AMY.email, AMY.email),)],
)
def test_who_is_not_found_there_alone_is_not_guessed(fake, make_client, rows):
    fake.answers[f"{PLACE}/programEnrollments"] = refusal(404)
    fake.answers[f"{PLACE}/memberships"] = members(*rows)
    with pytest.raises(Gone):
        provisioning.enroll(make_client(), "prg", "crs", AMY)
    assert len(fake.bodies) == 1
