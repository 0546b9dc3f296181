"""Judge a running cluster by the checks of the CIS Kubernetes benchmark 1.12."""
