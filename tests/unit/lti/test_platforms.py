"""The YAML's platforms beside those that registered themselves."""

from passport_lti.extensions import db
from passport_lti.lti.platforms import apply_config, is_of, registered, settings_of
from passport_lti.models import Deployment, Platform


def stored(world) -> dict[str, tuple[str, str]]:
    db.session.expire_all()
    return {row.name: (row.source, row.state) for row in db.session.query(Platform)}


def register(world, **values: str) -> Platform:
    urls = dict.fromkeys(
        ("auth_login_url", "auth_token_url", "key_set_url"), "https://other.example/x"
    )
    row = Platform(
        **{
            "name": "other", "issuer": "https://other.example", "client_id": "c",
            "source": "registration", "settings": {"coursera": "main"}, **urls, **values,
        },
        created_at=world.clock(),
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row


def test_an_entry_that_vanishes_is_absent_and_comes_back(world):
    register(world)
    without = world.config.model_copy(update={"platforms": {}})
    apply_config(without, world.clock())
    assert stored(world) == {
        "campus": ("yaml", "absent"),
        "other": ("registration", "active"),
    }
    assert registered(world.there.url) == []
    apply_config(world.config, world.clock())
    assert stored(world)["campus"] == ("yaml", "active")
    assert db.session.query(Deployment).count() == 1


def test_a_removed_platform_stays_removed(world):
    world.platform.state = "removed"
    db.session.commit()
    apply_config(world.config, world.clock())
    assert stored(world)["campus"] == ("yaml", "removed")
    assert registered(world.there.url) == []


def test_the_yaml_wins_over_a_registration(world):
    row = register(world, issuer="https://both.example", client_id="x")
    entry = world.config.platforms["campus"].model_copy(
        update={
            "issuer": "https://both.example", "client_id": "x",
            "key_set_url": "https://both.example/certs", "default_strategy": "final_grade",
            "deployment_ids": ("5",),
        }
    )  # fmt: skip
    platforms = {"campus": world.config.platforms["campus"], "both": entry}
    apply_config(world.config.model_copy(update={"platforms": platforms}), world.clock())
    db.session.expire_all()
    assert (row.name, row.source) == ("both", "yaml")
    assert row.key_set_url == "https://both.example/certs"
    assert settings_of(row).default_strategy == "final_grade"
    assert [(d.deployment_id, d.state) for d in row.deployments] == [("5", "approved")]


def test_names_may_move_from_one_platform_to_another(world):
    campus = world.config.platforms["campus"]
    second = campus.model_copy(update={"client_id": "client-2"})
    for platforms in ({"a": campus, "b": second}, {"a": second, "b": campus}):
        apply_config(world.config.model_copy(update={"platforms": platforms}), world.clock())
        db.session.expire_all()
        rows = db.session.query(Platform)
        assert {row.name: row.client_id for row in rows} == {
            name: entry.client_id for name, entry in platforms.items()
        }
    register(world, name="c")
    platforms = {"a": campus, "c": second}
    apply_config(world.config.model_copy(update={"platforms": platforms}), world.clock())
    names = stored(world)
    assert names["a"] == names["c"] == ("yaml", "active") and len(names) == 3


def test_a_changed_key_set_address_forgets_the_keys(world):
    world.platform.key_set = {"keys": []}
    db.session.commit()
    apply_config(world.configure(key_set_url=f"{world.there.url}/new"), world.clock())
    db.session.expire_all()
    assert world.platform.key_set is None


def test_addresses_of_a_platform(world):
    there, platform = world.there.url, world.platform
    assert is_of(platform, f"{there}/return?course=2")
    for url in (there.replace("http", "https"), "javascript:alert(1)", "//evil", "", "http://[",
                there.replace("http://", "http://user@"), there + "0"):  # fmt: skip
        assert not is_of(platform, url)
