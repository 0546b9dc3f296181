package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// load sees to kernel modules and sysctls, which a restart forgets.
type load struct {
	Verb    string            `json:"verb"`
	Modules []string          `json:"modules"`
	Sysctls map[string]string `json:"sysctls"`
}

func (l *load) check() error {
	for _, name := range l.Modules {
		if !isModuleName(name) {
			return fmt.Errorf("module name %q has other characters than letters, digits, - and _", name)
		}
	}
	for name := range l.Sysctls {
		if _, err := sysctlPath(name); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) perform() (report, error) {
	modules, moduleProblem := loadModules(l.Modules)
	changed, sysctlProblem := l.setSysctls()
	answer := report{"changed": len(modules)+len(changed) > 0, "modules": modules, "sysctls": changed}
	return answer, errors.Join(moduleProblem, sysctlProblem)
}

// setSysctls goes by name, so that two runs do the same, and gives the names that it had to change.
func (l *load) setSysctls() ([]string, error) {
	names := make([]string, 0, len(l.Sysctls))
	for name := range l.Sysctls {
		names = append(names, name)
	}
	slices.Sort(names)
	changed := []string{}
	var problems []error
	for _, name := range names {
		set, err := setSysctl(name, l.Sysctls[name])
		if set {
			changed = append(changed, name)
		}
		problems = append(problems, err)
	}
	return changed, errors.Join(problems...)
}

// sysctlPath follows sysctl(8): whichever of . and / comes first separates, the other is part of a name.
func sysctlPath(name string) (string, error) {
	path := name
	if at := strings.IndexAny(name, "./"); at >= 0 && name[at] == '.' {
		path = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	if path == "" || !filepath.IsLocal(path) || filepath.Clean(path) != path {
		return "", fmt.Errorf("sysctl name %q is not a name such as net.ipv4.ip_forward", name)
	}
	return "/proc/sys/" + path, nil
}

// setSysctl writes only what differs: a read-only /proc/sys that is right already is fine.
func setSysctl(name, wanted string) (bool, error) {
	path, err := sysctlPath(name)
	if err != nil {
		return false, err
	}
	found, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if sameValue(string(found), wanted) {
		return false, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, err = file.WriteString(wanted + "\n")
	return err == nil, err
}

func sameValue(one, other string) bool {
	return slices.Equal(strings.Fields(one), strings.Fields(other))
}

// loadModules loads what is not there yet and gives the names that it loaded.
func loadModules(names []string) ([]string, error) {
	loaded := []string{}
	var problems []error
	for _, name := range names {
		if hasFunction(name) {
			continue
		}
		err := loadModule(name)
		if err != nil && !errors.Is(err, syscall.EEXIST) {
			problems = append(problems, fmt.Errorf("module %s: %w", name, err))
			continue
		}
		loaded = append(loaded, name)
	}
	return loaded, errors.Join(problems...)
}
