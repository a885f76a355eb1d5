"""Write the diabetes data that scikit-learn ships, in its original units and with gaps."""

import numpy as np
from sklearn.datasets import load_diabetes

table = load_diabetes(as_frame=True, scaled=False).frame
table = table.rename(columns={"target": "progression", "bp": "blood_pressure"})
table["sex"] = table["sex"].map({1.0: "a", 2.0: "b"})
# One blood pressure in twelve was never taken.
table.loc[np.random.default_rng(0).random(len(table)) < 1 / 12, "blood_pressure"] = np.nan
table.round(3).to_csv("patients.csv", index=False)
