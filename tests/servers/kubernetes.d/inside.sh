# What runs inside the node's namespaces: the parts of Kubernetes, and stand-ins for a cloud's load balancer and disks.
# Sourced by `kubernetes`, which begins itself again there.

# Pid 1 of the new pid namespace: a cgroup of our own below the present one, then a cgroup namespace.
node1() {
  local line c path
  : >"$STATE/cgroups"
  for c in $CTRS; do
    line=$(grep -E "^[0-9]+:(name=)?$c:" /proc/self/cgroup) || continue
    path=/sys/fs/cgroup/$c${line##*:}; path=${path%/}/trackway-node
    mkdir -p "$path"
    if [ "$c" = cpuset ]; then
      cat "${path%/*}/cpuset.cpus" >"$path/cpuset.cpus"
      cat "${path%/*}/cpuset.mems" >"$path/cpuset.mems"
      echo 1 >"$path/cgroup.clone_children"
    fi
    echo "$path" >>"$STATE/cgroups"
    echo 0 >"$path/cgroup.procs"
  done
  exec unshare --cgroup -- "$BASH" "$0" __node2
}

admin() { kubectl --kubeconfig "$STATE/pki/admin.kubeconfig" "$@"; }

node2() {
  local c f
  export PATH LD_LIBRARY_PATH XTABLES_LIBDIR; PATH=$(node_path); LD_LIBRARY_PATH=$(lib_path)
  XTABLES_LIBDIR=$ROOT/usr/lib/x86_64-linux-gnu/xtables
  mount --make-rshared /
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  for c in $CTRS; do
    mkdir "/sys/fs/cgroup/$c"
    f=$c; [ "$c" != systemd ] || f=none,name=systemd
    mount -t cgroup -o "$f" cgroup "/sys/fs/cgroup/$c"
  done
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/log
  mkdir -p /run/varlib; mount --bind "$STATE/varlib" /run/varlib
  mkdir -p /run/varlib/{u,w}
  mount -t overlay -o lowerdir=/var/lib,upperdir=/run/varlib/u,workdir=/run/varlib/w overlay /var/lib
  # The kubelet would set these for the whole machine; it finds them set, and leaves the machine's alone.
  mkdir /run/sysctl
  while read -r f c; do
    if [ -e "/proc/sys/$f" ]; then
      echo "$c" >"/run/sysctl/${f//\//_}"
      mount --bind "/run/sysctl/${f//\//_}" "/proc/sys/$f"
    fi
  done <<<'vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000'
  hostname "$NODE"
  ip link set lo up
  ip link add node0 type bridge; ip addr add "$NODE_IP/24" dev node0; ip link set node0 up
  ip route add default dev node0
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
  local p=$STATE/pki l=$STATE/log
  cd "$STATE"

  containerd -c conf/containerd.toml >"$l/containerd.log" 2>&1 &
  etcd --data-dir "$STATE/etcd" --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync --log-level warn >"$l/etcd.log" 2>&1 &
  kube-apiserver --advertise-address=$NODE_IP --bind-address=0.0.0.0 --secure-port=6443 \
    --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=$SVC_CIDR --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --client-ca-file="$p/ca.crt" --tls-cert-file="$p/apiserver.crt" --tls-private-key-file="$p/apiserver.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local --service-account-key-file="$p/sa.pub" \
    --service-account-signing-key-file="$p/sa.key" --kubelet-client-certificate="$p/kubelet-client.crt" \
    --kubelet-client-key="$p/kubelet-client.key" --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$p/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --proxy-client-cert-file="$p/front-proxy.crt" \
    --proxy-client-key-file="$p/front-proxy.key" --profiling=false >"$l/apiserver.log" 2>&1 &
  (umask 077; exec kube-node forward unix:api.sock tcp:127.0.0.1:6443) >"$l/forward.log" 2>&1 &
  local i; for i in $(seq 240); do admin get --raw /readyz >/dev/null 2>&1 && break; sleep 0.5; done

  kube-controller-manager --kubeconfig="$p/kcm.kubeconfig" --authentication-kubeconfig="$p/kcm.kubeconfig" \
    --authorization-kubeconfig="$p/kcm.kubeconfig" --service-account-private-key-file="$p/sa.key" \
    --root-ca-file="$p/ca.crt" --cluster-signing-cert-file="$p/ca.crt" --cluster-signing-key-file="$p/ca.key" \
    --use-service-account-credentials=true \
    --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --service-cluster-ip-range=$SVC_CIDR \
    --leader-elect=false --bind-address=127.0.0.1 >"$l/controller-manager.log" 2>&1 &
  kube-scheduler --kubeconfig="$p/scheduler.kubeconfig" --authentication-kubeconfig="$p/scheduler.kubeconfig" \
    --authorization-kubeconfig="$p/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 \
    >"$l/scheduler.log" 2>&1 &
  for i in $(seq 60); do ctr version >/dev/null 2>&1 && break; sleep 0.5; done
  ctr -n k8s.io images import "$CACHE/pause.tar" >>"$l/containerd.log" 2>&1
  local labels=topology.kubernetes.io/zone=local-1a,topology.kubernetes.io/region=local-1
  kubelet --config=conf/kubelet.yaml --kubeconfig="$p/kubelet.kubeconfig" --root-dir="$STATE/kubelet" \
    --cert-dir="$STATE/kubelet/pki" \
    --hostname-override=$NODE --node-ip=$NODE_IP \
    --node-labels=$labels,node.kubernetes.io/instance-type=sandbox >"$l/kubelet.log" 2>&1 &
  kube-proxy --config=conf/proxy.yaml >"$l/proxy.log" 2>&1 &
  coredns -conf conf/Corefile >"$l/coredns.log" 2>&1 &
  admin apply -f - >"$l/addons.log" 2>&1 <<Y || true
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {clusterIP: $DNS_IP, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns-node, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
endpoints: [{addresses: ["$NODE_IP"]}]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: gp3, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: $EBS
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
Y
  provision >"$l/volumes.log" 2>&1 &
  release >>"$l/volumes.log" 2>&1 &
  # A stand-in for the cloud's load balancer: the node's address for every Service of type LoadBalancer.
  local services='{.metadata.namespace} {.metadata.name} {.spec.type} {.status.loadBalancer.ingress[0].ip}{"\n"}'
  while sleep 1; do
    admin get svc -A --watch -o "jsonpath=$services" 2>/dev/null |
    while read -r ns name type addr; do
      if [ "$type" = LoadBalancer ] && [ -z "$addr" ]; then
        admin -n "$ns" patch svc "$name" --subresource=status --type=merge \
          -p "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$NODE_IP\"}]}}}" >>"$l/lb.log" 2>&1 || true
      fi
    done
  done &
  wait
}

# A stand-in for the EBS driver: a claim whose storage class names it gets a folder as a `local` volume, since the
# kubelet gives such a volume to the pod's fsGroup, as it does with EBS. (Kubernetes' own host-path provisioner makes
# folders that only root can write to.)
provision() {
  local ns name uid by phase class size mode keep claims
  claims='{.metadata.namespace}|{.metadata.name}|{.metadata.uid}'
  claims+='|{.metadata.annotations.volume\.kubernetes\.io/storage-provisioner}|{.status.phase}'
  claims+='|{.spec.storageClassName}|{.spec.resources.requests.storage}|{.spec.accessModes[0]}{"\n"}'
  while sleep 1; do
    admin get pvc -A --watch -o "jsonpath=$claims" |
    while IFS='|' read -r ns name uid by phase class size mode; do
      [ "$by" = $EBS ] && [ "$phase" = Pending ] && ! [ -d "$STATE/volumes/pvc-$uid" ] || continue
      keep=$(admin get sc "$class" -o 'jsonpath={.reclaimPolicy}')
      mkdir "$STATE/volumes/pvc-$uid"
      admin create -f - <<Y || true
apiVersion: v1
kind: PersistentVolume
metadata: {name: "pvc-$uid", annotations: {pv.kubernetes.io/provisioned-by: $EBS}}
spec:
  capacity: {storage: "$size"}
  accessModes: [$mode]
  persistentVolumeReclaimPolicy: ${keep:-Delete}
  storageClassName: "$class"
  local: {path: "$STATE/volumes/pvc-$uid"}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: "$ns", name: "$name", uid: "$uid"}
  nodeAffinity:
    required:
      nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [$NODE]}]}]
Y
    done
  done
}

release() {
  local name phase keep by volumes
  volumes='{.metadata.name}|{.status.phase}|{.spec.persistentVolumeReclaimPolicy}'
  volumes+='|{.metadata.annotations.pv\.kubernetes\.io/provisioned-by}{"\n"}'
  while sleep 1; do
    admin get pv --watch -o "jsonpath=$volumes" |
    while IFS='|' read -r name phase keep by; do
      if [ "$phase $keep $by" = "Released Delete $EBS" ]; then
        admin delete pv "$name" --wait=false --ignore-not-found || true
        rm -rf "$STATE/volumes/${name:?}"
      fi
    done
  done
}
