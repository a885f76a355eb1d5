"""Secrets that a program and an estimator let out: nothing of them is stored or shown.

What every file of the project and every output holds is searched for each of them, as it is and in
the spellings that encoders give it.
"""

import base64
import json
import random
import string
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.cli.conftest import Run

from tunesmith.system.secret_names import says_secret

NAMED = """
DB_PASS MY_PASSPHRASE OPENAI_KEY BASIC_AUTH STRIPE_SK ADMIN_PWD SESSION_COOKIE GH_PAT STORAGE_SAS
SENTRY_DSN AZURE_CREDENTIAL SQL_CONN_STR MAPS_APIKEY SIGNING_SECRET PRIVATE_PEM FLASK_SESSION
API_BEARER SLACK_WEBHOOK PGPASSWORD MYSQLPWD REDISCLI_AUTH GITHUBTOKEN dbPassword npm_config__auth
SMTP_PW DJANGO_SECRET_KEY JWT_SALT WANDB_API_KEY COMET_TOKEN HUB_CREDS SERVICE_ACCOUNT_JSON_CRED
DEPLOY_KEY ENCRYPTION_KEY KAFKA_SASL_PASSWD RABBITMQ_PASSW0RD LOGIN_OTP TWILIO_AUTH_TOKEN
CONNECTION_STRING HMAC_KEY OAUTH_CODE CLIENT_SECRET VAULT_TOKEN SSH_PASSPHRASE COOKIES LICENSE_KEY
ACCESS_KEYS MNEMONIC AUTHORIZATION ROOTPW BINDPW RECOVERY_CODE ACCESS_CODE XSRF_STATE CSRF
""".split()  # noqa: SIM905 - as people read them
ALPHABET = string.ascii_letters + string.digits + "+/!@ &<\"'%é"


def values() -> dict[str, str]:
    rng = random.Random(7)
    found = {name: "Zq" + "".join(rng.choices(ALPHABET, k=18)) + "x9" for name in NAMED}
    found["MULTILINE_KEY"] = "\n".join(
        "L" + "".join(rng.choices(ALPHABET[:62], k=40)) for _ in "123"
    )
    found["GOOGLE_CREDENTIALS"] = json.dumps({"client_secret": "Gs9#inner-secret-77", "n": 1})
    # The name says nothing, the form says it.
    found["DATABASE_URL"] = "postgresql://ann:In%40ner9pass@db.example/x"
    return found


def forms() -> dict[str, str]:
    """Made here from parts, so that no scanner takes this file for a leak."""
    rng = random.Random(8)

    def some(n: int, alphabet: str = string.ascii_letters + string.digits) -> str:
        return "4a" + "".join(rng.choices(alphabet, k=n - 2))

    upper, hexadecimal = string.ascii_uppercase + "234567", "0123456789abcdef"
    jwt = ".".join("eyJ" + some(30) for _ in range(2)) + "." + some(43)
    key = "\n".join(base64.b64encode(rng.randbytes(48)).decode() for _ in range(12))
    return {
        "github": "ghp_" + some(36),
        "github fine": "github_pat_" + some(22) + "_" + some(59),
        "github app": "ghs_" + some(36),
        "gitlab": "glpat-" + some(20),
        "gitlab runner": "glrt-" + some(20),
        "aws": "AKIA" + "".join(rng.choices(upper, k=16)),
        "aws session": "ASIA" + "".join(rng.choices(upper, k=16)),
        "gcp": "AIza" + some(35),
        "gcp oauth": "ya29." + some(60),
        "azure": some(3) + "8Q~" + some(34),
        "azure storage": "AccountKey=" + some(86) + "==",
        "slack": "xoxb-" + some(12) + "-" + some(24),
        "slack app": "xapp-1-" + some(40),
        "slack hook": "https://hooks.slack.com/services/" + some(9) + "/" + some(24),
        "stripe": "sk_live_" + some(24),
        "stripe hook": "whsec_" + some(32),
        "openai": "sk-proj-" + some(48),
        "anthropic": "sk-ant-api03-" + some(95),
        "hugging face": "hf_" + some(34),
        "npm": "npm_" + some(36),
        "pypi": "pypi-AgEIcHlwaS5vcmc" + some(80),
        "docker": "dckr_pat_" + some(27),
        "sendgrid": "SG." + some(22) + "." + some(43),
        "databricks": "dapi" + some(32, hexadecimal),
        "grafana": "glsa_" + some(32) + "_" + some(8, hexadecimal),
        "jwt": jwt,
        "bearer": "Bearer " + some(40),
        "basic": "Authorization: Basic " + base64.b64encode(b"ann:" + some(20).encode()).decode(),
        "url": "https://ann:" + some(16) + "@example.org/x",
        "query": "https://example.org/x?api_key=" + some(24),
        "field": "password=" + some(16),
        "pem": f"-----BEGIN RSA PRIVATE KEY-----\n{key}\n-----END RSA PRIVATE KEY-----",
    }


VALUES, FORMS = values(), forms()


