"""Licences are looked for where the linked modules are."""

from rkx_images.licences import escaped, linked_modules

_REPORT = """\
flanneld: go1.26.8
	path	github.com/flannel-io/flannel
	mod	github.com/flannel-io/flannel	v0.28.10	h1:jt+uW6XVV01MBb3YFahG7Ue9UE3W6zlNlJMf3JtdcXI=
	dep	github.com/avast/retry-go/v5	v5.0.0	h1:kf1Qc2UsTZ4qq8elDymqfbISvkyMuhgRxuJqX2NHP7k=
	dep	github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/vpc	v1.3.188
	=>	./tencentvpc	(devel)
	dep	k8s.io/api	v0.0.0
	=>	k8s.io/api	v0.34.4	h1:Z5hsoQcZ2yBjelb9j5JKzCVo9qv9XLkVm5llnqS4h+0=
	build	-trimpath=true
"""


def test_replacements_stand_for_the_replaced_and_own_folders_are_left_out() -> None:
    assert linked_modules(_REPORT) == [
        ("github.com/flannel-io/flannel", "v0.28.10"),
        ("github.com/avast/retry-go/v5", "v5.0.0"),
        ("k8s.io/api", "v0.34.4"),
    ]


def test_module_cache_spells_upper_case_with_a_mark() -> None:
    assert escaped("github.com/Mirantis/cri-dockerd") == "github.com/!mirantis/cri-dockerd"
