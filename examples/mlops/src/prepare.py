"""Raw table -> rows to learn from, and rows that only the evaluation sees."""

from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

RAW, FOLDER = Path("data/raw.csv"), Path("processed_data")
TARGET = "malignant"


def prepare(table: pd.DataFrame) -> pd.DataFrame:
    """Whole rows, each once, with plain column names and the target as 0 or 1."""
    table = table.dropna().drop_duplicates()
    table.columns = [name.strip().lower().replace(" ", "_") for name in table.columns]
    table[TARGET] = (table.pop("diagnosis") == "malignant").astype(int)
    return table


def main() -> None:
    """Write both tables; the same raw rows give the same files."""
    table = prepare(pd.read_csv(RAW))
    rows, test = train_test_split(table, test_size=0.25, stratify=table[TARGET], random_state=0)
    FOLDER.mkdir(exist_ok=True)
    rows.to_csv(FOLDER / "dataset.csv", index=False)
    test.to_csv(FOLDER / "test.csv", index=False)
    print(f"{len(rows)} rows to learn from, {len(test)} to test on")


if __name__ == "__main__":
    main()
