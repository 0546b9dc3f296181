package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestDeleteTakesATreeAndFollowsNoLink(t *testing.T) {
	base := t.TempDir()
	outside := filepath.Join(base, "outside")
	must(t, os.MkdirAll(filepath.Join(base, "tree", "deep"), 0o755))
	must(t, os.Mkdir(outside, 0o755))
	write(t, filepath.Join(outside, "kept"), "x")
	write(t, filepath.Join(base, "tree", "deep", "file"), "x")
	must(t, os.Symlink(outside, filepath.Join(base, "tree", "link")))
	for _, changed := range []bool{true, false} {
		answer, err := (&deletion{Path: filepath.Join(base, "tree")}).perform()
		if err != nil || answer["changed"] != changed {
			t.Fatalf("answer %v, %v", answer, err)
		}
	}
	if exists(filepath.Join(base, "tree")) || !exists(filepath.Join(outside, "kept")) {
		t.Fatal("the tree stayed, or what its link pointed to went")
	}
}

func TestDeleteTakesATreeThatIsDeeperThanAProcessMayHaveFilesOpen(t *testing.T) {
	base := t.TempDir()
	nest(t, filepath.Join(base, "tree"), 700).Close()
	write(t, filepath.Join(base, "tree", "beside"), "x")
	var former syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &former))
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &former)
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 256, Max: former.Max}))
	for _, changed := range []bool{true, false} {
		if removed, err := remove(filepath.Join(base, "tree")); err != nil || removed != changed {
			t.Fatal(removed, err)
		}
	}
	if names := namesIn(t, base); len(names) != 0 {
		t.Fatalf("%v stayed", names)
	}
}

func TestNoLinkIsFollowedHoweverDeepItLies(t *testing.T) {
	base := t.TempDir()
	outside := filepath.Join(base, "outside")
	must(t, os.Mkdir(outside, 0o755))
	write(t, filepath.Join(outside, "kept"), "x")
	bottom := nest(t, filepath.Join(base, "tree"), 2*deepest+10)
	must(t, os.Symlink(outside, fmt.Sprintf("/proc/self/fd/%d/link", bottom.Fd())))
	bottom.Close()
	if removed, err := remove(filepath.Join(base, "tree")); err != nil || !removed {
		t.Fatal(removed, err)
	}
	if !exists(filepath.Join(outside, "kept")) {
		t.Fatal("what the link pointed to went")
	}
}

// nest makes so many folders one inside another, and gives the handle of the last.
func nest(t *testing.T, path string, levels int) *os.File {
	t.Helper()
	must(t, os.Mkdir(path, 0o755))
	folder, err := os.Open(path)
	must(t, err)
	for range levels {
		must(t, syscall.Mkdirat(int(folder.Fd()), "d", 0o755))
		inner, err := openFolderAt(folder, "d")
		must(t, err)
		folder.Close()
		folder = inner
	}
	return folder
}

func TestDeleteTakesALinkItselfButNeverGoesThroughOne(t *testing.T) {
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "real"), 0o755))
	write(t, filepath.Join(base, "real", "file"), "x")
	must(t, os.Symlink("real", filepath.Join(base, "link")))
	_, err := remove(filepath.Join(base, "link", "file"))
	wantCode(t, err, syscall.ELOOP)
	if removed, err := remove(filepath.Join(base, "link")); err != nil || !removed {
		t.Fatal(removed, err)
	}
	if !exists(filepath.Join(base, "real", "file")) {
		t.Fatal("the link's target was deleted")
	}
}

func TestDeleteOfNothingIsDone(t *testing.T) {
	if removed, err := remove(filepath.Join(t.TempDir(), "none", "file")); err != nil || removed {
		t.Fatal(removed, err)
	}
}

func TestDeleteNeverCrossesAMount(t *testing.T) {
	base := t.TempDir()
	point, kept := filepath.Join(base, "tree", "mount"), filepath.Join(base, "kept")
	must(t, os.MkdirAll(point, 0o755))
	must(t, os.Mkdir(kept, 0o755))
	write(t, filepath.Join(kept, "file"), "x")
	write(t, filepath.Join(base, "tree", "first"), "x")
	for _, kind := range []string{"tmpfs", "bind of the same file system"} {
		t.Run(kind, func(t *testing.T) {
			apart(t, syscall.CLONE_NEWNS, func() error {
				if err := mountFor(kind, kept, point); err != nil {
					return err
				}
				_, err := remove(filepath.Join(base, "tree"))
				if pathOf(err) != point {
					t.Errorf("the error names %q: %v", pathOf(err), err)
				}
				return nil
			})
			if !exists(filepath.Join(kept, "file")) || !exists(filepath.Join(base, "tree", "first")) {
				t.Fatal("something was deleted all the same")
			}
		})
	}
}

func mountFor(kind, source, point string) error {
	if kind == "tmpfs" {
		return syscall.Mount("none", point, "tmpfs", 0, "")
	}
	return syscall.Mount(source, point, "", syscall.MS_BIND, "")
}

func TestDeleteEmptiesABindAndKeepsIt(t *testing.T) {
	base := t.TempDir()
	source, point := filepath.Join(base, "source"), filepath.Join(base, "point")
	must(t, os.MkdirAll(filepath.Join(source, "inner"), 0o755))
	must(t, os.Mkdir(point, 0o755))
	write(t, filepath.Join(source, "inner", "file"), "x")
	apart(t, syscall.CLONE_NEWNS, func() error {
		if err := mountFor("bind", source, point); err != nil {
			return err
		}
		for _, changed := range []bool{true, false} {
			if removed, err := remove(point); err != nil || removed != changed {
				t.Errorf("removed %v, %v", removed, err)
			}
		}
		return nil
	})
	if names := namesIn(t, source); len(names) != 0 {
		t.Fatalf("the bind still holds %v", names)
	}
}
