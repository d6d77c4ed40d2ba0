# Makes what the cluster consists of, once, below $CACHE: tools from Go modules, the runtime from Debian's packages, the
# sandbox image. Sourced by `kubernetes`.

go_env() { export GOTOOLCHAIN=local CGO_ENABLED=0 GOCACHE=$CACHE/gocache GOBIN=$BIN; mkdir -p "$BIN"; }

install_helm() {
  [ -x "$BIN/helm" ] && [ "$(cat "$BIN/.helm" 2>/dev/null)" = "$HELM" ] && return
  go_env; say "building helm $HELM"
  # Without these a self-built helm says v3.0+unreleased of itself and renders for Kubernetes 1.20.
  local of=helm.sh/helm/v3 p
  local ld="-s -w -X $of/internal/version.version=$HELM -X $of/internal/version.gitTreeState=clean"
  for p in pkg/lint/rules pkg/chartutil; do
    ld+=" -X $of/$p.k8sVersionMajor=1 -X $of/$p.k8sVersionMinor=${K8S:2:2}"
  done
  nice go install -trimpath -ldflags "$ld" "helm.sh/helm/v3/cmd/helm@$HELM"
  echo "$HELM" >"$BIN/.helm"
}

install_kubeconform() {
  if ! [ -x "$BIN/kubeconform" ]; then
    go_env; say "building kubeconform $KUBECONFORM"
    nice go install -trimpath -ldflags '-s -w' "github.com/yannh/kubeconform/cmd/kubeconform@$KUBECONFORM"
  fi
  local want="$K8S $GATEWAY_API $PROMETHEUS_OPERATOR $SNAPSHOTTER"
  if [ "$(cat "$CACHE/schemas/.done" 2>/dev/null)" != "$want" ]; then
    say "writing schemas of Kubernetes $K8S and of kinds of others"
    rm -rf "$CACHE/schemas"
    local gateway operator snapshots
    gateway=$(module "sigs.k8s.io/gateway-api@$GATEWAY_API")/config/crd/standard
    operator=$(module "github.com/prometheus-operator/prometheus-operator@$PROMETHEUS_OPERATOR")
    operator+=/example/prometheus-operator-crd/monitoring.coreos.com
    snapshots=$(module "github.com/kubernetes-csi/external-snapshotter/client/v8@$SNAPSHOTTER")/config/crd/snapshot
    definitions "$CACHE/schemas/definitions" "$gateway"/*_{httproutes,grpcroutes}.yaml \
      "${operator}_servicemonitors.yaml" "${operator}_prometheusrules.yaml" \
      "$snapshots".storage.k8s.io_volumesnapshot{s,classes}.yaml
    python3 "$SRC/schemas.py" "$CACHE/schemas" "$(module "k8s.io/kubernetes@v$K8S")/api/openapi-spec/swagger.json" \
      "$CACHE/schemas/definitions"/*.json
    echo "$want" >"$CACHE/schemas/.done"
  fi
}

# module PATH@VERSION: where the files of a Go module are.
module() { (cd "$SRC/node" && go mod download -json "$1") | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'; }

# definitions FOLDER FILE…: definitions of kinds of others as JSON. Helm reads YAML, which Python does not by itself.
definitions() {
  local chart=$1/chart file name
  mkdir -p "$chart/templates"
  printf 'apiVersion: v2\nname: definitions\nversion: 1.0.0\n' >"$chart/Chart.yaml"
  for file in "${@:2}"; do
    name=$(basename "$file" .yaml)
    cp "$file" "$chart/$name"
    printf '{{ .Files.Get "%s" | fromYaml | toJson }}\n' "$name" >"$chart/templates/$name.yaml"
    "$BIN/helm" template definitions "$chart" --show-only "templates/$name.yaml" |
      sed '/^---$/d; /^#/d' >"$1/$name.json"
  done
  rm -rf "$chart"
}

install_node() {
  local want; want=$(cat "$SRC"/node/{go.mod,go.sum,main.go} | sha256sum | cut -c1-16)
  if [ "$(cat "$BIN/.node" 2>/dev/null)" != "$want" ]; then
    go_env; say "building the Kubernetes $K8S components (five minutes on two idle cores)"
    local ld="-s -w" p
    for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
      # The suffix is what EKS says: a chart's kubeVersion ">=1.28" refuses it, ">=1.28-0" does not.
      ld+=" -X $p.gitVersion=v$K8S-eks-trackway -X $p.gitMajor=1 -X $p.gitMinor=${K8S:2:2}+ -X $p.gitTreeState=clean"
      ld+=" -X $p.gitCommit=0000000000000000000000000000000000000000 -X $p.buildDate=2026-01-01T00:00:00Z"
    done
    (cd "$SRC/node" && nice go build -trimpath -ldflags "$ld" -o "$BIN/kube-node" .)
    local c
    for c in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy coredns kubectl; do
      ln -sf kube-node "$BIN/$c"
    done
    echo "$want" >"$BIN/.node"
  fi
}

install_runtime() {
  if [ "$(cat "$ROOT/.done" 2>/dev/null)" != "$DEBS" ]; then
    say "unpacking Debian's containerd, runc and network tools"
    rm -rf "$CACHE/debs" "$ROOT"; mkdir -p "$CACHE/debs" "$ROOT"
    # shellcheck disable=SC2086
    (
      cd "$CACHE/debs"
      apt-get download -q $DEBS >/dev/null 2>&1 || { apt-get update -qq && apt-get download -q $DEBS >/dev/null; }
    )
    local d; for d in "$CACHE"/debs/*.deb; do dpkg -x "$d" "$ROOT"; done
    rm -rf "$CACHE/debs"
    for d in ip{,6}tables{,-save,-restore}; do ln -sf xtables-nft-multi "$ROOT/usr/sbin/$d"; done
    echo "$DEBS" >"$ROOT/.done"
  fi
  if ! [ -s "$CACHE/pause.tar" ]; then
    cc -static -Os -s -o "$CACHE/pause" "$SRC/pause.c"
    "$HERE/../../deploy/oci-image" -o "$CACHE/pause.tar" --name localhost/trackway/pause:1 \
      --file "$CACHE/pause:/pause:0755" --entrypoint /pause --user 65535:65535
  fi
}

cmd_install() {   # install [tools|node|all]: tools = helm, kubeconform and schemas; node = the cluster
  case ${1:-all} in
    tools) install_helm; install_kubeconform ;;
    node) install_runtime; install_node ;;
    all) install_helm; install_kubeconform; install_runtime; install_node ;;
    *) die "install tools|node|all" ;;
  esac
  rm -rf "$CACHE/gocache"
}
