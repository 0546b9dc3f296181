//go:build before134

package main

import (
	"github.com/spf13/cobra"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Until 1.33 the constructor takes no context.
func newKubelet() *cobra.Command { return kubelet.NewKubeletCommand() }
