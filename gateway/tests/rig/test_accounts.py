"""Filters, rights and passwords. That mosquitto itself reads the same files the same way is shown in test_brokers."""

import pytest

from gateway.rig.accounts import covers, is_password, parse_access, password_file
from gateway.rig.broker import access_rules


@pytest.mark.parametrize(
    ("allowed", "wanted", "within"),
    [
        # MQTT 3.1.1, section 4.7.1, its own examples
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        # a filter within a filter
        ("zev/1/#", "zev/1/+/data", True),
        ("zev/1/+/data", "zev/1/#", False),
        ("zev/1/a/data", "zev/1/+/data", False),
        ("zev/1/a", "#", False),
    ],
)
def test_a_filter_covers_what_lies_within_it(allowed, wanted, within):
    assert covers(allowed, wanted) is within


@pytest.mark.parametrize(
    ("user", "topic", "reads", "writes"),
    [
        ("gateway", "zev/1/lens/cellar/set", True, True),
        ("gateway", "$SYS/broker/version", False, False),
        ("cellar", "zev/1/lens/cellar/data", False, True),
        ("cellar", "zev/1/lens/cellar/set", True, True),
        ("cellar", "zev/1/lens/cellar/heard", True, True),
        ("cellar", "zev/1/lens/gateway/state", True, False),
        ("cellar", "zev/1/lens/attic/data", False, False),
        ("cellar", "zev/1/lens/attic/set", False, False),
        ("cellar", "zev/1/#", False, False),
    ],
)
def test_the_rules_of_a_site_give_each_account_its_own_topics(user, topic, reads, writes):
    rules = parse_access(access_rules())
    assert (rules.may_read(user, topic), rules.may_write(user, topic)) == (reads, writes)


def test_an_access_without_a_word_is_both():
    rules = parse_access("# all\n\nuser a\ntopic x/#\n")
    assert rules.may_read("a", "x/y")
    assert rules.may_write("a", "x/y")
    assert not rules.may_read("b", "x/y")


def test_a_password_file_keeps_no_password_and_knows_the_right_one():
    text = password_file({"cellar": "s3cret", "attic": "s3cret"})
    assert "s3cret" not in text
    first, second = text.splitlines()
    assert first.split(":")[1] != second.split(":")[1]  # salted
    assert is_password(text, "cellar", "s3cret")
    assert not is_password(text, "cellar", "s3cre")
    assert not is_password(text, "gateway", "s3cret")
    assert not is_password(text, "", "")
