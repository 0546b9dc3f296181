package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFolderMakesParentsSharedAndItselfExact(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	base := t.TempDir()
	wanted := folder{Path: filepath.Join(base, "a", "b"), Mode: 0o700, UID: 52034, GID: 52034}
	for _, changed := range []bool{true, false} {
		answer, err := wanted.perform()
		if err != nil || answer["changed"] != changed {
			t.Fatalf("answer %v, %v", answer, err)
		}
	}
	wantRights(t, filepath.Join(base, "a"), 0o755, 0, 0)
	wantRights(t, wanted.Path, 0o700, 52034, 52034)
}

func TestFolderNeverTouchesAnExistingParent(t *testing.T) {
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "a"), 0o711))
	must(t, os.Chown(filepath.Join(base, "a"), 5, 5))
	if _, err := (&folder{Path: filepath.Join(base, "a", "b"), Mode: 0o755}).perform(); err != nil {
		t.Fatal(err)
	}
	wantRights(t, filepath.Join(base, "a"), 0o711, 5, 5)
}

func TestFolderCorrectsModeAndOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	must(t, os.Mkdir(path, 0o777))
	answer, err := (&folder{Path: path, Mode: 0o2750, UID: 3, GID: 4}).perform()
	if err != nil || answer["changed"] != true {
		t.Fatalf("answer %v, %v", answer, err)
	}
	wantRights(t, path, 0o2750, 3, 4)
}

func TestFolderRefusesALinkAndAFile(t *testing.T) {
	base := t.TempDir()
	must(t, os.Symlink("/etc", filepath.Join(base, "link")))
	write(t, filepath.Join(base, "file"), "x")
	for name, code := range map[string]syscall.Errno{
		"link": syscall.ELOOP, "link/a": syscall.ELOOP, "file": syscall.ENOTDIR, "file/a": syscall.ENOTDIR,
	} {
		_, err := (&folder{Path: filepath.Join(base, name), Mode: 0o700}).perform()
		wantCode(t, err, code)
	}
}
