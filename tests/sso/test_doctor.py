"""What `doctor` says of the identity provider."""

from datetime import timedelta

from passport_lti.doctor.sign_on import check
from passport_lti.extensions import db
from passport_lti.models import Platform


def findings(world):
    with world.app.app_context():
        platform = db.session.scalars(db.select(Platform)).one()
        return [finding.line() for finding in check(world.services.tool, platform)]


def test_a_sign_on_that_works(world):
    lines = findings(world)
    assert len(lines) == 3 and all(line.startswith("ok ") for line in lines)
    assert world.provider.acs_url in lines[0] and f"{world.url}/saml/metadata" in lines[2]
    assert "ok   campus sign-on: SAML" in world.command("doctor").stdout


def test_a_platform_with_links_is_not_asked(world):
    world.use(mode="link")
    assert findings(world) == []


def test_a_missing_partner_is_named_with_its_setting(world):
    world.configure(lambda config: config["coursera"]["practice"].pop("saml"))
    [line] = findings(world)
    assert line.startswith("FAIL") and "change coursera.practice.saml" in line


def test_a_key_that_waits_and_one_that_ends_are_told(world):
    assert world.command("keys", "rotate", "--saml").returncode == 0
    assert any(line.startswith("note") and "waits" in line for line in findings(world))
    clock = world.services.clock
    world.services.clock = lambda: clock() + timedelta(days=5 * 365 - 60)
    assert any(line.startswith("note") and "ends on" in line for line in findings(world))


def test_metadata_of_another_installation_is_noticed(world):
    def edit(config):
        config["tool"]["base_url"] = world.coursera.url

    # The practice Coursera answers there with metadata of its own.
    world.configure(edit)
    assert any(line.startswith("FAIL") and "certificate" in line for line in findings(world))
