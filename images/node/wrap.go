package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// wrapping is what stands before and after the "--" of rkx-node load.
type wrapping struct {
	load
	folders []string
	pairs   []*pair
	program []string
}

var errUsage = errors.New("usage: rkx-node load [--module NAME]... [--sysctl KEY=VALUE]... [--folder PATH]... [--pair CERTIFICATE:KEY:HELD]... -- PROGRAM [ARGUMENT]...")

// wrap prepares the machine and becomes the program; it returns only when it could not.
//
// A module that cannot be loaded is told and passed over: a sysctl that needs it fails by itself.
func wrap(arguments []string, complaints io.Writer) int {
	wrapped, err := parseWrapping(arguments)
	if err != nil {
		fmt.Fprintf(complaints, "rkx-node load: %v\n", err)
		return exitMalformed
	}
	if _, err := loadModules(wrapped.Modules); err != nil {
		fmt.Fprintf(complaints, "rkx-node load: going on without: %v\n", err)
	}
	if err := wrapped.start(); err != nil {
		fmt.Fprintf(complaints, "rkx-node load: %v\n", err)
	}
	return exitFailed
}

func (w *wrapping) start() error {
	if _, err := w.setSysctls(); err != nil {
		return err
	}
	for _, path := range w.folders {
		opened, err := makeFolders(path)
		if err != nil {
			return err
		}
		opened.Close()
	}
	for _, each := range w.pairs {
		if err := each.offer(time.Now()); err != nil {
			return err
		}
	}
	found, err := exec.LookPath(w.program[0])
	if err != nil {
		return err
	}
	return &os.PathError{Op: "exec", Path: found, Err: syscall.Exec(found, w.program, os.Environ())}
}

func parseWrapping(arguments []string) (*wrapping, error) {
	wrapped := &wrapping{load: load{Sysctls: map[string]string{}}}
	for len(arguments) >= 2 && arguments[0] != "--" {
		if err := wrapped.take(arguments[0], arguments[1]); err != nil {
			return nil, err
		}
		arguments = arguments[2:]
	}
	if len(arguments) < 2 {
		return nil, errUsage
	}
	wrapped.program = arguments[1:]
	return wrapped, wrapped.check()
}

func (w *wrapping) take(option, value string) error {
	switch option {
	case "--module":
		w.Modules = append(w.Modules, value)
	case "--sysctl":
		name, wanted, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("sysctl %q is not KEY=VALUE", value)
		}
		w.Sysctls[name] = wanted
	case "--folder":
		w.folders = append(w.folders, value)
		return checkPath(value)
	case "--pair":
		parsed, err := parsePair(value)
		w.pairs = append(w.pairs, parsed)
		return err
	default:
		return errUsage
	}
	return nil
}
