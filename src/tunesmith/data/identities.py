"""Names of columns that say whose row it is: a patient, a customer, a machine."""

import re

IDENTITY = re.compile(
    r"(?:^|[_\W])(?:id|uuid|guid|patient|subject|person|user|customer|client|member|participant"
    r"|household|family|speaker|author|session|device|machine|vehicle|animal|specimen)s?"
    r"(?:[_\W]?(?:id|no|nr|num|number|key|code))?$|[a-z]Id$|ID$",
    re.IGNORECASE,
)
"""Names of columns that tell whose row it is."""


def is_identity(name: str) -> bool:
    """Tell whether a column is named like one that says whose row it is.

    >>> is_identity("patient_id"), is_identity("customerId"), is_identity("humidity")
    (True, True, False)
    """
    return IDENTITY.search(name) is not None
