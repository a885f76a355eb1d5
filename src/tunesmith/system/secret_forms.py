"""Secrets that are recognised by their form alone: tokens, keys, logins.

Prefixes and lengths are those that the services publish for scanners of secrets; the shortest
length is taken, so that longer ones to come are found as well.
"""

import re

from tunesmith.system.private_keys import without_keys

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
    r"xox[abdeoprsc](?:\.xox[abp])?-[\w-]{10,}",  # Slack
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
    r"(?:lin_api|glsa|glc|figd|sntry[su]|dapi)[_A-Za-z0-9]{24,}[\w.=+/-]*",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{1,40}\.)?[A-Za-z0-9]{24,}",  # Doppler
    r"(?:hv[sbr]\.|tskey-|PMAK-|NRAK-|ATATT3x|ATCTT3x|ATBB|pul-|sbp_|vercel_|cio)[\w-]{20,}",
    r"s\.(?=[A-Za-z]{0,24}\d)[A-Za-z0-9]{24}(?![A-Za-z0-9])",  # Vault, before 2022
    r"(?:HRKU-|ntn_|tgp_v\d_|lsv2_[ps][tk]_|pcsk_|sb_secret_|wandb_v\d_|isat_|CCIPAT_)[\w-]{20,}",
    r"(?:pscale_(?:tkn|pw|oauth)_|sq0[a-z]{3}-|ops_eyJ|sk\.eyJ|f[mo][12][ar]?_)[\w.+/=-]{20,}",
    r"(?:secret_|AKCp|cmVmdGtu|EAA)[A-Za-z0-9]{40,}",  # Notion, Artifactory, Facebook
    r"(?:AKID|pn[uab]_)[A-Za-z0-9]{30,}",  # Tencent, Prefect
    r"LTAI[A-Za-z0-9]{16,}",  # Alibaba
    r"(?:sk_|sq[pua]_|bk[a-z]{2}_)[a-f0-9]{40,}",  # ElevenLabs, Sonar, Buildkite
    r"pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}",  # Airtable
    r"\w{14}\.atlasv1\.[\w-]{40,}",  # Terraform
    r"(?:sdk|access-(?:sandbox|development|production))-[a-f0-9]{8}-[a-f0-9-]{27}",
    r"sl\.[\w-]{100,}",  # Dropbox
    r"oy2[a-z0-9]{43}",  # NuGet
    r"[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}",  # Discord
    r"\d{8,10}:AA[\w-]{30,}",  # Telegram
    r"AGE-SECRET-KEY-1[A-Z0-9]{30,}",
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",  # JSON Web Tokens
    r"eyJ[\w-]{8,}\.[\w-]*\.[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",
)
HOOKS = (
    r"(https?://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)"
    r"|hooks\.zapier\.com/hooks|maker\.ifttt\.com/trigger"
    r"|(?:[\w-]+\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w.-]*webhook\.office\.com|[\w.-]+\.logic\.azure\.com)/)[^\s'\"<>]+"
)
# Repetitions are bounded here and below: a long line must not take quadratic time.
URL_USER = (
    r"(\b[a-z][a-z0-9+.-]{0,30}://)"
    # Passwords may hold @, or else / ? #
    r"(?:[^/\s?#]{0,400}@|[^/\s:@?#]{0,200}:(?!\d+[/?#])[^\s@]{0,400}@)"
)
# The same as JSON and percent-encoding write it.
ESCAPED_USER = (
    r"(\b[a-z][a-z0-9+.-]{0,30}(?::\\/\\/|%3a%2f%2f))"
    r"(?:(?!\\/|%2f|%3f|%23|%40)[^\s/&\"'<>@?#]){1,400}(?=%40|@)"
)
QUERY = r"([?&;#]([\w.\[\]%-]{1,80})=)(?:(?!\\u0026)[^&\s'\"<>])+"
ESCAPED_QUERY = r"((?:\\u0026|%26|%3f)([\w.\[\]-]{1,80})(?:=|%3d))(?:(?!\\u0026|%26)[^&\s'\"<>])+"
IN_QUERY = re.compile(r"passw|token|secret|key|sig|credential|auth(?!or)", re.IGNORECASE)
FIELD = (
    # `password=…`, "api_key": "…", AccountKey=…; not a number, a path or a plain word.
    r"((?:password|passwd|passphrase|secret(?:[_-]?key)?|api[_-]?key|access_?key|auth_?token"
    r"|access_?token|refresh_?token|id_?token|private_?key|account_?key"
    r"|(?<![A-Za-z])(?:pwd|pass|token))[\"']?\s{0,4}(?:=>|[=:])\s{0,4}[\"']?)"
    r"(?![+-]?[\d.,_]+(?:e[+-]?\d+)?(?![^\s\"',;])|[./~]|\[redacted\])(?=[^\s\"',;]{0,99}[\d!@#$%^&*+/=_-])[^\s\"',;&]{8,}"
)
# In quotes a password may hold spaces: "correct horse 9".
QUOTED = (
    r"((?:password|passwd|passphrase|secret)[\"']?\s{0,4}(?:=>|[=:])\s{0,4}"
    r"(?:\"(?=[^\"\n]* )|'(?=[^'\n]* )))(?=[^\"'\n]{0,99}\d)[^\"'\n]{8,200}"
)
LOGIN_IN_BASE64 = (
    r"((?:\b|_)auth[\"']?\s{0,4}[=:]\s{0,4}[\"']?)"
    r"(?=[A-Za-z]{0,99}(?:\d|[a-z][A-Z]))[A-Za-z0-9+/]{12,}={0,2}"
)
# Between an option and its value a list has quotes and a comma.
BETWEEN = r"(?:[ =]\s{0,4}[\"']?|[\"'],\s{0,40}[\"'])"
OPTION = (
    r"(\s[\"']?--?(?:[\w-]{0,40}[_-])?(?:password|passwd|passphrase|token|secret|(?:api|access|secret)[_-]?key)"
    rf"{BETWEEN})(?=[^\s\"',]{{0,99}}\d)(?![-[{{./~])(?![\d.,_]+(?![^\s\"',]))[^\s\"',]{{8,}}"
)
USER_OPTION = (
    r"(\bcurl\b[^\n|;&]{0,200}?(?:\s-u|--user|[\"']-u)"
    rf"{BETWEEN}[^\s:\"']{{1,80}}:)[^\s\"']+"
)
NETRC = r"(\blogin\s{1,9}\S{1,80}\s{1,9}password\s{1,9})\S+"
HEADER = (
    r"(\b(?:proxy-)?authorization[\"']?\s*[=:]\s*[\"']?(?:[A-Za-z-]+\s+)?"
    r"|\b(?:set-)?cookie[\"']?\s*:\s*[\"']?"
    r"|\bx-(?:api-key|auth-token|amz-security-token)[\"']?\s*[=:]\s*[\"']?)[^\s\"',][^\n\"',]{7,}"
)
BEARER = r"(\b(?:bearer|token|basic)\s+)(?=[\w.~+/=-]{0,99}\d)[\w.~+/-]{16,}=*"

TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(TOKENS)})")
FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("/", re.compile(ESCAPED_USER, re.IGNORECASE)),
    ("%", re.compile(ESCAPED_USER, re.IGNORECASE)),
    ("://", re.compile(HOOKS, re.IGNORECASE)),
    ("=", re.compile(QUERY, re.IGNORECASE)),
    ("u0026", re.compile(ESCAPED_QUERY, re.IGNORECASE)),
    ("%", re.compile(ESCAPED_QUERY, re.IGNORECASE)),
    ("", re.compile(HEADER, re.IGNORECASE)),
    ("", re.compile(BEARER, re.IGNORECASE)),
    ("", re.compile(FIELD, re.IGNORECASE)),
    ("", re.compile(QUOTED, re.IGNORECASE)),
    ("auth", re.compile(LOGIN_IN_BASE64)),
    ("-", re.compile(OPTION, re.IGNORECASE)),
    ("curl", re.compile(USER_OPTION)),
    ("login", re.compile(NETRC)),
)
"""A literal that a text must hold before a pattern is tried (which is faster), and the pattern;
its first group is the text before the secret, and a second one the name of a query's field."""
LOGIN = re.compile(URL_USER, re.IGNORECASE)


def without_known_forms(text: str) -> str:
    """Hide every secret that is known by its form.

    >>> without_known_forms("https://ann:pw@host/?api_key=x1 ghp_" + "a1" * 15)
    'https://[redacted]@host/?api_key=[redacted] [redacted]'
    """
    text = without_keys(text, MARK)
    text = TOKEN.sub(MARK, text)
    if "://" in text:
        text = LOGIN.sub(rf"\1{MARK}@", text)
    for needed, form in FORMS:
        if needed in text:
            text = form.sub(_hidden, text)
    return text


def _hidden(match: re.Match[str]) -> str:
    is_query = match.re.groups > 1
    if is_query and not IN_QUERY.search(match[2]):
        return match[0]
    return f"{match[1]}{MARK}"
