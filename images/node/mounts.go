package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const unmountNoFollow = 0x8 // UMOUNT_NOFOLLOW

// unmount takes down every mount below a path, in the machine's own mount namespace.
type unmount struct {
	Verb  string `json:"verb"`
	Under string `json:"under"`
}

func (u *unmount) check() error { return checkPath(u.Under) }

func (u *unmount) perform() (report, error) {
	gone := []string{}
	err := onMachine([]string{"mnt"}, func() error {
		points, err := mountPoints()
		if err != nil {
			return err
		}
		gone, err = unmountAll(pointsBelow(points, u.Under))
		return err
	})
	return report{"changed": len(gone) > 0, "unmounted": gone}, err
}

// unmountAll takes the deepest first, and of those at one place the newest.
func unmountAll(points []string) ([]string, error) {
	gone := []string{}
	for _, point := range deepestFirst(points) {
		if err := unmountOne(point); err != nil {
			return gone, &os.PathError{Op: "unmount", Path: point, Err: err}
		}
		gone = append(gone, point)
	}
	return gone, nil
}

func deepestFirst(points []string) []string {
	ordered := slices.Clone(points)
	slices.Reverse(ordered)
	slices.SortStableFunc(ordered, func(one, other string) int {
		return strings.Count(other, "/") - strings.Count(one, "/")
	})
	return ordered
}

// unmountOne detaches what is busy; a mount that went by itself is gone too.
func unmountOne(point string) error {
	err := syscall.Unmount(point, unmountNoFollow)
	if err == syscall.EBUSY {
		err = syscall.Unmount(point, unmountNoFollow|syscall.MNT_DETACH)
	}
	if err == syscall.EINVAL || err == syscall.ENOENT {
		return stillMounted(point, err)
	}
	return err
}

func stillMounted(point string, cause error) error {
	points, err := mountPoints()
	if err != nil {
		return err
	}
	if slices.Contains(points, point) {
		return cause
	}
	return nil
}

// mountPoints lists the calling thread's mounts in the order of their making.
func mountPoints() ([]string, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMounts(string(text))
}

// parseMounts takes the fifth field of each line (proc(5), mountinfo).
func parseMounts(text string) ([]string, error) {
	var points []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			return nil, fmt.Errorf("mountinfo line %q has fewer than five fields", line)
		}
		points = append(points, unescape(fields[4]))
	}
	return points, nil
}

// unescape undoes the kernel's \040 for a space and its like.
func unescape(text string) string {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		plain.WriteByte(text[i])
	}
	return plain.String()
}

func pointsBelow(points []string, path string) []string {
	var below []string
	for _, point := range points {
		if strings.HasPrefix(point, path+"/") {
			below = append(below, point)
		}
	}
	return below
}
