"""Names of variables that say that the value is a secret.

A name is taken apart into words (``DB_PASS``, ``dbPass``, ``db.pass``). One word is enough, unless
the name goes on to say that it speaks *about* the secret: ``TOKEN_TTL``, ``AUTH_METHOD``.
"""

import re
from functools import lru_cache

_WORDS = """
accesskey apikey appkey auth authkey authn authorization authz basicauth bearer cert certkey cipher
conn connstr connstring connectionstring cookie cookies cred creds credential credentials dsn
encryption hmac htpasswd jwt key keys keystore license licence login mnemonic netrc nonce oauth otp
otpauth pass passcode passcodes passes passphrase passphrases passwd passwds password passwords pat
pats pepper pgpass phrase pin privatekey private privkey psk psw pswd pw pwd pwds pword rsa salt sas
sastoken secret secrets secretkey seckey sessid session sessionid sessions sig signature signing sk
sso token tokens totp vault webhook webhooks
"""
WORDS = frozenset(_WORDS.split())
# `(?!iz)`: TOKENIZERS_PARALLELISM is no secret.
PARTS = re.compile(
    r"passw|passphrase|passcode|secret|token(?!iz)|credential|api_?key|access_?key|private_?key"
    r"|conn(?:ection)?_?str|(?:access|recovery|backup)_?code|[cx]srf|cookie|bearer|webhook|oauth|mnemonic",
    re.IGNORECASE,
)
"""Words that also count within a longer word: ``GITHUBTOKEN``."""
ENDS = re.compile(
    r"(?:key|keys|pass|pwd|passwd|pswd|auth|creds|dsn|pw|sess(?:ion)?id)$", re.IGNORECASE
)
"""Words that count at the end of a longer word: ``OPENAIKEY``, ``DBPASS``."""
_ORDINARY = """
bypass compass encompass trespass underpass overpass monkey donkey turkey hockey jockey hotkey
hotkeys whiskey passkeyboard primarykey foreignkey sortkey
"""
ORDINARY = frozenset(_ORDINARY.split())
_ABOUT = """
algorithm algo attempts class count days dir directory email enabled expiration expires expiry
file folder format home host hours id_type interval kind length level lifetime limit max method
methods min minutes mode name names path policy port provider region required retries scheme
scope scopes seconds size sock socket timeout ttl type types user username version
"""
ABOUT = frozenset(_ABOUT.split())
"""Last words of names whose value describes a secret and is none."""
# Set by desktops and shells on most machines: hidden, they would blank out paths in every log.
PUBLIC = re.compile(
    r"^(?:PWD|OLDPWD|DESKTOP_SESSION|GDMSESSION|SESSION_MANAGER|SSH_AUTH_SOCK|XAUTHORITY"
    r"|XDG_\w*|DBUS_\w*|LC_\w*|\w*PUBLIC\w*)$",
    re.IGNORECASE,
)
SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def says_secret(name: str) -> bool:
    """Tell whether a variable's name says that its value is a secret.

    >>> [says_secret(name) for name in ("DB_PASS", "openaiKey", "STRIPE_SK", "COMPASS")]
    [True, True, True, False]
    >>> [says_secret(name) for name in ("PWD", "AUTH_METHOD", "TOKENIZERS_PARALLELISM")]
    [False, False, False]
    """
    if PUBLIC.match(name):
        return False
    words = [word.lower() for word in SPLIT.split(name) if word]
    if not words or words[-1] in ABOUT:
        return False
    return PARTS.search(name) is not None or any(map(_says_it, words))


def _says_it(word: str) -> bool:
    # `DB_PASSWORD2` is a password, too.
    plain = word.rstrip("0123456789")
    if plain in ORDINARY:
        return False
    return plain in WORDS or ENDS.search(plain) is not None
