package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

const modprobe = "/sbin/modprobe"

var moduleName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

func isModuleName(name string) bool { return moduleName.MatchString(name) }

// functions tells by what a module is recognised when it is built in, or loaded where /proc/modules is not seen.
var functions = map[string]string{
	"br_netfilter": "/proc/sys/net/bridge",
	"nf_conntrack": "/proc/sys/net/netfilter",
}

// hasFunction asks for what a module gives, and for its name among the loaded only then.
func hasFunction(name string) bool {
	plain := strings.ReplaceAll(name, "-", "_")
	if path, known := functions[plain]; known && exists(path) {
		return true
	}
	return hasFileSystem(plain) || exists("/sys/module/"+plain)
}

func hasFileSystem(name string) bool {
	text, err := os.ReadFile("/proc/filesystems")
	return err == nil && slices.Contains(strings.Fields(string(text)), name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// loadModule leaves the work to modprobe where the image has it: it knows aliases, options and every compression.
func loadModule(name string) error {
	if exists(modprobe) {
		text, err := exec.Command(modprobe, "--", name).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", modprobe, err, strings.TrimSpace(string(text)))
		}
		return nil
	}
	return insertModule(name)
}

func insertModule(name string) error {
	var system syscall.Utsname
	if err := syscall.Uname(&system); err != nil {
		return err
	}
	folder := filepath.Join("/lib/modules", textOf(system.Release[:]))
	listed, err := os.ReadFile(filepath.Join(folder, "modules.dep"))
	if err != nil {
		return err
	}
	files, err := modulesFor(name, string(listed))
	if err != nil {
		return err
	}
	for _, file := range files {
		err := insertFile(filepath.Join(folder, file))
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			return err
		}
	}
	return nil
}

// modulesFor gives a module's files, what it needs first (modules.dep(5) lists it last).
func modulesFor(name, listed string) ([]string, error) {
	for line := range strings.Lines(listed) {
		file, needs, ok := strings.Cut(strings.TrimSpace(line), ":")
		base, _, _ := strings.Cut(filepath.Base(file), ".ko")
		if !ok || strings.ReplaceAll(base, "-", "_") != strings.ReplaceAll(name, "-", "_") {
			continue
		}
		files := append([]string{file}, strings.Fields(needs)...)
		slices.Reverse(files)
		return files, nil
	}
	return nil, fmt.Errorf("modules.dep does not name %q", name)
}

func insertFile(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	image, err := unpack(path, content)
	if err != nil {
		return err
	}
	if code := initModule(image); code != 0 {
		return &os.PathError{Op: "init_module", Path: path, Err: code}
	}
	return nil
}

func unpack(path string, content []byte) ([]byte, error) {
	if strings.HasSuffix(path, ".gz") {
		reader, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(reader)
	}
	if !strings.HasSuffix(path, ".ko") || len(content) == 0 {
		return nil, fmt.Errorf("%s is neither .ko nor .ko.gz: run load in an image that has %s", path, modprobe)
	}
	return content, nil
}
