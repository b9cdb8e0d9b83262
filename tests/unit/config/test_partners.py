"""Coursera as service provider: its metadata file, and organisations that can be told apart."""

from pathlib import Path

import pytest

from passport_lti.config import check
from passport_lti.errors import ConfigError

METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" \
entityID="https://sp.example/metadata"><!-- ours --><md:SPSSODescriptor \
protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="0" Location="https://sp.example/artifact" \
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"/>
<md:AssertionConsumerService index="1" Location="https://sp.example/one" \
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/>
<md:AssertionConsumerService index="2" isDefault="true" Location="https://sp.example/two" \
Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/>
</md:SPSSODescriptor></md:EntityDescriptor>"""
YAML = """
tool: {base_url: "https://tool.example", secret_key: 0123456789abcdef0123456789abcdef}
coursera:
  main: {org_id: y0TO1t4fEe2bIBLACu-NKQ, api_key: k, api_secret: s, saml: SAML}
"""


def loaded(saml: str) -> object:
    return check(YAML.replace("SAML", saml), "passport.yaml", {}).coursera["main"].saml


def test_the_default_address_for_posts_is_taken_from_the_metadata(tmp_path: Path) -> None:
    file = tmp_path / "sp.xml"
    file.write_text(METADATA)
    saml = loaded(f"{{metadata: {file}}}")
    assert (saml.entity_id, saml.acs_url) == (
        "https://sp.example/metadata",
        "https://sp.example/two",
    )  # type: ignore[attr-defined]
    by_hand = loaded(f"{{metadata: {file}, acs_url: 'https://sp.example/three'}}")
    assert by_hand.acs_url == "https://sp.example/three"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected SAML metadata in XML (not well-formed XML)"),
        ("<x/>", "expected the metadata of one service provider"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "(a document type is not allowed)"),
        (METADATA.replace("SPSSO", "IDPSSO"), "expected the metadata of one service provider"),
        (METADATA.replace("HTTP-POST", "PAOS"), "names no AssertionConsumerService for HTTP-POST"),
    ],
)
def test_metadata_that_is_none_is_explained(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "sp.xml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        loaded(f"{{metadata: {file}}}")
    [line] = refused.value.problems
    assert line.startswith("passport.yaml:4: coursera.main.saml.metadata: ") and problem in line


def test_metadata_may_not_lead_to_plain_http(tmp_path: Path) -> None:
    file = tmp_path / "sp.xml"
    file.write_text(METADATA.replace("https://sp.example/two", "http://sp.example/two"))
    with pytest.raises(ConfigError, match=r"saml\.acs_url: expected https"):
        loaded(f"{{metadata: {file}}}")


def two(second: str) -> str:
    partner = "entity_id: https://sp.example, acs_url: 'https://sp.example/acs'"
    first = YAML.replace("SAML", f"{{{partner}}}")
    other = f"saml: {{{partner}{second}}}"
    return (
        first + f"  two: {{org_id: zzTO1t4fEe2bIBLACu-NKQ, api_key: k, api_secret: s, {other}}}\n"
    )


def test_two_organisations_at_one_coursera_need_two_names() -> None:
    with pytest.raises(ConfigError) as refused:
        check(two(""), "passport.yaml", {})
    assert refused.value.problems == (
        "passport.yaml:5: coursera.two.saml.entity_id: has the service provider of main, "
        "expected own_entity_id: true in one",
    )
    assert check(two(", own_entity_id: true"), "passport.yaml", {}).coursera["two"].saml
