package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// put writes one file whole, or leaves the old one; with Self it is this program's own.
type put struct {
	Verb    string   `json:"verb"`
	Path    string   `json:"path"`
	Mode    fileMode `json:"mode"`
	UID     uint32   `json:"uid"`
	GID     uint32   `json:"gid"`
	Content []byte   `json:"content"`
	Self    bool     `json:"self"`
}

// leftover matches our temporary names alone, so that nobody else's file is taken for one.
var leftover = regexp.MustCompile(`^\.rkx-[0-9a-f]{16}$`)

func (p *put) check() error {
	if (p.Content == nil) != p.Self {
		return errors.New("it takes either content or self")
	}
	return checkPath(p.Path)
}

func (p *put) perform() (report, error) {
	if p.Self {
		content, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			return nil, err
		}
		p.Content = content
	}
	parent, err := openFolder(filepath.Dir(p.Path))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := removeLeftovers(parent); err != nil {
		return nil, err
	}
	same, err := p.isThere(parent)
	if err != nil || same {
		return report{"changed": false}, err
	}
	temporary, err := p.stage(parent)
	if err != nil {
		return nil, err
	}
	return report{"changed": true}, p.publish(parent, temporary)
}

// removeLeftovers deletes what a killed run staged; only one batch runs on a machine at a time.
func removeLeftovers(parent *os.File) error {
	names, err := parent.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !leftover.MatchString(name) {
			continue
		}
		if err := unlinkAt(parent, name, 0); err != nil {
			return err
		}
	}
	return nil
}

// isThere compares with what stands at the path, and refuses to replace anything but a regular file.
func (p *put) isThere(parent *os.File) (bool, error) {
	entry, err := statAt(parent, filepath.Base(p.Path))
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case isFolder(entry):
		return false, &placed{path: p.Path, code: syscall.EISDIR, why: "a folder stands where a file should"}
	case isLink(entry):
		return false, &placed{path: p.Path, code: syscall.ELOOP, why: "a symbolic link is never followed or replaced"}
	case !isRegular(entry):
		return false, &placed{path: p.Path, code: syscall.EEXIST, why: "a special file is never replaced"}
	case !hasRights(entry, p.Mode, p.UID, p.GID) || entry.Size != int64(len(p.Content)):
		return false, nil
	}
	found, err := readAt(parent, filepath.Base(p.Path))
	return bytes.Equal(found, p.Content), err
}

func readAt(parent *os.File, name string) ([]byte, error) {
	flags := syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	path := filepath.Join(parent.Name(), name)
	handle, err := syscall.Openat(int(parent.Fd()), name, flags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(handle), path)
	defer file.Close()
	return io.ReadAll(file)
}

// stage writes a complete temporary file beside the target and gives its name.
func (p *put) stage(parent *os.File) (string, error) {
	file, name, err := p.create(parent)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if err := p.fill(file); err != nil {
		// The cause is the news; a temporary that stays is removed by the next put.
		_ = unlinkAt(parent, name, 0)
		return "", err
	}
	return name, nil
}

// create makes an empty temporary file that its maker alone can open, whatever the umask.
func (p *put) create(parent *os.File) (*os.File, string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, "", err
	}
	name := ".rkx-" + hex.EncodeToString(random[:])
	flags := syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	handle, err := syscall.Openat(int(parent.Fd()), name, flags, uint32(p.Mode)&0o600)
	if err != nil {
		return nil, "", &os.PathError{Op: "create", Path: p.Path, Err: err}
	}
	return os.NewFile(uintptr(handle), p.Path), name, nil
}

// fill writes as the owner alone, and opens the file to others only when it is complete.
func (p *put) fill(file *os.File) error {
	if _, err := file.Write(p.Content); err != nil {
		return err
	}
	if err := file.Chown(int(p.UID), int(p.GID)); err != nil {
		return err
	}
	if err := syscall.Fchmod(int(file.Fd()), uint32(p.Mode)); err != nil {
		return &os.PathError{Op: "chmod", Path: p.Path, Err: err}
	}
	return file.Sync()
}

func (p *put) publish(parent *os.File, temporary string) error {
	handle := int(parent.Fd())
	if err := syscall.Renameat(handle, temporary, handle, filepath.Base(p.Path)); err != nil {
		_ = unlinkAt(parent, temporary, 0)
		return &os.PathError{Op: "rename", Path: p.Path, Err: err}
	}
	return parent.Sync()
}
