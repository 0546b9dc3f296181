package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// names of the errors that rkx tells apart; others show their text alone.
var errorNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EBUSY: "EBUSY", syscall.ECONNREFUSED: "ECONNREFUSED",
	syscall.ECONNRESET: "ECONNRESET", syscall.EDQUOT: "EDQUOT", syscall.EEXIST: "EEXIST",
	syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.EINVAL: "EINVAL", syscall.EIO: "EIO", syscall.EISDIR: "EISDIR",
	syscall.ELOOP: "ELOOP", syscall.EMFILE: "EMFILE", syscall.ENAMETOOLONG: "ENAMETOOLONG",
	syscall.ENETUNREACH: "ENETUNREACH", syscall.ENODEV: "ENODEV", syscall.ENOENT: "ENOENT", syscall.ENOEXEC: "ENOEXEC",
	syscall.ENOMEM: "ENOMEM", syscall.ENOSPC: "ENOSPC", syscall.ENOSYS: "ENOSYS", syscall.ENOTDIR: "ENOTDIR",
	syscall.ENOTEMPTY: "ENOTEMPTY", syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.EPERM: "EPERM",
	syscall.EROFS: "EROFS", syscall.ETIMEDOUT: "ETIMEDOUT", syscall.EXDEV: "EXDEV",
}

// placed is an error number at a path, with what makes it plain to a person.
type placed struct {
	path string
	code syscall.Errno
	why  string
}

func (p *placed) Error() string { return p.why + ": " + p.path }

func (p *placed) Unwrap() error { return p.code }

// describe gives "ENOSPC: no space left on device", or the plain text where there is no error number.
func describe(err error) string {
	text := err.Error()
	var inPath *fs.PathError
	if errors.As(err, &inPath) && inPath == err {
		text = inPath.Err.Error()
	}
	var code syscall.Errno
	if !errors.As(err, &code) || errorNames[code] == "" {
		return text
	}
	return errorNames[code] + ": " + text
}

func pathOf(err error) string {
	var place *placed
	if errors.As(err, &place) {
		return place.path
	}
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		return inPath.Path
	}
	return ""
}
