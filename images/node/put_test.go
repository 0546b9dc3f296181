package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// stageAndDie names the target for a copy of the test binary that is killed between writing and renaming.
const stageAndDie = "RKX_NODE_TEST_STAGE_AND_DIE"

func stageThenKillOneself(path string) {
	parent, err := openFolder(filepath.Dir(path))
	if err != nil {
		panic(err)
	}
	if _, err := (&put{Path: path, Mode: 0o600, Content: []byte("new")}).stage(parent); err != nil {
		panic(err)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func TestAKilledPutLeavesTheOldFileAndTheNextCleansUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, "old")
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), stageAndDie+"="+path)
	if err := command.Run(); err == nil || command.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the copy ended with %v", err)
	}
	if content(t, path) != "old" || len(namesIn(t, filepath.Dir(path))) != 2 {
		t.Fatalf("content %q, folder %v", content(t, path), namesIn(t, filepath.Dir(path)))
	}
	if _, err := (&put{Path: path, Mode: 0o600, Content: []byte("new")}).perform(); err != nil {
		t.Fatal(err)
	}
	if names := namesIn(t, filepath.Dir(path)); content(t, path) != "new" || len(names) != 1 {
		t.Fatalf("content %q, folder %v", content(t, path), names)
	}
}

func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestPutKeepsForeignFilesThatLookAlike(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, ".rkx-notes"), "mine")
	if _, err := (&put{Path: filepath.Join(folder, "file"), Mode: 0o600, Content: []byte("x")}).perform(); err != nil {
		t.Fatal(err)
	}
	if names := namesIn(t, folder); len(names) != 2 {
		t.Fatalf("folder holds %v", names)
	}
}

func TestPutSetsContentModeAndOwnerAndTellsChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	steps := []struct {
		put     put
		changed bool
	}{
		{put{Path: path, Mode: 0o640, UID: 1234, GID: 4321, Content: []byte("one")}, true},
		{put{Path: path, Mode: 0o640, UID: 1234, GID: 4321, Content: []byte("one")}, false},
		{put{Path: path, Mode: 0o640, UID: 1234, GID: 4321, Content: []byte("two")}, true},
		{put{Path: path, Mode: 0o600, UID: 1234, GID: 4321, Content: []byte("two")}, true},
		{put{Path: path, Mode: 0o600, UID: 0, GID: 4321, Content: []byte("two")}, true},
		{put{Path: path, Mode: 0o400, UID: 0, GID: 0, Content: []byte{}}, true},
		{put{Path: path, Mode: 0o400, UID: 0, GID: 0, Content: []byte{}}, false},
	}
	for i, step := range steps {
		answer, err := step.put.perform()
		if err != nil || answer["changed"] != step.changed {
			t.Fatalf("step %d: %v, %v", i, answer, err)
		}
		wantRights(t, path, step.put.Mode, step.put.UID, step.put.GID)
		if content(t, path) != string(step.put.Content) {
			t.Fatalf("step %d: content %q", i, content(t, path))
		}
	}
}

func wantRights(t *testing.T, path string, mode fileMode, uid, gid uint32) {
	t.Helper()
	var entry syscall.Stat_t
	if err := syscall.Lstat(path, &entry); err != nil {
		t.Fatal(err)
	}
	if !hasRights(&entry, mode, uid, gid) {
		t.Fatalf("%s is %o %d:%d", path, entry.Mode&permissions, entry.Uid, entry.Gid)
	}
}

func TestPutUnchangedKeepsTheInode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	wanted := put{Path: path, Mode: 0o600, Content: []byte("x")}
	var before, after syscall.Stat_t
	for _, entry := range []*syscall.Stat_t{&before, &after} {
		if _, err := wanted.perform(); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Stat(path, entry); err != nil {
			t.Fatal(err)
		}
	}
	if before.Ino != after.Ino || before.Ctim != after.Ctim {
		t.Fatal("an unchanged file was written again")
	}
}

