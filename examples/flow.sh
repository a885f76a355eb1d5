#!/bin/sh
# An experiment with real Git and DVC: a repository with a bare remote, a study on its tuning branch,
# its parameters on the training branch, a merge. Run it with `make flow`; it prints Markdown, which
# is kept as docs/flow.md.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export DVC_NO_ANALYTICS=1 GIT_CONFIG_GLOBAL="$folder/gitconfig" HISTFILE=/dev/null
git config --global user.name Ann
git config --global user.email ann@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false

step() { printf '\n## %s\n\n%s\n' "$1" "$2"; }
# The command as it is typed, then what it prints.
run() {
    printf '\n```console\n$ %s\n' "$*"
    sh -c "$*" 2>&1 | sed 's/[[:space:]]*$//'
    printf '```\n'
}

cat <<'END'
# Walkthrough: from a study to a merge

This page is what you see if you run `make flow`: an experiment in the repository that `tunesmith init --template mlops` writes for you, with a bare remote, real Git and
real DVC. In CI, the workflows do the same for you ([CI](ci.md)).
END

git init -q --bare "$folder/remote.git"
git clone -q "$folder/remote.git" "$folder/tumours" 2>/dev/null
cd "$folder/tumours"

step "Create a repository" \
    "Your project has four DVC stages. The first \`dvc repro\` tunes and trains."
run tunesmith init . --template mlops
run "git add -A && dvc init -q"
run dvc repro -q
run "git add -A && git commit -q -m 'A model with tuned parameters' && git push -q origin main"
run dvc dag
run dvc status

step "Tune on a branch of its own" \
    "You widen the search space on a tuning branch. Known evaluations are reused."
run tunesmith experiment start wider --push origin
run git switch -q tuning/wider
run "sed -i 's/C: {float: \[0.01, 1000.0\]/C: {float: [0.01, 100000.0]/' tuning.yaml"
run tunesmith status
run dvc repro -q tuning
run dvc metrics diff
run dvc params diff
run "git add -A && git commit -q -m 'tune: a wider space' && git push -q origin HEAD"

step "Apply the parameters to the training branch" \
    "You apply the winner, train with it, and compare the metrics with those of the main branch."
run tunesmith experiment apply wider --push origin
run git log -1 --format=%B training/wider
run git switch -q training/wider
run dvc repro -q evaluation
run "git add -A && git commit -q -m 'train: a wider space' && git push -q origin HEAD"
run tunesmith ci metrics-diff
run tunesmith experiment list

step "Edit the parameters: training runs, tuning does not" \
    "The best-parameters file is user-owned here, so your edit is kept."
run "sed -i 's/classify__C: .*/classify__C: 10.0/' config/best_parameters.yaml"
run tunesmith status
run dvc status
run dvc repro -q
run tunesmith verify
run "git commit -qam 'train: 10 is enough' && git push -q"

step "Merge" \
    "After the merge, your main branch has nothing left to run."
run git switch -q main
run "git merge -q --no-ff -m 'A wider space' training/wider && git push -q"
run tunesmith experiment list
run dvc repro -q

step "Continue in a fresh clone" \
    "The clone has no ledger. It reads the committed history, so nothing is evaluated again and no file changes."
run git clone -q ../remote.git ../clone
cd ../clone
run git switch -q tuning/wider
run tunesmith best
run dvc repro -q preprocessing
run tunesmith run -q
run git status --short

step "Find an edit that DVC was made to accept" \
    "\`dvc commit -f\` makes DVC call an edited output clean. \`tunesmith verify\` still tells you about it."
run "sed -i 's/classify__C: .*/classify__C: 12.5/' outputs/tuned_parameters.yaml"
run dvc commit -q -f tuning
run dvc status tuning
run "tunesmith verify || echo \"exit code \$?\""
