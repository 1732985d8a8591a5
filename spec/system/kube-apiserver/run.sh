#!/bin/sh
# A real API server of Kubernetes over a real etcd, on loopback, for kubernetes-real.system.ts: built from its source where
# FOLDER has none yet (Go; ten minutes or more, once), and ended by Ctrl-C. It keeps what it stores in FOLDER.
#
#   spec/system/kube-apiserver/run.sh FOLDER [VERSION, 1.34.2]
#   KUBECONFIG=FOLDER/kubeconfig.json node --import tsx spec/system/kubernetes-real.system.ts
set -eu
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 2; }
folder=$1
version=${2:-1.34.2}
port=26443
etcd=23790
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
mkdir -p "$folder"
cd "$folder"

build() {
  rm -rf source && mkdir source && cd source
  go mod init example.org/kube-apiserver
  go mod edit -require "k8s.io/kubernetes@v$version"
  modules=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^.*"GoMod": "\(.*\)",*$/\1/p')
  # What is one repository there is published in parts, whose versions it does not name.
  for each in $(sed -n 's|^\tk8s.io/\([a-z-]*\) v0.0.0$|\1|p' "$modules"); do
    go mod edit -replace "k8s.io/$each=k8s.io/$each@v0.${version#1.}"
  done
  GOFLAGS=-mod=mod go build -ldflags '-s -w' -o ../kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
  cd ..
}

[ -x kube-apiserver ] || build
pids=
trap 'kill $pids 2>/dev/null; wait' EXIT
trap 'exit 130' INT TERM
[ -e sa.key ] || openssl genrsa -out sa.key 2048
openssl rsa -in sa.key -pubout -out sa.pub
umask 077
echo "$token,admin,1,\"system:masters\"" >tokens.csv
etcd --data-dir etcd --listen-peer-urls "http://127.0.0.1:$((etcd + 10))" \
  --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" >etcd.log 2>&1 &
pids=$!
./kube-apiserver --etcd-servers="http://127.0.0.1:$etcd" --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
  --secure-port="$port" --cert-dir=certs --token-auth-file=tokens.csv --authorization-mode=RBAC \
  --service-account-issuer=https://127.0.0.1 --service-account-key-file=sa.pub --service-account-signing-key-file=sa.key \
  --service-cluster-ip-range=10.96.0.0/16 --disable-admission-plugins=ServiceAccount >kube-apiserver.log 2>&1 &
pids="$pids $!"
until curl -sk -H "Authorization: Bearer $token" "https://127.0.0.1:$port/readyz" | grep -qx ok; do
  kill -0 $! || { tail -5 kube-apiserver.log && exit 1; }
  sleep 1
done
ca=$(base64 -w0 certs/apiserver.crt)
cat >kubeconfig.json <<END
{
  "current-context": "x",
  "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
  "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:$port", "certificate-authority-data": "$ca"}}],
  "users": [{"name": "u", "user": {"token": "$token"}}]
}
END
echo "Kubernetes $version listens at https://127.0.0.1:$port; KUBECONFIG=$PWD/kubeconfig.json"
wait
