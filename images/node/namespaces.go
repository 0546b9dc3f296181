package main

import (
	"os"
	"runtime"
	"syscall"
)

// machineNamespaces belongs to process 1; tests put another process in its place.
var machineNamespaces = "/proc/1/ns/"

// onMachine runs work in namespaces ("mnt", "net", "uts") of process 1, which is the machine's where its processes are shared.
//
// It is refused where process 1 is ourselves or may not be looked at: work would then happen in a container's view.
func onMachine(namespaces []string, work func() error) error {
	if os.Getpid() == 1 {
		return &placed{path: "/proc/1", code: syscall.EPERM, why: "the container does not share the machine's processes"}
	}
	done := make(chan error)
	go func() {
		// Never unlocked: the runtime ends a thread that stands in foreign namespaces instead of using it again.
		runtime.LockOSThread()
		if err := joinAll(namespaces); err != nil {
			done <- err
			return
		}
		done <- work()
	}()
	return <-done
}

func joinAll(namespaces []string) error {
	var opened []*os.File
	for _, name := range namespaces {
		handle, err := openForeign(name)
		if err != nil {
			return err
		}
		if handle != nil {
			opened = append(opened, handle)
			defer handle.Close()
		}
	}
	// The kernel moves a thread to another mount namespace only if it shares its working folder with no other thread.
	if len(opened) > 0 {
		if err := syscall.Unshare(syscall.CLONE_FS); err != nil {
			return err
		}
	}
	for _, handle := range opened {
		if code := joinNamespace(handle.Fd()); code != 0 {
			return &os.PathError{Op: "setns", Path: handle.Name(), Err: code}
		}
	}
	return nil
}

// openForeign gives nil where process 1 shares the namespace with us.
func openForeign(name string) (*os.File, error) {
	theirs, err := os.Readlink(machineNamespaces + name)
	if err != nil {
		return nil, err
	}
	ours, err := os.Readlink("/proc/thread-self/ns/" + name)
	if err != nil || ours == theirs {
		return nil, err
	}
	return os.Open(machineNamespaces + name)
}
