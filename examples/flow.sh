#!/bin/sh
# The whole way with real Git and DVC: a repository with a bare remote, a study on its tuning branch,
# its parameters on the training branch, a merge. Run it with `make flow`; what it prints is Markdown,
# and docs/flow.md is that.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export DVC_NO_ANALYTICS=1 GIT_CONFIG_GLOBAL="$folder/gitconfig" HISTFILE=/dev/null
git config --global user.name Ann
git config --global user.email ann@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false

step() { printf '\n## %s\n' "$*"; }
# The command as it is typed, then what it prints.
run() {
    printf '\n```console\n$ %s\n' "$*"
    sh -c "$*" 2>&1 | sed 's/[[:space:]]*$//'
    printf '```\n'
}

cat <<'END'
# The whole way

What `make flow` prints: the repository that `tunesmith init --template mlops` writes, a bare remote, real Git and DVC. In CI the workflows do the same
([CI](ci.md)).
END

git init -q --bare "$folder/remote.git"
git clone -q "$folder/remote.git" "$folder/tumours" 2>/dev/null
cd "$folder/tumours"

step "A repository"
run tunesmith init . --template mlops
run "git add -A && dvc init -q"
run dvc repro -q
run "git add -A && git commit -q -m 'A model with tuned parameters' && git push -q origin main"
run dvc dag
run dvc status

step "A study on its own branch"
run tunesmith experiment start wider --push origin
run git switch -q tuning/wider
run "sed -i 's/C: {float: \[0.01, 1000.0\]/C: {float: [0.01, 100000.0]/' tuning.yaml"
run tunesmith status
run dvc repro -q tuning
run dvc metrics diff
run dvc params diff
run "git add -A && git commit -q -m 'tune: a wider space' && git push -q origin HEAD"

step "Its parameters on the training branch"
run tunesmith experiment apply wider --push origin
run git log -1 --format=%B training/wider
run git switch -q training/wider
run dvc repro -q evaluation
run "git add -A && git commit -q -m 'train: a wider space' && git push -q origin HEAD"
run tunesmith ci metrics-diff
run tunesmith experiment list

step "A reviewer knows better: an edit trains, and tunes nothing"
run "sed -i 's/classify__C: .*/classify__C: 10.0/' config/best_parameters.yaml"
run tunesmith status
run dvc status
run dvc repro -q
run tunesmith verify
run "git commit -qam 'train: 10 is enough' && git push -q"

step "A merge"
run git switch -q main
run "git merge -q --no-ff -m 'A wider space' training/wider && git push -q"
run tunesmith experiment list
run dvc repro -q

step "A fresh clone"
run git clone -q ../remote.git ../clone
cd ../clone
run git switch -q tuning/wider
run tunesmith best
run dvc repro -q preprocessing
run tunesmith run -q
run git status --short

step "Tampering that DVC was made to vouch for"
run "sed -i 's/classify__C: .*/classify__C: 12.5/' outputs/tuned_parameters.yaml"
run dvc commit -q -f tuning
run dvc status tuning
run "tunesmith verify || echo \"exit code \$?\""
