package main

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// Recorded on a node with a running pod, with names shortened; the last mount was made on a folder with a space.
const recordedMounts = `23 29 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
411 29 0:55 / /var/lib/kubelet/pods/5d/volumes/kubernetes.io~projected/kube-api-access-x rw,relatime shared:220 - tmpfs tmpfs rw,size=174080k
412 29 8:1 /data /var/lib/kubelet-data rw,relatime shared:1 - ext4 /dev/sda1 rw
413 29 0:56 / /var/lib/kubelet/pods/5d/volumes/a\040b rw,relatime - tmpfs tmpfs rw
`

func TestMountsAreReadAndOnlyThoseBelowAreTaken(t *testing.T) {
	points, err := parseMounts(recordedMounts)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/var/lib/kubelet/pods/5d/volumes/kubernetes.io~projected/kube-api-access-x", "/var/lib/kubelet/pods/5d/volumes/a b",
	}
	if below := pointsBelow(points, "/var/lib/kubelet"); !slices.Equal(below, want) {
		t.Fatalf("below are %q", below)
	}
}

func TestMountsThatAreCutAreAnError(t *testing.T) {
	if _, err := parseMounts("29 1 8:1\n"); err == nil {
		t.Fatal("half a line was accepted")
	}
}

func TestUnmountTakesStackedNestedAndBusyMounts(t *testing.T) {
	base := t.TempDir()
	apart(t, syscall.CLONE_NEWNS, func() error {
		outer, inner := filepath.Join(base, "outer"), filepath.Join(base, "outer", "inner")
		for _, point := range []string{outer, outer, inner} {
			if err := os.MkdirAll(point, 0o755); err != nil {
				return err
			}
			if err := syscall.Mount("none", point, "tmpfs", 0, ""); err != nil {
				return err
			}
		}
		busy, err := os.Create(filepath.Join(inner, "busy"))
		if err != nil {
			return err
		}
		defer busy.Close()
		points, err := mountPoints()
		if err != nil {
			return err
		}
		gone, err := unmountAll(pointsBelow(points, base))
		if !slices.Equal(gone, []string{inner, outer, outer}) {
			t.Errorf("gone are %v", gone)
		}
		if points, _ := mountPoints(); len(pointsBelow(points, base)) > 0 {
			t.Errorf("left are %v", pointsBelow(points, base))
		}
		return err
	})
}
