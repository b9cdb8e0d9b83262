"""A value that we give away comes back as it was, for its purpose alone, or not at all."""

import pytest
from itsdangerous import BadData, Signer, URLSafeSerializer

from passport_lti import signed

SECRET, PURPOSE = "s" * 32, "test"
VALUE = {"nonce": "é", "at": 1, "deep": [None, True]}


def test_a_value_comes_back():
    text = signed.dumps(SECRET, PURPOSE, VALUE)
    assert signed.loads(SECRET, PURPOSE, text) == VALUE
    assert URLSafeSerializer(SECRET, salt="passport-lti test").loads(text) == VALUE
    assert text.startswith("eyJ"), "the log knows values of ours by how they begin"


@pytest.mark.parametrize("secret, purpose", [("t" * 32, PURPOSE), (SECRET, "other")])
def test_it_is_of_no_use_elsewhere(secret, purpose):
    with pytest.raises(BadData):
        signed.loads(secret, purpose, signed.dumps(SECRET, PURPOSE, VALUE))


@pytest.mark.parametrize("place", [0, 10, -10, -1])
def test_a_changed_letter_is_seen(place):
    letters = list(signed.dumps(SECRET, PURPOSE, VALUE))
    letters[place] = "A" if letters[place] != "A" else "Q"
    with pytest.raises(BadData):
        signed.loads(SECRET, PURPOSE, "".join(letters))


@pytest.mark.parametrize("text", ["", ".", "a", "a.b", "é.é", "\x00", "." * 1000])
def test_what_is_no_value_is_refused(text):
    with pytest.raises(BadData):
        signed.loads(SECRET, PURPOSE, text)


@pytest.mark.parametrize("content", [b"", b"!", b"eyJ", b"_w", b".eJyrVkrLz1eyUkpKLFKqBQAdegQ0"])
def test_what_we_signed_as_something_else_is_refused(content):
    text = Signer(SECRET, salt="passport-lti test").sign(content).decode()
    with pytest.raises(BadData):
        signed.loads(SECRET, PURPOSE, text)
