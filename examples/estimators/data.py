"""Write the wine data that scikit-learn ships: 178 wines of three growers, 13 measurements."""

from sklearn.datasets import load_wine

table = load_wine(as_frame=True).frame.rename(columns={"target": "grower"})
table.to_csv("wine.csv", index=False)