func TestNoFileIsEverWiderThanItsModeWithoutUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	folder := t.TempDir()
	var watch sync.WaitGroup
	stop := make(chan struct{})
	var seen, tooWide int
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				files, wide := countWide(folder, 0o640)
				seen, tooWide = seen+files, tooWide+wide
			}
		}
	})
	for round := range 300 {
		name := filepath.Join(folder, string(rune('a'+round%26)))
		if _, err := (&put{Path: name, Mode: 0o640, UID: 7, GID: 7, Content: []byte{byte(round)}}).perform(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	watch.Wait()
	if seen == 0 || tooWide > 0 {
		t.Fatalf("of %d files seen %d were wider than 0640", seen, tooWide)
	}
}

func countWide(folder string, mode uint32) (files, wide int) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, 1
	}
	for _, entry := range entries {
		var found syscall.Stat_t
		if syscall.Lstat(filepath.Join(folder, entry.Name()), &found) != nil {
			continue // renamed in between
		}
		files++
		if found.Mode&permissions&^mode != 0 {
			wide++
		}
	}
	return files, wide
}

func TestATemporaryStartsForItsMakerAloneWithoutUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	parent, err := openFolder(t.TempDir())
	must(t, err)
	defer parent.Close()
	for mode, start := range map[fileMode]fileMode{0o666: 0o600, 0o4755: 0o600, 0o600: 0o600, 0o440: 0o400} {
		file, name, err := (&put{Path: parent.Name() + "/file", Mode: mode}).create(parent)
		must(t, err)
		wantRights(t, filepath.Join(parent.Name(), name), start, 0, 0)
		file.Close()
	}
}

func TestPutRefusesWhatItMustNotReplace(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "real"), "kept")
	must(t, os.Symlink("real", filepath.Join(folder, "link")))
	must(t, os.Symlink(folder, filepath.Join(folder, "way")))
	must(t, os.Mkdir(filepath.Join(folder, "inner"), 0o755))
	must(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o644))
	for name, code := range map[string]syscall.Errno{
		"link": syscall.ELOOP, "way/file": syscall.ELOOP, "inner": syscall.EISDIR, "pipe": syscall.EEXIST,
		"real/file": syscall.ENOTDIR, "none/file": syscall.ENOENT,
	} {
		_, err := (&put{Path: filepath.Join(folder, name), Mode: 0o600, Content: []byte("x")}).perform()
		if !errors.Is(err, code) {
			t.Errorf("%s: want %v, got %v", name, code, err)
		}
	}
	if content(t, filepath.Join(folder, "real")) != "kept" || len(namesIn(t, folder)) != 5 {
		t.Fatalf("folder holds %v", namesIn(t, folder))
	}
}

func TestPutOnAFullDiskKeepsTheOldFileAndNothingElse(t *testing.T) {
	folder := t.TempDir()
	apart(t, syscall.CLONE_NEWNS, func() error {
		if err := syscall.Mount("none", folder, "tmpfs", 0, "size=64k"); err != nil {
			return err
		}
		path := filepath.Join(folder, "file")
		if _, err := (&put{Path: path, Mode: 0o600, Content: []byte("old")}).perform(); err != nil {
			return err
		}
		_, err := (&put{Path: path, Mode: 0o600, Content: make([]byte, 1<<20)}).perform()
		if err == nil || describe(err) != "ENOSPC: no space left on device" || pathOf(err) != path {
			t.Errorf("the answer was %v at %q", err, pathOf(err))
		}
		if names := namesIn(t, folder); content(t, path) != "old" || len(names) != 1 {
			t.Errorf("folder holds %v", names)
		}
		return nil
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPutOfItselfWritesThisProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	itself, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, changed := range []bool{true, false} {
		answer, err := (&put{Path: path, Mode: 0o755, Self: true}).perform()
		if err != nil || answer["changed"] != changed {
			t.Fatalf("answer %v, error %v", answer, err)
		}
	}
	if content(t, path) != string(itself) {
		t.Fatal("it is another program")
	}
}

func TestPutTakesEitherContentOrItself(t *testing.T) {
	for _, wrong := range []put{{Path: "/a"}, {Path: "/a", Content: []byte{}, Self: true}} {
		if wrong.check() == nil {
			t.Errorf("%+v was accepted", wrong)
		}
	}
}
