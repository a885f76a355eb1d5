"""Secrets that are recognised by their form alone: tokens, keys, logins.

Prefixes and lengths are those that the services publish for scanners of secrets; the shortest
length is taken, so that longer ones to come are found as well.
"""

import re

MARK = "[redacted]"

TOKENS = (
    r"gh[pousr]_[A-Za-z0-9_.-]{20,}",  # GitHub
    r"github_pat_\w{20,}",
    r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct|sbt)-[\w.-]{16,}",  # GitLab
    r"GR1348941[\w-]{20}",
    r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{12,}",  # AWS
    r"AIza[\w-]{30,}",  # Google
    r"ya29\.[\w-]{20,}",
    r"GOCSPX-[\w-]{20,}",
    r"[\w~.-]{3}[78]Q~[\w~.-]{30,}",  # Microsoft Entra
    r"xox[abeoprsc](?:\.xox[abp])?-[\w-]{10,}",  # Slack
    r"xapp-\d-[\w-]{10,}",
    r"(?:sk|rk|pk)_(?:live|test|prod)_\w{10,}",  # Stripe
    r"whsec_[\w+/=]{16,}",
    r"sk-(?=[\w-]{0,99}\d)[\w-]{20,}",  # OpenAI, Anthropic and their like
    r"(?:gsk|xai|pplx|nvapi|tvly|r8|fw|csk|voyage|jina|sk-or)[_-](?=\w{0,99}\d)[\w-]{20,}",
    r"(?:hf|api_org)_[A-Za-z0-9]{20,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{30,}",
    r"(?:pypi|testpypi)-AgE[\w-]{20,}",
    r"pypi-[\w-]{40,}",
    r"rubygems_[a-f0-9]{40,}",
    r"(?:dckr_pat|dckr_oat)_[\w-]{20,}",  # Docker
    r"do[opr]_v1_[a-f0-9]{40,}",  # DigitalOcean
    r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    r"(?:SK|AC)[a-f0-9]{32}",  # Twilio
    r"key-[a-f0-9]{32}",  # Mailgun
    r"shp(?:at|ca|pa|ss|tka)_[a-fA-F0-9]{30,}",  # Shopify
    r"(?:lin_api|glsa|glc|figd|sntry[su]|dapi|dp\.(?:pt|st|ct|sa)\.)[_A-Za-z0-9]{24,}[\w.=+/-]*",
    r"(?:hv[sbr]\.|tskey-|PMAK-|NRAK-|ATATT3x|ATCTT3x|ATBB|pul-|sbp_|vercel_|cio)[\w-]{20,}",
    r"\d{8,10}:AA[\w-]{30,}",  # Telegram
    r"AGE-SECRET-KEY-1[A-Z0-9]{30,}",
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",  # JSON Web Tokens
    r"eyJ[\w-]{8,}\.[\w-]*\.[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",
)
KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_TEXT = re.compile(r"(?:[\sA-Za-z0-9+/=:,.-]|\\[nr])*")
HOOKS = (
    r"(https?://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)"
    r"|(?:[\w-]+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w.-]*webhook\.office\.com|[\w.-]+\.logic\.azure\.com)/)[^\s'\"<>]+"
)
# Repetitions are bounded here and below: a long line must not take quadratic time.
URL_USER = (
    r"(\b[a-z][a-z0-9+.-]{0,30}://)"
    # Passwords may hold @, or else / ? #
    r"(?:[^/\s?#]{0,400}@|[^/\s:@?#]{0,200}:(?!\d+[/?#])[^\s@]{0,400}@)"
)
QUERY = r"([?&;]([\w.\[\]%-]{1,80})=)[^&\s'\"<>]+"
IN_QUERY = re.compile(r"passw|token|secret|key|sig|credential|auth(?!or)", re.IGNORECASE)
FIELD = (
    # `password=…`, "api_key": "…", AccountKey=…; not a number, a path or a plain word.
    r"((?:password|passwd|passphrase|secret|api[_-]?key|access_?key|auth_?token|access_?token"
    r"|refresh_?token|id_?token|private_?key|account_?key|(?<![A-Za-z])(?:pwd|pass|token))"
    r"[\"']?\s{0,4}(?:=>|[=:])\s{0,4}[\"']?)"
    r"(?![+-]?[\d.,_]+(?:e[+-]?\d+)?(?![^\s\"',;])|[./~]|\[redacted\])(?=[^\s\"',;]{0,99}[\d!@#$%^&*+/=_-])[^\s\"',;&]{8,}"
)
HEADER = (
    r"(\b(?:proxy-)?authorization[\"']?\s*[=:]\s*[\"']?(?:[A-Za-z-]+\s+)?"
    r"|\b(?:set-)?cookie[\"']?\s*:\s*[\"']?"
    r"|\bx-(?:api-key|auth-token|amz-security-token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',][^\n\"',]{7,}"
)
BEARER = r"(\b(?:bearer|token|basic)\s+)(?=[\w.~+/=-]{0,99}\d)[\w.~+/-]{16,}=*"

TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(TOKENS)})")
FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("://", re.compile(HOOKS, re.IGNORECASE)),
    ("=", re.compile(QUERY, re.IGNORECASE)),
    ("", re.compile(HEADER, re.IGNORECASE)),
    ("", re.compile(BEARER, re.IGNORECASE)),
    ("", re.compile(FIELD, re.IGNORECASE)),
)
"""A literal that a text must hold before a pattern is tried (which is faster), and the pattern;
its first group is the text before the secret."""
LOGIN = re.compile(URL_USER, re.IGNORECASE)


def without_known_forms(text: str) -> str:
    """Hide every secret that is known by its form.

    >>> without_known_forms("https://ann:pw@host/?api_key=x1 ghp_" + "a1" * 15)
    'https://[redacted]@host/?api_key=[redacted] [redacted]'
    """
    if "PRIVATE KEY" in text:
        text = _without_keys(text)
    text = TOKEN.sub(MARK, text)
    if "://" in text:
        text = LOGIN.sub(rf"\1{MARK}@", text)
    for needed, form in FORMS:
        if needed in text:
            text = form.sub(_hidden, text)
    return text


def _hidden(found: re.Match[str]) -> str:
    is_query = found.re.groups > 1
    if is_query and not IN_QUERY.search(found[2]):
        return found[0]
    return f"{found[1]}{MARK}"


def _without_keys(text: str) -> str:
    """Hide private keys; one that was cut off ends at the first character that no key has."""
    # No end is searched behind the last one: many beginnings without an end would take
    # quadratic time.
    parts, place, last = [], 0, text.rfind("-----END ")
    end, begin = KEY_ENDS.search(text), KEY_BEGINS.search(text)
    if end is not None and (begin is None or end.start() < begin.start()):
        # The beginning was cut off: everything before the end may belong to the key.
        parts, place = [MARK], end.end()
    while begin := KEY_BEGINS.search(text, place):
        end = KEY_ENDS.search(text, begin.end()) if begin.end() <= last else None
        end = end or KEY_TEXT.match(text, begin.end())
        parts += [text[place : begin.start()], MARK]
        place = begin.end() if end is None else end.end()
    return "".join([*parts, text[place:]])
