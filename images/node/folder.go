package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// folder makes one folder with exactly this mode and owner.
type folder struct {
	Verb string   `json:"verb"`
	Path string   `json:"path"`
	Mode fileMode `json:"mode"`
	UID  uint32   `json:"uid"`
	GID  uint32   `json:"gid"`
}

func (f *folder) check() error { return checkPath(f.Path) }

func (f *folder) perform() (report, error) {
	parent, err := makeFolders(filepath.Dir(f.Path))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	made, err := makeFolderAt(parent, filepath.Base(f.Path))
	if err != nil {
		return nil, err
	}
	opened, err := openFolderAt(parent, filepath.Base(f.Path))
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	changed, err := giveRights(opened, f.Mode, f.UID, f.GID)
	return report{"changed": made || changed}, err
}

// makeFolders opens a folder; what is missing of it becomes 0755 root:root, what exists stays as it is.
func makeFolders(path string) (*os.File, error) {
	here, err := openFolder("/")
	if err != nil {
		return nil, err
	}
	for _, name := range components(path) {
		next, err := enterOrMake(here, name)
		here.Close()
		if err != nil {
			return nil, err
		}
		here = next
	}
	return here, nil
}

func enterOrMake(parent *os.File, name string) (*os.File, error) {
	opened, err := openFolderAt(parent, name)
	if !isMissing(err) {
		return opened, err
	}
	if _, err := makeFolderAt(parent, name); err != nil {
		return nil, err
	}
	opened, err = openFolderAt(parent, name)
	if err != nil {
		return nil, err
	}
	if _, err := giveRights(opened, 0o755, 0, 0); err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}

// makeFolderAt makes a folder for its maker alone; an existing one is left as it is.
func makeFolderAt(parent *os.File, name string) (bool, error) {
	err := syscall.Mkdirat(int(parent.Fd()), name, 0o700)
	if err == syscall.EEXIST {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "mkdir", Path: filepath.Join(parent.Name(), name), Err: err}
	}
	return true, parent.Sync()
}

// giveRights sets the owner first: a change of owner clears the set-id bits.
func giveRights(opened *os.File, mode fileMode, uid, gid uint32) (bool, error) {
	var entry syscall.Stat_t
	if err := syscall.Fstat(int(opened.Fd()), &entry); err != nil {
		return false, &os.PathError{Op: "stat", Path: opened.Name(), Err: err}
	}
	if hasRights(&entry, mode, uid, gid) {
		return false, nil
	}
	if err := opened.Chown(int(uid), int(gid)); err != nil {
		return false, err
	}
	if err := syscall.Fchmod(int(opened.Fd()), uint32(mode)); err != nil {
		return false, &os.PathError{Op: "chmod", Path: opened.Name(), Err: err}
	}
	return true, opened.Sync()
}
