package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// deletion removes a file or a folder tree.
type deletion struct {
	Verb string `json:"verb"`
	Path string `json:"path"`
}

func (d *deletion) check() error { return checkPath(d.Path) }

func (d *deletion) perform() (report, error) {
	changed, err := remove(d.Path)
	return report{"changed": changed}, err
}

// remove deletes what stands at the path, follows no link and crosses no mount.
//
// A folder that is itself a mount point, as a container's bind is, is emptied and stays.
func remove(path string) (bool, error) { return take(path, false) }

// emptyFolder deletes all that a folder holds, by the same rules, and leaves the folder.
func emptyFolder(path string) (bool, error) { return take(path, true) }

func take(path string, stays bool) (bool, error) {
	points, err := mountPoints()
	if err != nil {
		return false, err
	}
	if inside := pointsBelow(points, path); len(inside) > 0 {
		return false, &placed{path: inside[0], code: syscall.EBUSY, why: "a mount point lies inside " + path}
	}
	parent, err := openFolder(filepath.Dir(path))
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer parent.Close()
	changed, err := removeAt(parent, filepath.Base(path), stays || slices.Contains(points, path))
	if err != nil || !changed {
		return changed, err
	}
	return true, parent.Sync()
}

func removeAt(parent *os.File, name string, mounted bool) (bool, error) {
	entry, err := statAt(parent, name)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !isFolder(entry) {
		return true, unlinkAt(parent, name, 0)
	}
	removed, err := emptyAt(parent, name, entry.Dev)
	if mounted || err != nil {
		return removed > 0, err
	}
	return true, unlinkAt(parent, name, removeFolder)
}

// deepest is how many levels below the first are entered with a handle open for each: far fewer than any process may
// have open (1024 at least). What lies deeper is moved up to the first level, where its turn comes.
const deepest = 128

// walk is one deletion of a folder's content: the handle of the folder, and how often something was moved up into it.
// began makes the names of what is moved differ from those that a deletion which was cut has left.
type walk struct {
	top    *os.File
	device uint64
	began  int64
	moved  int
}

// emptyAt deletes all that a folder holds and counts the entries at its top.
func emptyAt(parent *os.File, name string, device uint64) (int, error) {
	opened, err := openFolderAt(parent, name)
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	run := &walk{top: opened, device: device, began: time.Now().UnixNano()}
	for done, inside := range names {
		if err := run.remove(opened, inside, 0); err != nil {
			return done, err
		}
	}
	return len(names), run.removeMoved()
}

// removeMoved deletes what was moved up, and what is moved up over that.
func (w *walk) removeMoved() error {
	for done := 0; done < w.moved; done++ {
		if err := w.remove(w.top, w.name(done), 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) name(number int) string { return fmt.Sprintf(".rkx-deep-%d-%d", w.began, number) }

func (w *walk) remove(parent *os.File, name string, depth int) error {
	entry, err := statAt(parent, name)
	if isMissing(err) {
		return nil // its owner was quicker
	}
	if err != nil {
		return err
	}
	if !isFolder(entry) {
		return unlinkAt(parent, name, 0)
	}
	if entry.Dev != w.device {
		path := filepath.Join(parent.Name(), name)
		return &placed{path: path, code: syscall.EXDEV, why: "another file system is never entered"}
	}
	if depth == deepest {
		return w.moveUp(parent, name)
	}
	if err := w.empty(parent, name, depth); err != nil {
		return err
	}
	return unlinkAt(parent, name, removeFolder)
}

func (w *walk) empty(parent *os.File, name string, depth int) error {
	opened, err := openFolderAt(parent, name)
	if err != nil {
		return err
	}
	defer opened.Close()
	names, err := opened.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, inside := range names {
		if err := w.remove(opened, inside, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// moveUp moves a folder to the first level by the handles of both: no path is walked, no link followed.
func (w *walk) moveUp(parent *os.File, name string) error {
	err := syscall.Renameat(int(parent.Fd()), name, int(w.top.Fd()), w.name(w.moved))
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "rename", Path: filepath.Join(parent.Name(), name), Err: err}
	}
	w.moved++
	return nil
}
