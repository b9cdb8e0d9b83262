"""Our own keys, and the deep linking answers that they sign."""

import json
import threading
from datetime import timedelta

import jwt
import pytest
from flask import current_app
from pydantic import SecretStr

from passport_lti.errors import PassportError
from passport_lti.extensions import db
from passport_lti.grades import Column, Link, Owner
from passport_lti.lti import deep_linking, keys
from passport_lti.lti.claims import CLAIM
from passport_lti.models import SigningKey

ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
DATA = "https://purl.imsglobal.org/spec/lti-dl/claim/data"


def column(maximum: float = 100.0) -> Column:
    return Column("coursera:c:i", "Quiz", maximum, Owner.PLATFORM, "i", "granular_deep_linked")


def link(maximum: float = 100.0, title: str = "Quiz") -> Link:
    return Link(title, "Opens it.", {"coursera_course": "c"}, column(maximum))


def read(world, token: str) -> dict:
    """What a platform reads that trusts the published key set."""
    published = jwt.PyJWKSet.from_dict(keys.public_key_set(world.tool))
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.decode(token, published[kid], algorithms=["RS256"], audience=world.there.url)


def test_only_public_parts_are_published(world):
    (entry,) = keys.public_key_set(world.tool)["keys"]
    assert set(entry) == {"kty", "n", "e", "kid", "use", "alg"}
    row = db.session.query(SigningKey).one()
    assert b"PRIVATE" not in row.private_pem, "encrypted at rest"
    assert entry["kid"] == row.kid == keys.active_key(world.tool).kid


def test_rotation_overlaps_for_a_day(world):
    old = deep_linking.response(world.tool, world.platform, "1", [link()], None)
    first = keys.active_key(world.tool).kid
    second = keys.rotate(world.tool)
    assert second != first and keys.active_key(world.tool).kid == second
    assert read(world, old)["iss"] == "client-1", "what the old key signed still verifies"
    world.clock.ahead = timedelta(hours=23)
    assert [k["kid"] for k in keys.public_key_set(world.tool)["keys"]] == [second, first]
    world.clock.ahead = timedelta(hours=25)
    assert [k["kid"] for k in keys.public_key_set(world.tool)["keys"]] == [second]
    assert [(kid, retired is None) for kid, _, retired in keys.listed()] == [
        (second, True),
        (first, False),
    ]


def test_another_secret_is_named_and_helped_by_a_rotation(world):
    keys.active_key(world.tool)
    tool = world.config.tool.model_copy(update={"secret_key": SecretStr("t" * 32)})
    world.config = world.config.model_copy(update={"tool": tool})
    with pytest.raises(PassportError, match="secret_key"):
        keys.active_key(world.tool)
    assert keys.public_key_set(world.tool)["keys"], "what was signed can still be verified"
    keys.rotate(world.tool)
    assert keys.active_key(world.tool).private_key.key_size == 2048


def test_one_key_however_many_start_at_once(world):
    app = current_app._get_current_object()
    gate, found = threading.Barrier(6), []

    def one() -> None:
        with app.app_context():
            gate.wait(10)
            found.append(keys.active_key(world.tool).kid)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 6 and len(set(found)) == 1
    assert db.session.query(SigningKey).count() == 1


def test_the_private_key_is_loaded_once(world):
    """200 answers: loading the key for each would take ten seconds."""
    loaded = {id(keys.active_key(world.tool).private_key)}
    for _ in range(200):
        deep_linking.response(world.tool, world.platform, "1", [link()], None)
        loaded.add(id(keys.active_key(world.tool).private_key))
    assert len(loaded) == 1


def test_a_deep_linking_answer_is_what_the_platform_wants(world):
    token = deep_linking.response(world.tool, world.platform, "1", [link()], "data &=")
    message = read(world, token)
    assert (message["iss"], message["aud"]) == ("client-1", world.there.url)
    assert message[CLAIM + "message_type"] == "LtiDeepLinkingResponse"
    assert message[CLAIM + "version"] == "1.3.0"
    assert message[CLAIM + "deployment_id"] == "1"
    assert message[DATA] == "data &="
    assert message["iat"] <= world.clock().timestamp() <= message["exp"] and message["nonce"]
    assert message[ITEMS] == [
        {
            "type": "ltiResourceLink", "url": "https://passport.example.edu/lti/launch",
            "title": "Quiz", "text": "Opens it.", "window": {"targetName": "_blank"},
            "custom": {"coursera_course": "c"},
            "lineItem": {"label": "Quiz", "scoreMaximum": 100, "resourceId": "coursera:c:i",
                         "tag": "granular_deep_linked"},
        }
    ]  # fmt: skip
    bare = read(world, deep_linking.response(world.tool, world.platform, "1", [], None))
    assert DATA not in bare and bare[ITEMS] == []


def test_maxima_and_titles_are_such_that_moodle_keeps_the_item(world):
    for maximum, sent in [(12.4, 12), (0.2, 1), (250.0, 100), (100.0, 100)]:
        item = deep_linking.content_item(world.tool, link(maximum))
        assert item["lineItem"]["scoreMaximum"] == sent
        assert isinstance(item["lineItem"]["scoreMaximum"], int)
    item = deep_linking.content_item(world.tool, link(title="x" * 300))
    assert len(item["title"]) == 255
    assert json.loads(json.dumps(item)) == item
