# What every server script here shares; sourced, never run by itself.
#
# A script sets       PORT     its default port
#                     OFFERS   what it can do beyond --port and --data: tls, user
# and defines         install  fill the cache, with `once`
#                     launch   write the server's settings into $DATA and start it, with `spawn`
#                     ready    succeed once the server truly answers a client
#                     url      print what a client connects to
# then ends with      main "$@"
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NAME=$(basename "$0")
CACHE=${TRACKWAY_SERVERS_CACHE:-$(cd "$HERE/../.." && pwd)/target/servers}
DATA=${TRACKWAY_SERVERS_DATA:-$CACHE/data}/$NAME
WAIT=${TRACKWAY_SERVERS_WAIT:-300} # seconds a server may take to answer
TLS='' NAMES='' LOGIN='' PASSWORD=''
# A server of a test lives for a minute or two, which Java's second compiler takes two cores of and never gives back.
# Where speed is measured it is there: TRACKWAY_SERVERS_FULL_SPEED=1.
COMPILER=(-XX:TieredStopAtLevel=1)
[[ -z ${TRACKWAY_SERVERS_FULL_SPEED:-} ]] || COMPILER=()

say() { echo "$NAME: $*" >&2; }
die() { say "$*"; exit 1; }
need() { for c; do command -v "$c" >/dev/null || die "'$c' is not installed"; done; }
offers() { [[ " $OFFERS " == *" $1 "* ]]; }

# once FOLDER COMMAND...: make $CACHE/FOLDER by running COMMAND in an empty folder that becomes it.
# All or nothing, and safe when two jobs ask at the same moment.
once() {
  local dir=$CACHE/$1 log=$CACHE/$1.log; shift
  [[ -d $dir ]] && return
  mkdir -p "$CACHE"
  (
    exec 9>"$dir.lock" && flock 9
    [[ -d $dir ]] && exit
    say "first use: downloading (log: $log)"
    new=$(mktemp -d "$dir.XXXXXX") && trap 'rm -rf "$new"' EXIT
    (cd "$new" && set -e && "$@") >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "download failed, see $log"; }
    chmod 755 "$new" && mv -T "$new" "$dir"
  ) || exit 1
}

# jars POM: lay out what java/POM names in the current folder.
jars() { mvn -B -ntp -q -f "$HERE/java/$1" -Dout="$PWD" generate-resources; }

# Java 17 or newer; TRACKWAY_JAVA_HOME chooses another than the PATH's.
use_java() {
  need mvn
  [[ -z ${TRACKWAY_JAVA_HOME:-} ]] || PATH=$TRACKWAY_JAVA_HOME/bin:$PATH
  need java javac
  JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
  export JAVA_HOME
}

# Elasticsearch and OpenSearch refuse to run as root. Root runs them as 'nobody' of a new user
# namespace: to them a plain user, to the files still root.
UNROOT=()
((EUID)) || UNROOT=(unshare --user --map-user=65534 --map-group=65534)

# spawn COMMAND...: run it in the background, out of reach of the caller's terminal, its output in $LOG.
spawn() {
  setsid nohup "$@" >>"$LOG" 2>&1 </dev/null &
  PID=$!
}

