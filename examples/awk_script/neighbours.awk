# Nearest neighbours: the class that most of the k nearest training rows have.
#
#   awk -F, -v k=5 -v power=2 -f neighbours.awk train.csv test.csv
#
# prints: accuracy 0.96

FNR == 1 { if (NR > 1) in_test = 1; next }
!in_test { for (i = 1; i < NF; i++) seen[n, i] = $i; class[n++] = $NF; next }
{
  for (row = 0; row < n; row++) {
    away[row] = 0
    for (i = 1; i < NF; i++) {
      gap = $i - seen[row, i]
      away[row] += (gap < 0 ? -gap : gap) ^ power
    }
  }
  delete votes
  for (turn = 0; turn < k; turn++) {
    nearest = -1
    for (row = 0; row < n; row++) if (away[row] >= 0 && (nearest < 0 || away[row] < away[nearest])) nearest = row
    votes[class[nearest]]++
    away[nearest] = -1
  }
  best = ""
  for (name in votes)
    if (best == "" || votes[name] > votes[best] || (votes[name] == votes[best] && name < best)) best = name
  right += (best == $NF)
  tested++
}
END { printf "accuracy %.10f\n", right / tested }
