#!/usr/bin/env bash
# Runs MirrorMaker, which is the command in the arguments. Restarts it whenever it exits, and when the file named in
# WRIT_MIRROR_RESTART_FILE appears: a failed task stays failed until a restart. Exits on SIGTERM.
set -u

request=${WRIT_MIRROR_RESTART_FILE:?the file that asks for a restart}
shortest=1 longest=30 # seconds between an exit and the next start
well=60               # after this many seconds of running, the pauses start over
patience=20           # seconds that MirrorMaker may take to exit

stopping=
trap 'stopping=yes' TERM INT

# Unlike `sleep`, `wait` is interrupted by a signal.
doze() {
  sleep "$1" &
  wait $! || kill $! 2>/dev/null
}

# Waits until MirrorMaker has exited. Stops it when this script is stopped or a restart is requested.
attend() {
  local told=
  asked=
  while kill -0 "$mirror" 2>/dev/null; do
    if [ -e "$request" ]; then
      asked=yes
      rm -f "$request"
    fi
    if [ -n "$told" ] && [ $((SECONDS - told)) -ge $patience ]; then
      kill -KILL "$mirror" 2>/dev/null
    elif [ -z "$told" ] && [ -n "$stopping$asked" ]; then
      told=$SECONDS
      kill -TERM "$mirror" 2>/dev/null
    fi
    doze 1
  done
  wait "$mirror"
}

pause=$shortest
while [ -z "$stopping" ]; do
  rm -f "$request"
  began=$SECONDS
  "$@" &
  mirror=$!
  attend
  code=$?
  [ -z "$stopping" ] || break
  [ $((SECONDS - began)) -lt $well ] || pause=$shortest
  if [ -n "$asked" ]; then
    echo "run.sh: a restart was asked for: starting MirrorMaker again"
    continue
  fi
  echo "run.sh: MirrorMaker ended with code $code: starting it again in $pause s"
  doze $pause
  pause=$((pause * 2 < longest ? pause * 2 : longest))
done
