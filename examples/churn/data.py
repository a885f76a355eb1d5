"""Writes data/customers.csv: 900 months of 400 made-up customers, with words, numbers and gaps."""

from pathlib import Path

import numpy as np
import pandas as pd

N_ROWS, N_CUSTOMERS = 900, 400
rng = np.random.default_rng(7)

# A customer has several rows, which are alike: they must not be spread over training and test.
customer = rng.integers(0, N_CUSTOMERS, N_ROWS)
plan = np.array(["basic", "plus", "family"])[rng.choice(3, N_CUSTOMERS, p=[0.5, 0.3, 0.2])]
payment = np.array(["card", "invoice", "debit"])[rng.choice(3, N_CUSTOMERS, p=[0.5, 0.2, 0.3])]
mood = rng.normal(size=N_CUSTOMERS)

months = rng.integers(1, 60, N_ROWS)
calls = rng.poisson(1.0 + 0.6 * (mood[customer] < -0.5), N_ROWS)
days_away = rng.gamma(2.0, 4.0, N_ROWS)
price = np.select([plan == "basic", plan == "plus"], [9.9, 19.9], 29.9)[customer]
price = price + rng.normal(0, 1.5, N_ROWS)

risk = (
    -2.1
    + 0.7 * calls
    + 0.09 * days_away
    - 0.025 * months
    + 0.9 * (payment[customer] == "invoice")
    + 0.08 * (price - 15) * (plan[customer] == "basic")
    - 0.8 * mood[customer]
)
churn = rng.random(N_ROWS) < 1 / (1 + np.exp(-risk))

table = pd.DataFrame(
    {
        "customer_id": customer + 1000,
        "plan": plan[customer],
        "payment": payment[customer],
        "months": months,
        "support_calls": calls,
        "days_away": days_away.round(1),
        "price": price.round(2),
        "churn": churn.astype(int),
    }
)
# Some prices were never noted, and some customers never said how they pay.
table.loc[rng.random(N_ROWS) < 0.08, "price"] = np.nan
table.loc[rng.random(N_ROWS) < 0.05, "payment"] = np.nan
Path("data").mkdir(exist_ok=True)
table.to_csv("data/customers.csv", index=False)
print(f"data/customers.csv: {len(table)} rows, {table['churn'].mean():.0%} of them churn")
