"""A PyTorch loop with epochs and checkpoints; runs the same by hand: `python train.py`."""

import csv
from pathlib import Path

import torch
from torch import nn

import tunesmith

params = tunesmith.params({"epochs": 9, "learning_rate": 0.01, "width": 32, "dropout": 0.0})
torch.manual_seed(0)
torch.set_num_threads(1)

with Path("digits.csv").open() as file:
    rows = list(csv.reader(file))[1:]
table = torch.tensor([[float(cell) for cell in row] for row in rows])
table = table[torch.randperm(len(table))]
X, y = table[:, :-1] / 16.0, table[:, -1].long()
cut = int(0.7 * len(y))

model = nn.Sequential(
    nn.Linear(64, params["width"]),
    nn.ReLU(),
    nn.Dropout(params["dropout"]),
    nn.Linear(params["width"], 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=params["learning_rate"], momentum=0.9)
done = 0

# A trial that goes on with more epochs finds here what it left after fewer.
folder = tunesmith.checkpoint_dir()
state = folder / "state.pt" if folder else None
if state and state.exists():
    saved = torch.load(state, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    done = saved["epoch"]

for epoch in range(done + 1, params["epochs"] + 1):
    model.train()
    order = torch.randperm(cut, generator=torch.Generator().manual_seed(epoch))
    for batch in order.split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X[batch]), y[batch]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(X[cut:]), y[cut:]).item()
        accuracy = (model(X[cut:]).argmax(dim=1) == y[cut:]).float().mean().item()
    tunesmith.report(epoch, loss=loss, accuracy=accuracy)
    print(f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}")

if state:
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": params["epochs"],
        },
        state,
    )
