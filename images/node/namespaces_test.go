package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// startMachine puts a process with namespaces of its own in the place of process 1, and gives its /proc folder.
func startMachine(t *testing.T) string {
	t.Helper()
	command := exec.Command("cat")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	input, err := command.StdinPipe()
	must(t, err)
	must(t, command.Start())
	proc := fmt.Sprintf("/proc/%d", command.Process.Pid)
	own := machineNamespaces
	machineNamespaces = proc + "/ns/"
	t.Cleanup(func() {
		machineNamespaces = own
		input.Close()
		_ = command.Wait()
	})
	return proc
}

func TestWorkOnTheMachineHappensInItsNamespacesAlone(t *testing.T) {
	proc := startMachine(t)
	names := []string{"mnt", "uts", "net"}
	if alike := sameNamespaces(t, proc, names); alike != 0 {
		t.Fatalf("%d namespaces are shared from the start, so this test shows nothing", alike)
	}
	must(t, onMachine(names, func() error {
		if alike := sameNamespaces(t, proc, names); alike != len(names) {
			t.Errorf("%d of %v were joined", alike, names)
		}
		return nil
	}))
	if alike := sameNamespaces(t, proc, names); alike != 0 {
		t.Errorf("%d namespaces stay joined afterwards", alike)
	}
}

func sameNamespaces(t *testing.T, proc string, names []string) int {
	alike := 0
	for _, name := range names {
		ours, err := os.Readlink("/proc/thread-self/ns/" + name)
		if err != nil {
			t.Error(err)
		}
		if theirs, _ := os.Readlink(proc + "/ns/" + name); ours == theirs {
			alike++
		}
	}
	return alike
}

func TestUnmountAndCleanReachTheMachine(t *testing.T) {
	folder := t.TempDir()
	point := filepath.Join(folder, "kubelet", "volume")
	must(t, os.MkdirAll(point, 0o755))
	startMachine(t)
	must(t, onMachine([]string{"mnt", "net"}, func() error {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := syscall.Mount("none", point, "tmpfs", 0, ""); err != nil {
			return err
		}
		return addBridge("cni0")
	}))
	for _, changed := range []bool{true, false} {
		answer, err := (&unmount{Under: filepath.Join(folder, "kubelet")}).perform()
		if err != nil || answer["changed"] != changed {
			t.Fatalf("unmount answers %v, %v", answer, err)
		}
	}
	wanted := clean{Links: []string{"cni0"}, Chains: []string{"KUBE-"}, Paths: []string{filepath.Join(folder, "kubelet")}}
	answer, err := wanted.perform()
	if err != nil || len(answer["links"].([]string)) != 1 || len(answer["paths"].([]string)) != 1 {
		t.Fatalf("clean answers %v, %v", answer, err)
	}
}
