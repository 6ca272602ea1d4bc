#!/usr/bin/env bash
# A SLURM cluster of one node on loopback, from Debian's packages, for tests.
# Use: tests/cluster/slurm.sh up|down FOLDER     (as root; needs slurm-wlm and munge)
set -euo pipefail

action=$1
folder=$(realpath -m "$2")
host=$(hostname -s)

up() {
  mkdir -p "$folder"/{state,spool,run}
  chmod 755 "$folder"
  if [ ! -f "$folder/munge.key" ]; then
    (umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
  fi
  munged --force --key-file="$folder/munge.key" --socket="$folder/run/munge.socket" \
    --pid-file="$folder/run/munged.pid" --log-file="$folder/munged.log" \
    --seed-file="$folder/munge.seed"
  local memory
  memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
  cat >"$folder/slurm.conf" <<CONF
ClusterName=dlre-test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MinJobAge=600
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  # Snakemake's plugin clears SLURM_* in the job, so the tools there look in the standard place.
  mkdir -p /etc/slurm
  ln -sfn "$folder/slurm.conf" /etc/slurm/slurm.conf
  slurmctld -f "$folder/slurm.conf"
  slurmd -f "$folder/slurm.conf"
  for _ in $(seq 50); do
    sinfo --noheader --format=%T 2>/dev/null | grep -q idle && return 0
    sleep 0.2
  done
  echo "SLURM did not come up; see $folder/*.log" >&2
  tail -n 20 "$folder"/*.log >&2
  return 1
}

down() {
  scancel --user=root 2>/dev/null || true
  for name in slurmd slurmctld munged; do
    [ -f "$folder/run/$name.pid" ] || continue
    pid=$(cat "$folder/run/$name.pid")
    kill "$pid" 2>/dev/null || continue
    # They write their state when they end: whoever removes the folder would meet new files.
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done
  [ "$(readlink /etc/slurm/slurm.conf)" = "$folder/slurm.conf" ] && rm -f /etc/slurm/slurm.conf
  return 0
}

case $action in
  up) up ;;
  down) down ;;
  *) echo "use: $0 up|down FOLDER" >&2; exit 2 ;;
esac
