#!/bin/sh
# The demo: a small real project is written into ./demo, three studies run on it, and a training
# script uses what they found. Run it with `make demo`.
set -eu
folder=${1:-demo}

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

step "1. A project: a table, a training script, three studies"
tunesmith init "$folder" --template demo --force
cd "$folder"

step "2. The plan, before anything is spent"
tunesmith check -c studies/grid.yaml

step "3. Grid search over config/parameters.json, a scikit-learn param_grid as it is"
tunesmith run -c studies/grid.yaml

step "4. Random search"
tunesmith run -c studies/random.yaml

step "5. Bayesian search"
tunesmith run

step "6. Again: nothing is evaluated twice"
tunesmith run

step "7. The training script reads the winner"
cat config/best_parameters.yaml
python train.py

step "Done. Look at:"
echo "  $folder/outputs/tuning_results.md     the report for the pull request"
echo "  $folder/outputs/tuning_report.html    the same, to look into"
echo "  $folder/config/best_parameters.yaml   what the training script reads"
echo "  cd $folder && tunesmith trials        every trial"
