"""A running process follows its file and keeps the last good configuration."""

import os
from pathlib import Path

import pytest

from passport_lti.config import Change, ConfigFile
from passport_lti.errors import ConfigError


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_untouched_file_is_no_change(config_file: Path) -> None:
    followed = ConfigFile(config_file, {})
    assert followed.reload() is None


def test_an_edit_is_applied_once(config_file: Path) -> None:
    followed = ConfigFile(config_file, {})
    edit(config_file, "client_id: kXJ2fUn8Qx0kJcY", "client_id: another")
    assert followed.reload() == Change(applied=True)
    assert followed.current.platforms["campus"].client_id == "another"
    assert followed.reload() is None


def test_a_broken_edit_keeps_the_last_good_one(config_file: Path) -> None:
    followed = ConfigFile(config_file, {})
    good = followed.current
    edit(config_file, "    coursera: main", "    coursera: mian")
    change = followed.reload()
    problem = f"{config_file}:16: platforms.campus.coursera: expected one of main"
    assert change == Change(problems=(problem,))
    assert followed.current is good
    assert followed.reload() is None, "one edit is reported once"
    edit(config_file, "    coursera: mian", "    coursera: main")
    assert followed.reload() == Change(applied=True)


@pytest.mark.parametrize("how", ["deleted", "emptied", "a directory", "half written"])
def test_a_file_that_vanishes_keeps_the_last_good_one(config_file: Path, how: str) -> None:
    followed = ConfigFile(config_file, {})
    good, text = followed.current, config_file.read_text()
    if how == "emptied":
        config_file.write_text("")
    elif how == "half written":
        config_file.write_text(text[:150])
    else:
        config_file.unlink()
        if how == "a directory":
            config_file.mkdir()
    change = followed.reload()
    assert change is not None and change.problems and not change.applied
    assert followed.current is good
    if how == "a directory":
        config_file.rmdir()
    config_file.write_text(text)
    assert followed.reload() == Change(applied=True)


def test_a_file_that_is_replaced_is_noticed(config_file: Path) -> None:
    followed = ConfigFile(config_file, {})
    fresh = config_file.with_suffix(".new")
    fresh.write_text(config_file.read_text().replace("kXJ2fUn8Qx0kJcY", "Y0kJcQx8nUf2JXk"))
    stamp = config_file.stat()
    os.utime(fresh, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    fresh.replace(config_file)
    assert followed.reload() == Change(applied=True)
    assert followed.current.platforms["campus"].client_id == "Y0kJcQx8nUf2JXk"


def test_addresses_and_connections_wait_for_a_restart(config_file: Path) -> None:
    followed = ConfigFile(config_file, {})
    edit(config_file, "passport.example.edu", "elsewhere.example.edu")
    config_file.write_text(
        config_file.read_text() + "cache: {type: NullCache}\nlog: {level: debug}\n"
    )
    assert followed.reload() == Change(applied=True, needs_restart=("tool", "cache"))
    assert followed.current.tool.base_url == "https://passport.example.edu"
    assert followed.current.cache.type == "FileSystemCache"
    assert followed.current.log.level == "debug"


def test_a_file_whose_edit_is_seen_while_it_was_being_read(config_file: Path) -> None:
    """The stamp is taken before reading: an edit in between is read again, never missed."""
    followed = ConfigFile(config_file, {})
    stat = config_file.stat()
    config_file.touch()
    os.utime(config_file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert followed.reload() == Change(applied=True)


def test_a_start_with_a_broken_file_is_refused(config_file: Path) -> None:
    config_file.write_text("tool: {}")
    with pytest.raises(ConfigError) as caught:
        ConfigFile(config_file, {})
    assert f"{config_file}:1: tool.base_url: is required" in caught.value.problems
    assert f"{config_file}:1: coursera: is required" in caught.value.problems
