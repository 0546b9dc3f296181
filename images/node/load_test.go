package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const listedModules = `kernel/net/llc/llc.ko.gz:
kernel/net/802/stp.ko.gz: kernel/net/llc/llc.ko.gz
kernel/net/bridge/bridge.ko.gz: kernel/net/802/stp.ko.gz kernel/net/llc/llc.ko.gz
kernel/net/bridge/br_netfilter.ko.gz: kernel/net/bridge/bridge.ko.gz kernel/net/802/stp.ko.gz kernel/net/llc/llc.ko.gz
`

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	files, err := modulesFor("br-netfilter", listedModules)
	want := []string{
		"kernel/net/llc/llc.ko.gz", "kernel/net/802/stp.ko.gz", "kernel/net/bridge/bridge.ko.gz", "kernel/net/bridge/br_netfilter.ko.gz",
	}
	if err != nil || !slices.Equal(files, want) {
		t.Fatalf("files are %v, %v", files, err)
	}
	if _, err := modulesFor("netfilter", listedModules); err == nil {
		t.Fatal("a module that is not listed was found")
	}
}

func TestModulesAreUnpackedByTheirEnding(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write([]byte("image")); err != nil || writer.Close() != nil {
		t.Fatal("gzip failed")
	}
	for path, content := range map[string][]byte{"a.ko": []byte("image"), "a.ko.gz": packed.Bytes()} {
		if image, err := unpack(path, content); err != nil || string(image) != "image" {
			t.Errorf("%s: %q, %v", path, image, err)
		}
	}
	if _, err := unpack("a.ko.xz", []byte("image")); err == nil {
		t.Error("xz was taken for a plain module")
	}
}

func TestSysctlNamesBecomePathsBelowProcSys(t *testing.T) {
	for name, path := range map[string]string{
		"net.ipv4.ip_forward":                "/proc/sys/net/ipv4/ip_forward",
		"net/ipv4/conf/eth0.1/forwarding":    "/proc/sys/net/ipv4/conf/eth0.1/forwarding",
		"net.ipv4.conf.eth0/1.forwarding":    "/proc/sys/net/ipv4/conf/eth0.1/forwarding",
		"net.bridge.bridge-nf-call-iptables": "/proc/sys/net/bridge/bridge-nf-call-iptables",
	} {
		if found, err := sysctlPath(name); err != nil || found != path {
			t.Errorf("%s is %s, %v", name, found, err)
		}
	}
	for _, name := range []string{"", "../kernel/core_pattern", "/etc/passwd", "net..ipv4", "net.//.x"} {
		if path, err := sysctlPath(name); err == nil {
			t.Errorf("%q became %s", name, path)
		}
	}
}

func TestSysctlIsSetOnceAndThenFoundRight(t *testing.T) {
	apart(t, syscall.CLONE_NEWNET, func() error {
		// /proc/sys/net shows the opening thread's network namespace.
		before := strings.TrimSpace(content(t, "/proc/sys/net/ipv4/ip_forward"))
		wanted := load{Sysctls: map[string]string{"net.ipv4.ip_forward": map[string]string{"0": "1", "1": "0"}[before]}}
		for _, changed := range []bool{true, false} {
			answer, err := wanted.perform()
			if err != nil || answer["changed"] != changed {
				t.Errorf("answer %v, %v", answer, err)
			}
		}
		return nil
	})
}

func TestSameValueIgnoresTabs(t *testing.T) {
	if !sameValue("4096\t131072\t6291456\n", "4096 131072 6291456") || sameValue("1 2", "12") {
		t.Fatal("values are compared by their bytes")
	}
}

func TestWrapBecomesTheProgramWithItsFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	command := program(t, "load", "--module", "no_such_module", "--folder", path, "--", "stat", "-c", "%a %U", path)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil || string(out) != "755 root\n" {
		t.Fatalf("printed %q, %v, %s", out, err, &complaints)
	}
	if !strings.Contains(complaints.String(), "no_such_module") {
		t.Errorf("the missing module was not told: %q", &complaints)
	}
}

func TestWrapDoesNotStartWithAWrongSysctl(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "started")
	command := program(t, "load", "--sysctl", "net.no.such=1", "--", "touch", marker)
	out, err := command.CombinedOutput()
	if err == nil || command.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(out), "/proc/sys/net/no/such") {
		t.Fatalf("exit %d, said %q", command.ProcessState.ExitCode(), out)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Fatal("the program was started")
	}
}

func TestWrapRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, arguments := range [][]string{
		{}, {"--"}, {"kubelet"}, {"--module", "a"}, {"--module", "../a", "--", "true"}, {"--module", "-r", "--", "true"},
		{"--sysctl", "a", "--", "true"}, {"--folder", "a", "--", "true"}, {"--pair", "/a:/b", "--", "true"}, {"--pair", "/a:/b:c", "--", "true"},
		{"--shell", "sh", "--", "true"},
	} {
		if _, err := parseWrapping(arguments); err == nil {
			t.Errorf("%q was accepted", arguments)
		}
	}
}
