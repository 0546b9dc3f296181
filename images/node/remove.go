package main

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
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
	for done, inside := range names {
		if err := removeInside(opened, inside, device); err != nil {
			return done, err
		}
	}
	return len(names), nil
}

func removeInside(parent *os.File, name string, device uint64) error {
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
	if entry.Dev != device {
		path := filepath.Join(parent.Name(), name)
		return &placed{path: path, code: syscall.EXDEV, why: "another file system is never entered"}
	}
	if _, err := emptyAt(parent, name, device); err != nil {
		return err
	}
	return unlinkAt(parent, name, removeFolder)
}
