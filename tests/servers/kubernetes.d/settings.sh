# Certificates of a fresh cluster, and the settings of its parts, below $STATE. Sourced by `kubernetes`.

pki() {
  local d=$STATE/pki; mkdir -p "$d"; cd "$d"
  openssl genrsa -out ca.key 2048 2>/dev/null
  openssl req -x509 -new -key ca.key -subj /CN=kubernetes-ca -days 30 -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  cert() {   # name subject extension
    openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
    printf 'keyUsage=digitalSignature,keyEncipherment\n%s\n' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" \
      -out "$1.crt" 2>/dev/null
    rm -f "$1.csr" "$1.ext"
  }
  local n names=
  for n in kubernetes kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local; do
    names+=,DNS:$n
  done
  cert apiserver /CN=kube-apiserver "extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,IP:$NODE_IP,IP:${SVC_CIDR%.*.*}.0.1,DNS:localhost$names"
  local c=extendedKeyUsage=clientAuth
  cert admin /O=system:masters/CN=admin $c
  cert kubelet-client /O=system:masters/CN=apiserver-kubelet-client $c
  cert front-proxy /CN=front-proxy-client $c
  cert kcm /CN=system:kube-controller-manager $c
  cert scheduler /CN=system:kube-scheduler $c
  cert proxy /CN=system:kube-proxy $c
  cert kubelet "/O=system:nodes/CN=system:node:$NODE" $c
  cert coredns /O=system:masters/CN=coredns $c
  for n in admin kcm scheduler proxy kubelet coredns; do kubeconf "$n" https://127.0.0.1:6443 >"$n.kubeconfig"; done
  (umask 077; kubeconf admin "https://127.0.0.1:$PORT" >"$STATE/kubeconfig")
  cd - >/dev/null
}

kubeconf() { cat <<Y
apiVersion: v1
kind: Config
clusters: [{name: trackway, cluster: {server: "$2", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: trackway, context: {cluster: trackway, user: $1}}]
current-context: trackway
Y
}

configs() {
  mkdir -p "$STATE"/{conf/cni,log,kubelet,volumes,volume-plugins,pod-logs,varlib,run}
  : >"$STATE/conf/resolv.conf"
  cat >"$STATE/conf/containerd.toml" <<Y
version = 2
root = "$STATE/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/trackway/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$ROOT/usr/lib/cni"
    conf_dir = "$STATE/conf/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "$ROOT/usr/sbin/runc"
Y
  cat >"$STATE/conf/cni/10-bridge.conflist" <<Y
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam", "ranges": [[{"subnet": "$POD_CIDR"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
Y
  cat >"$STATE/conf/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $STATE/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
resolvConf: $STATE/conf/resolv.conf
podLogsDir: $STATE/pod-logs
volumePluginDir: $STATE/volume-plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 60
healthzBindAddress: 127.0.0.1
Y
  cat >"$STATE/conf/proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: 10.244.0.0/16
hostnameOverride: $NODE
clientConnection: {kubeconfig: $STATE/pki/proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
Y
  cat >"$STATE/conf/Corefile" <<Y
.:53 {
  bind $NODE_IP
  errors
  cache 30
  loadbalance
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $STATE/pki/coredns.kubeconfig trackway
    pods insecure
  }
}
Y
}
