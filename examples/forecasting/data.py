"""Writes hires.csv: made-up hires of bicycles on 900 days, with what is known a week ahead."""

import numpy as np
import pandas as pd

HORIZON = 7  # the forecast is made a week before the day
rng = np.random.default_rng(3)
days = pd.date_range("2023-01-01", periods=900, freq="D")
n = np.arange(len(days))

season = 12 - 10 * np.cos(2 * np.pi * (days.day_of_year - 15) / 365.25)
temperature = season + rng.normal(0, 3, len(days))
weekend = days.day_of_week >= 5
level = 180 + 0.12 * n + 9 * temperature - 45 * weekend
# Busy and quiet weeks come in waves.
wave = pd.Series(rng.normal(0, 14, len(days))).ewm(alpha=0.2).mean() * 2
hires = np.maximum(0, level + wave.to_numpy() + rng.normal(0, 12, len(days))).round()

table = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "hires": hires.astype(int)})
table["weekday"] = days.day_of_week
table["month"] = days.month
# The forecast of the weather a week ahead is a poor one.
table["temperature"] = (temperature + rng.normal(0, 4, len(days))).round(1)
# Nothing that is newer than the horizon: on the day of the forecast, it is not known yet.
for lag in (HORIZON, 2 * HORIZON):
    table[f"hires_{lag}"] = table["hires"].shift(lag)
table["mean_28"] = table["hires"].shift(HORIZON).rolling(28).mean().round(1)
table = table.dropna().reset_index(drop=True)
table.to_csv("hires.csv", index=False)
print(f"hires.csv: {len(table)} days, from {table['day'].min()} to {table['day'].max()}")