def needles() -> list[bytes]:
    """Parts by which each secret would be known again."""
    found: set[str] = set()
    for value in VALUES.values():
        found |= {line for line in value.splitlines() if len(line) >= 8}
        data = value.encode()
        found |= {quote(value), quote(value, safe=""), json.dumps(value)[1:-1], data.hex()}
        found |= {base64.b64encode(data).decode().rstrip("=")[:-1]}
    found |= {"inner-secret", "In@ner9pass", "In%40ner9pass"}
    for form in FORMS.values():
        secret = form.split("@")[0].rsplit(":", 1)[-1] if "://ann" in form else form
        lines = secret.splitlines()
        found |= {line for line in lines if "-----" not in line} if len(lines) > 1 else {secret}
        found.add(max(secret.replace("/", " ").replace("=", " ").split(), key=len))
    return [text.encode() for text in found if len(text) >= 8]


SAYING = """\
import base64, json, os, sys, urllib.parse
import numpy as np

def everything():
    names = json.loads(os.environ["CANARIES"])
    for name in names:
        value = os.environ[name]
        yield value
        yield f"{name}={value}"
        yield urllib.parse.quote(value)
        yield urllib.parse.quote(value, safe="")
        yield json.dumps({"x": value})
        yield repr({"x": value})
        yield base64.b64encode(value.encode()).decode()
        yield base64.b64encode(b"ann:" + value.encode()).decode()
        yield value.encode().hex()
        yield value[:5] + chr(27) + "[1m" + value[5:] + chr(27) + "[0m"
        yield from value.splitlines()
    yield json.loads(os.environ["GOOGLE_CREDENTIALS"])["client_secret"]
    yield urllib.parse.unquote("In%40ner9pass")
    # Reversed in the variable, so that it is the form alone by which it is known.
    yield from (form[::-1] for form in json.loads(os.environ["FORMS"]))

def let_out(*streams):
    for text in everything():
        for stream in streams:
            stream.write(text[:7]); stream.flush()
            stream.write(text[7:] + chr(10)); stream.flush()
"""

PROGRAM = """\
from saying import everything, let_out
import sys
let_out(sys.stdout, sys.stderr)
print("harmless words stay; learning rate 0.000123456789, in", __file__)
raise RuntimeError("cannot log in: " + " | ".join(everything()))
"""
MODEL = """\
import sys, warnings
from saying import everything, let_out
from sklearn.tree import DecisionTreeClassifier
let_out(sys.stdout, sys.stderr)

class Model(DecisionTreeClassifier):
    def fit(self, X, y, **options):
        let_out(sys.stdout, sys.stderr)
        for text in everything():
            warnings.warn(text)
            if self.max_depth == 1:
                raise ValueError("cannot log in: " + text)
        if self.max_depth == 2:
            raise ValueError(" ".join(everything()))
        return super().fit(X, y, **options)
"""
HEAD = """\
study: canaries
objective:
"""
BY_PROGRAM = """\
  command: [python, train.py, "{max_depth}"]
  metrics_pattern: "acc (\\\\S+)"
  metric: {name: acc, direction: maximize}
  environment: {keep: ["*"]}
"""
BY_ESTIMATOR = """\
  estimator: model.Model
  data: {path: data.csv, target: kind}
  cv: 2
  metric: accuracy
"""
TAIL = """\
space:
  max_depth: {int: [1, 3]}
search: {method: grid}
outputs: {html: outputs/report.html, history: outputs/history.jsonl, trials: outputs/trials.csv}
"""


def environment() -> dict[str, str]:
    reversed_forms = [form[::-1] for form in FORMS.values()]
    names = sorted(VALUES)
    return {**VALUES, "CANARIES": json.dumps(names), "FORMS": json.dumps(reversed_forms)}


def test_the_names_all_say_it() -> None:
    assert len(NAMED) >= 40
    assert [name for name in NAMED if not says_secret(name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["program", "serial", "workers"])
def test_nothing_is_let_out(project: Path, process: Run, tunesmith: Run, kind: str) -> None:
    body = BY_PROGRAM if kind == "program" else BY_ESTIMATOR
    (project / "tuning.yaml").write_text(HEAD + body + TAIL)
    (project / "saying.py").write_text(SAYING)
    (project / "train.py").write_text(PROGRAM)
    (project / "model.py").write_text(MODEL)
    workers = "1" if kind == "serial" else "2"
    environ = environment()
    # Imports take longer than all the rest, so only one of the three is a process of its own.
    start = process if kind == "workers" else tunesmith
    run = start("run", "--workers", workers, **environ, PYTHONWARNINGS="default")
    assert run.returncode == (1 if kind == "program" else 0), run.stderr[-3000:]
    outputs = [run.stdout, run.stderr]
    for command in (
        "status",
        "trials",
        "trials --json",
        "best",
        "report",
        "logs 0",
        "logs 0 --json",
    ):
        done = tunesmith(*command.split(), **environ)
        outputs += [done.stdout, done.stderr]
    seen = {f"output {n}": text.encode() for n, text in enumerate(outputs)}
    for path in project.rglob("*"):
        # Python's own bytecode of the project's code holds what that code says.
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            seen[str(path.relative_to(project))] = path.read_bytes()
    assert any(name.startswith(".tunesmith/ledger") for name in seen)
    leaks = [
        (name, needle) for name, text in seen.items() for needle in needles() if needle in text
    ]
    assert leaks == []
    if kind == "program":
        log = next(text for name, text in seen.items() if name.endswith("stdout.log"))
        assert b"learning rate 0.000123456789, in /" in log
    assert any(b"[redacted]" in text for text in seen.values())
