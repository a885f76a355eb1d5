"""A training loop with epochs and checkpoints in NumPy; runs the same by hand: python train.py."""

import numpy as np

import tunesmith

params = tunesmith.params({"epochs": 9, "learning_rate": 0.1, "decay": 1e-4})

table = np.loadtxt("digits.csv", delimiter=",", skiprows=1)
table = np.random.default_rng(0).permutation(table)
X, y = table[:, :-1] / 16.0, table[:, -1].astype(int)
cut = int(0.7 * len(y))

weights = np.zeros((X.shape[1] + 1, 10))
done = 0

# A trial that goes on with more epochs finds here what it left after fewer.
folder = tunesmith.checkpoint_dir()
state = folder / "state.npz" if folder else None
if state and state.exists():
    saved = np.load(state)
    weights, done = saved["weights"], int(saved["epoch"])


def chances(rows: np.ndarray) -> np.ndarray:
    logits = rows @ weights[:-1] + weights[-1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


for epoch in range(done + 1, params["epochs"] + 1):
    order = np.random.default_rng(epoch).permutation(cut)
    for start in range(0, cut, 64):
        batch = order[start : start + 64]
        slope = chances(X[batch])
        slope[np.arange(len(batch)), y[batch]] -= 1.0
        weights[:-1] -= params["learning_rate"] * (
            X[batch].T @ slope / len(batch) + params["decay"] * weights[:-1]
        )
        weights[-1] -= params["learning_rate"] * slope.mean(axis=0)
    guess = chances(X[cut:])
    loss = float(-np.log(guess[np.arange(len(guess)), y[cut:]] + 1e-12).mean())
    accuracy = float((guess.argmax(axis=1) == y[cut:]).mean())
    tunesmith.report(epoch, loss=loss, accuracy=accuracy)
    print(f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}")

if state:
    np.savez(state, weights=weights, epoch=params["epochs"])
