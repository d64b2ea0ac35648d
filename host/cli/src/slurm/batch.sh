
# Shared by all nodes: results, and the journals that a cleanup needs.
results=$PWD/vespeiro-$SLURM_JOB_ID
# When the job ends early, Slurm sends a TERM, and KillWait seconds later (30 by default) a KILL. Shards stop in order at the
# first; this script goes on to the report and the cleanup.
trap : TERM

# Shard 0 is the first task, on the first node, and listens where Slurm finds that node.
together=()
if [ "$meet" = yes ]; then
    first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
    address=$(scontrol --oneliner show node "$first" | sed -n 's/.* NodeAddr=\([^ ]*\).*/\1/p')
    address=${address:-$first}
    case $address in *:*) address="[$address]" ;; esac
    together=(--meet "$address:${port:-$((20000 + SLURM_JOB_ID % 10000))}")
    # Whoever reaches that port could end the run.
    : "${VESPEIRO_CONTROL_TOKEN:=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}"
    export VESPEIRO_CONTROL_TOKEN
fi

# A shard that ends badly ends the others at once.
srun --kill-on-bad-exit=1 --label --ntasks="$shards" --cpus-per-task="$SLURM_CPUS_PER_TASK" \
    "$vespeiro" run --plan "$plan" --shard auto --no-panel --results "$results" --journal "$results/run.journal" "${together[@]}" "${flags[@]}"
code=$?

# The verdict over the whole: no shard has judged its own part. Of shards that meet, shard 0 has judged and written it.
summaries=("$results"/summary-*-of-"$shards".json)
incomplete=()
[ "${#summaries[@]}" = "$shards" ] || incomplete=(--incomplete)
if [ ! -e "$results/summary.json" ] && [ -e "${summaries[0]}" ]; then
    "$vespeiro" report "${summaries[@]}" "${incomplete[@]}" --json "$results/summary.json" --html "$results/report.html"
    judged=$?
    [ "$code" != 0 ] || code=$judged
fi

# Each shard has removed what it had made, unless it was killed or out of time: then its journal is still there.
for journal in "$results"/*.journal; do
    if [ "$cleanup" = always ] && [ -e "$journal" ]; then
        "$vespeiro" cleanup "$results" --plan "$plan" "${flags[@]}"
        cleaned=$?
        [ "$code" != 0 ] || code=$cleaned
        break
    fi
done
exit "$code"
