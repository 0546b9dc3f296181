package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// facts tells what rkx must know of a machine and cannot ask the Engine for.
type facts struct {
	Verb  string   `json:"verb"`
	Paths []string `json:"paths"`
}

func (f *facts) check() error {
	for _, path := range f.Paths {
		if !filepath.IsAbs(path) {
			return errors.New("a path to measure is not absolute: " + path)
		}
	}
	return nil
}

// perform looks at the machine where it may, and else at what its own container shows.
func (f *facts) perform() (report, error) {
	var answer report
	look := func() (err error) {
		answer, err = f.collect()
		return err
	}
	err := onMachine([]string{"mnt", "uts", "net"}, look)
	if errors.Is(err, os.ErrPermission) {
		err = look()
	}
	return answer, err
}

func (f *facts) collect() (report, error) {
	var system syscall.Utsname
	if err := syscall.Uname(&system); err != nil {
		return nil, err
	}
	interfaces, err := listInterfaces()
	if err != nil {
		return nil, err
	}
	free, err := measureAll(f.Paths)
	if err != nil {
		return nil, err
	}
	return report{"facts": report{
		"boot_id": firstLine("/proc/sys/kernel/random/boot_id"), "machine_id": firstLine("/etc/machine-id"),
		"hostname": textOf(system.Nodename[:]), "kernel": textOf(system.Release[:]), "arch": runtime.GOARCH,
		"interfaces": interfaces, "default_route": defaultRoute(read("/proc/thread-self/net/route")),
		"resolv_conf": podResolvConf(read("/etc/resolv.conf"), read("/run/systemd/resolve/resolv.conf")),
		"listening":   listListening(), "swap": hasSwap(read("/proc/swaps")),
		"sysctls": readSysctls("/proc/sys"),
		"now":     time.Now().UTC().Format(time.RFC3339Nano),
		"free":    free,
		"modules": report{
			"br_netfilter": hasFunction("br_netfilter"), "overlay": hasFunction("overlay"),
			"vxlan": knownOrNil(hasFunction("vxlan")),
		},
	}}, nil
}

// What a kubelet that protects the kernel's settings demands of them.
var kernelSettings = []string{
	"kernel.keys.root_maxbytes", "kernel.keys.root_maxkeys", "kernel.panic", "kernel.panic_on_oops",
	"vm.overcommit_memory", "vm.panic_on_oom",
}

// readSysctls gives the settings that this kernel has; one that it lacks is left out.
func readSysctls(root string) map[string]string {
	found := map[string]string{}
	for _, name := range kernelSettings {
		if value := firstLine(filepath.Join(root, strings.ReplaceAll(name, ".", "/"))); value != "" {
			found[name] = value
		}
	}
	return found
}

// knownOrNil makes "unknown" of false: a vxlan link loads its module by itself.
func knownOrNil(present bool) any {
	if present {
		return true
	}
	return nil
}

// read gives "" for a file that is not there: a machine without swap or resolver is a fact, not a failure.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

func firstLine(path string) string {
	line, _, _ := strings.Cut(read(path), "\n")
	return line
}

// textOf reads a C string, whose letters are signed on some architectures.
func textOf[letter int8 | uint8](field []letter) string {
	var text strings.Builder
	for _, one := range field {
		if one == 0 {
			break
		}
		text.WriteByte(byte(one))
	}
	return text.String()
}

func hasSwap(text string) bool {
	return strings.Count(strings.TrimSpace(text), "\n") > 0 // the first line is a heading
}

func measureAll(paths []string) ([]report, error) {
	free := []report{}
	for _, path := range paths {
		var system syscall.Statfs_t
		if err := syscall.Statfs(nearest(path), &system); err != nil {
			return nil, &os.PathError{Op: "statfs", Path: path, Err: err}
		}
		here := report{"path": path, "bytes": system.Bavail * uint64(system.Bsize), "inodes": system.Ffree}
		here["there"], here["empty"] = exists(path), isEmpty(path)
		var entry syscall.Stat_t
		if syscall.Stat(path, &entry) == nil {
			here["mode"], here["uid"], here["gid"] = fmt.Sprintf("%04o", entry.Mode&0o7777), entry.Uid, entry.Gid
		}
		free = append(free, here)
	}
	return free, nil
}

// nearest goes up to what exists: a folder yet to be made lands on its parent's file system.
func nearest(path string) string {
	for path != "/" && !exists(path) {
		path = filepath.Dir(path)
	}
	return path
}

// isEmpty tells if a folder holds nothing; what is missing holds nothing either.
func isEmpty(path string) bool {
	names, err := os.ReadDir(path)
	return len(names) == 0 && (err == nil || errors.Is(err, os.ErrNotExist))
}