# certs: a throw-away CA and a certificate for localhost and $NAMES, in $DATA/tls: ca.pem, cert.pem, key.pem.
# The certificate serves a client as well, where mutual TLS is tried. Other names than the last time mean a new
# certificate by the same CA: clients that have the CA go on as they are.
certs() {
  local names=DNS:localhost,IP:127.0.0.1 n
  for n in ${NAMES//,/ }; do
    if [[ $n == *:* || $n =~ ^[0-9.]+$ ]]; then names+=,IP:$n; else names+=,DNS:$n; fi
  done
  [[ $names != "$(cat "$DATA/tls/names" 2>/dev/null)" ]] || return 0
  need openssl
  mkdir -p "$DATA/tls"
  (
    cd "$DATA/tls"
    local new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    { [[ -f ca.pem ]] ||
      openssl req -x509 "${new[@]}" -days 3650 -subj '/CN=Trackway test CA' -keyout ca.key -out ca.pem; } &&
      openssl req "${new[@]}" -subj /CN=localhost -keyout key.pem -out cert.csr &&
      openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out cert.pem \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$names") &&
      echo "$names" >names
  ) 2>"$DATA/tls/log" || { tail -n 3 "$DATA/tls/log" >&2; die "openssl could not make the certificates in $DATA/tls"; }
}

# get PATH: ask this HTTP server as its user.
get() {
  local as=()
  [[ -z $TLS ]] || as+=(--cacert "$DATA/tls/ca.pem")
  [[ -z $LOGIN ]] || as+=(-u "$LOGIN:$PASSWORD")
  curl -fsS --noproxy '*' -m 20 "${as[@]}" "$(url)$1"
}

# A process is the one we started only if its start time matches too: pids are used again. One that is dead and waits to
# be buried (Z) is none.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 !~ /[ZX]/ { print $20 }'; }
running() { [[ -f $STATE ]] && . "$STATE" && [[ -n $BORN && $(born "$PID") == "$BORN" ]]; }
alive() { [[ -n $(born "$PID") ]]; }

start() {
  local asked="$PORT $TLS $NAMES $LOGIN"
  if running; then
    [[ "$PORT $TLS $NAMES $LOGIN" == "$asked" ]] || die "already running with other options at $(url): stop it first"
    url
    return
  fi
  ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || die "port $PORT is taken"
  install
  mkdir -p "$DATA"
  [[ -z $TLS ]] || certs
  local since=$SECONDS
  : >"$LOG"
  launch
  BORN=$(born "$PID")
  for v in PID BORN PORT TLS NAMES LOGIN PASSWORD; do printf '%s=%q\n' "$v" "${!v}"; done >"$STATE"
  until ready >>"$DATA/ready.log" 2>&1; do
    alive || { tail -n 15 "$LOG" >&2; rm -f "$STATE"; die "it ended at once, see $LOG"; }
    ((SECONDS - since < WAIT)) || { stop; die "no answer within $WAIT s, see $LOG"; }
    sleep 0.5
  done
  say "answers after $((SECONDS - since)) s (pid $PID, log $LOG)"
  url
}

stop() {
  if running; then
    kill "$PID"
    for _ in {1..120}; do alive || break; sleep 0.25; done
    ! alive || kill -9 "$PID"
    say "stopped (pid $PID)"
  else
    say "was not running"
  fi
  rm -f "$STATE"
}

status() {
  running || { echo "stopped"; return 3; }
  echo "running"
  echo "url:  $(url)"
  [[ -z $LOGIN ]] || echo "user: $LOGIN"
  [[ -z $TLS ]] || echo "ca:   $DATA/tls/ca.pem"
  echo "data: $DATA"
  echo "log:  $LOG"
  echo "pid:  $PID ($(($(awk '/VmRSS/ {print $2}' "/proc/$PID/status") / 1024)) MiB)"
}

usage() {
  local more=''
  ! offers tls || more+=' [--tls [--names N,N]]'
  ! offers user || more+=' [--user U --password P]'
  cat <<EOF
Usage: $NAME install                      fetch what it is made of, once
       $NAME start [--port P] [--data DIR]$more
       $NAME stop [--data DIR] [--wipe]     end it; --wipe also deletes its data
       $NAME status [--data DIR]            exit status 3 when it is not running
       $NAME url [--data DIR]
Default port $PORT, data in $DATA.
EOF
}

main() {
  local act=${1:-help} wipe=''
  shift || true
  while (($#)); do
    case $1 in
      --port) PORT=${2:?} && shift ;;
      --data) DATA=$(realpath -m "${2:?}") && shift ;;
      --tls) offers tls || die "no --tls here"; TLS=yes ;;
      --names) offers tls || die "no --names here"; NAMES=${2:?} && shift ;;
      --user) offers user || die "no --user here"; LOGIN=${2:?} && shift ;;
      --password) PASSWORD=${2:?} && shift ;;
      --wipe) wipe=yes ;;
      *) usage >&2; die "what is '$1'?" ;;
    esac
    shift
  done
  [[ -z $LOGIN || -n $PASSWORD ]] || die "--user needs --password"
  [[ -z $NAMES || -n $TLS ]] || die "--names needs --tls"
  STATE=$DATA/server.state LOG=$DATA/server.log
  case $act in
    install) install ;;
    start) start ;;
    stop) stop; [[ -z $wipe ]] || rm -rf "$DATA" ;;
    status) status ;;
    url) running || die "not running"; url ;;
    -h | --help | help) usage ;;
    # What one server alone can do.
    *) declare -F "do_$act" >/dev/null || { usage >&2; exit 2; }; "do_$act" ;;
  esac
}
