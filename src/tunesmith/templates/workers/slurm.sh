#!/bin/bash
# Workers for the study %%{study}. Written by `tunesmith worker --example slurm`; yours to change.
#
# Before you submit it (`sbatch %%{file}`):
# - Array, cores, memory and time below are a guess. Add what your cluster asks for, such as a
#   partition or an account.
# - Submit it in an environment that has `tunesmith`, or activate one below.
# - The address of the ledger is that of %%{name}, unless you export TUNESMITH_LEDGER.
#   Its password belongs into ~/.pgpass (mode 600), not into this file.
# The run itself may be anywhere: `tunesmith run --executor pull`.
#
#SBATCH --job-name=%%{job}
#SBATCH --array=1-4
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=01:00:00
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%%{job}-%A_%a.log
set -u
cd "${SLURM_SUBMIT_DIR:-.}" || exit 1
# . /path/to/environment/bin/activate

# It ends by itself with code 0 if the study has had no fit for it for ten minutes, and with code 2
# if code, data or packages are not those of the run.
tunesmith worker%%{config} --workers "${SLURM_CPUS_PER_TASK:-1}" --idle-timeout 10m &
worker=$!
again=no
# USR1 comes a minute before the time limit; TERM comes from `scancel` and from preemption, after
# which SLURM itself decides what is begun again. On TERM, a worker gives its fits to others.
trap 'again=yes; kill -TERM "$worker" 2>/dev/null' USR1
trap 'kill -TERM "$worker" 2>/dev/null' TERM
code=0
wait "$worker" || code=$?
# A trapped signal ends `wait` early, while the worker is still giving back its fits.
while kill -0 "$worker" 2>/dev/null; do
    code=0
    wait "$worker" || code=$?
done

if [ "$again" = yes ] && [ "$code" -ne 0 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
