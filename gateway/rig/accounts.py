"""Accounts of a broker and what each may do, in mosquitto's own two files. Both brokers of the rig read them."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# mosquitto 2's password file: `user:$7$iterations$salt$hash`, PBKDF2 with SHA-512, 12 bytes of salt, 64 of hash.
FORMAT = "7"
ITERATIONS = 101  # mosquitto_passwd's own number
SALT_BYTES = 12
READ = frozenset({"read", "readwrite"})
WRITE = frozenset({"write", "readwrite"})


def new_password() -> str:
    """192 random bits, safe in files and shells."""
    return secrets.token_urlsafe(24)


def password_file(passwords: Mapping[str, str]) -> str:
    """The text of a password file for these accounts."""
    return "".join(
        f"{user}:{_hashed(password, secrets.token_bytes(SALT_BYTES))}\n" for user, password in passwords.items()
    )


def is_password(text: str, user: str, password: str) -> bool:
    """Whether a password file holds this account with this password."""
    for line in text.splitlines():
        name, _, stored = line.partition(":")
        if name == user:
            salt = base64.b64decode(stored.split("$")[3])
            return hmac.compare_digest(stored, _hashed(password, salt))
    return False


def _hashed(password: str, salt: bytes) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return "$".join(("", FORMAT, str(ITERATIONS), base64.b64encode(salt).decode(), base64.b64encode(digest).decode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of an ACL file. `user` is None for a pattern, which holds for all with %u as their own name."""

    user: str | None
    access: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessList:
    """What is not allowed by a rule is refused."""

    rules: tuple[Rule, ...] = field(default=())

    @property
    def named(self) -> frozenset[str]:
        """The accounts with rules of their own: those of gateways."""
        return frozenset(rule.user for rule in self.rules if rule.user is not None)

    def may_read(self, user: str, topic: str) -> bool:
        """Whether messages of a topic, or a whole subscription, may go to this account."""
        return self._allows(READ, user, topic)

    def may_write(self, user: str, topic: str) -> bool:
        """Whether this account may publish to the topic."""
        return self._allows(WRITE, user, topic)

    def _allows(self, access: frozenset[str], user: str, topic: str) -> bool:
        return any(
            covers(_filter(rule, user), topic)
            for rule in self.rules
            if rule.access in access and rule.user in (None, user)
        )


def parse_access(text: str) -> AccessList:
    """The rules of an ACL file: `user NAME`, `topic [access] FILTER`, `pattern [access] FILTER`, comments."""
    return AccessList(rules=tuple(_rules(text.splitlines())))


def _rules(lines: Iterable[str]) -> Iterable[Rule]:
    user = ""
    for line in lines:
        kind, *words = line.split() or [""]
        if kind == "user":
            user = words[0]
        elif kind in ("topic", "pattern"):
            access, topic = words if len(words) == 2 else ("readwrite", words[0])
            yield Rule(user=None if kind == "pattern" else user, access=access, topic=topic)


def _filter(rule: Rule, user: str) -> str:
    return rule.topic.replace("%u", user) if rule.user is None else rule.topic


def covers(allowed: str, wanted: str) -> bool:
    """Whether all that `wanted` names (a topic or a filter) lies within the filter `allowed`.

    `#` includes its parent level (MQTT 3.1.1, section 4.7.1.2).
    """
    have, want = allowed.split("/"), wanted.split("/")
    for place, level in enumerate(have):
        if level == "#":
            return len(want) >= place
        if place == len(want) or want[place] == "#":
            return False
        if level not in ("+", want[place]):
            return False
    return len(have) == len(want)
