package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// Attribute numbers of a new link, from Linux, include/uapi/linux/if_link.h.
const (
	attributeKind    = 1
	attributeDetails = 18
)

func attribute(kind uint16, value []byte) []byte {
	header := make([]byte, syscall.SizeofRtAttr)
	binary.NativeEndian.PutUint16(header, uint16(len(header)+len(value)))
	binary.NativeEndian.PutUint16(header[2:], kind)
	padding := make([]byte, (4-len(value)%4)%4)
	return slices.Concat(header, value, padding)
}

func addBridge(name string) error {
	up := syscall.IfInfomsg{Family: syscall.AF_UNSPEC, Flags: syscall.IFF_UP, Change: syscall.IFF_UP}
	body := slices.Concat(encode(up), attribute(syscall.IFLA_IFNAME, []byte(name+"\x00")),
		attribute(attributeDetails, attribute(attributeKind, []byte("bridge"))))
	return request(syscall.RTM_NEWLINK, syscall.NLM_F_CREATE|syscall.NLM_F_EXCL, body)
}

func addRoute(link, target string) error {
	found, err := net.InterfaceByName(link)
	if err != nil {
		return err
	}
	prefix := netip.MustParsePrefix(target)
	route := syscall.RtMsg{
		Family: syscall.AF_INET, Dst_len: uint8(prefix.Bits()), Table: syscall.RT_TABLE_MAIN,
		Protocol: syscall.RTPROT_STATIC, Scope: syscall.RT_SCOPE_LINK, Type: syscall.RTN_UNICAST,
	}
	if prefix.Addr().Is6() {
		route.Family, route.Scope = syscall.AF_INET6, syscall.RT_SCOPE_UNIVERSE
	}
	index := binary.NativeEndian.AppendUint32(nil, uint32(found.Index))
	body := slices.Concat(encode(route), attribute(syscall.RTA_DST, prefix.Addr().AsSlice()), attribute(syscall.RTA_OIF, index))
	return request(syscall.RTM_NEWROUTE, syscall.NLM_F_CREATE|syscall.NLM_F_EXCL, body)
}

func TestLinksGoByExactNameAndAMissingOneIsDone(t *testing.T) {
	apart(t, syscall.CLONE_NEWNET, func() error {
		for _, name := range []string{"cni0", "cni01", "docker0"} {
			if err := addBridge(name); err != nil {
				return err
			}
		}
		for _, want := range [][]string{{"cni0"}, {}} {
			if gone, err := deleteLinks([]string{"cni0", "flannel.1"}); err != nil || !slices.Equal(gone, want) {
				t.Errorf("gone are %v, %v", gone, err)
			}
		}
		links, err := net.Interfaces()
		var names []string
		for _, link := range links {
			names = append(names, link.Name)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"cni01", "docker0", "lo"}) {
			t.Errorf("left are %v", names)
		}
		return err
	})
}

func TestRoutesGoByRangeAndOthersStay(t *testing.T) {
	apart(t, syscall.CLONE_NEWNET, func() error {
		if err := addBridge("uplink"); err != nil {
			return err
		}
		for _, target := range []string{"10.42.1.0/24", "10.42.2.0/24", "10.43.0.0/24", "10.42.0.0/15", "10.0.0.0/8", "fd00:42:1::/64", "fd00:43::/64"} {
			if err := addRoute("uplink", target); err != nil {
				return err
			}
		}
		ranges := []netip.Prefix{netip.MustParsePrefix("10.42.0.0/16"), netip.MustParsePrefix("fd00:42::/32")}
		gone, err := deleteRoutes(ranges)
		slices.Sort(gone)
		if !slices.Equal(gone, []string{"10.42.1.0/24", "10.42.2.0/24", "fd00:42:1::/64"}) {
			t.Errorf("gone are %v", gone)
		}
		all := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")}
		left, problem := deleteRoutes(all)
		slices.Sort(left)
		if !slices.Equal(left, []string{"10.0.0.0/8", "10.42.0.0/15", "10.43.0.0/24", "fd00:43::/64"}) {
			t.Errorf("left were %v, %v", left, problem)
		}
		return err
	})
}
