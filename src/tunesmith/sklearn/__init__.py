"""scikit-learn's searches over Tunesmith's engine: same names, same results, less work.

>>> from sklearn.datasets import load_iris
>>> from sklearn.ensemble import RandomForestClassifier
>>> from tunesmith.sklearn import GridSearchCV
>>> forest = RandomForestClassifier(random_state=0)
>>> search = GridSearchCV(forest, {"n_estimators": [10, 20, 40], "max_depth": [2, 4]}, cv=3)
>>> search = search.fit(*load_iris(return_X_y=True))
>>> len(search.cv_results_["params"]), search.n_fits_
(6, 6)
"""

from tunesmith.sklearn.bayes import BayesSearchCV
from tunesmith.sklearn.search import GridSearchCV, RandomizedSearchCV

__all__ = ["BayesSearchCV", "GridSearchCV", "RandomizedSearchCV"]
