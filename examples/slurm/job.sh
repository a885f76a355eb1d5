#!/bin/bash
#SBATCH --job-name=tune
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=tune-%j.log
set -eu
cd "${SLURM_SUBMIT_DIR:-.}"

# 10 minutes before the allocation ends, the run ends by itself: outputs are written, and every
# finished fold is kept. SLURM's signal three minutes before the end is the second net.
tunesmith run -q --workers "${SLURM_CPUS_PER_TASK:-1}" --time-budget "${BUDGET:-230m}" &
run=$!
cancelled=no
# The shell gets the signal, and must hand it on: a shell that waits for a foreground command
# would look at it only afterwards. USR1 tells of the time limit, and TERM of `scancel`.
trap 'kill -TERM "$run" 2>/dev/null || true' USR1
trap 'cancelled=yes; kill -TERM "$run" 2>/dev/null || true' TERM
code=0
wait "$run" || code=$?
# A trapped signal ends `wait` early; the run is still writing its outputs.
while kill -0 "$run" 2>/dev/null; do
    code=0
    wait "$run" || code=$?
done

# 143: the time is spent and trials are left. The job goes back into the queue and continues.
if [ "$code" -eq 143 ] && [ "$cancelled" = no ] && [ -n "${SLURM_JOB_ID:-}" ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
