module rkx/images/tools/cni-flannel

go 1.24.2

require github.com/containernetworking/plugins v0.9.1
