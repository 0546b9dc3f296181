// Package v20170312 stands in for a cloud SDK that flannel links and rkx's images never use: every call fails.
package v20170312

import "errors"

var errAbsent = errors.New("this flanneld is built without the tencent-vpc backend")

// Client is the SDK's client; there is never one.
type Client struct{}

// Filter narrows a query.
type Filter struct {
	Name   *string
	Values []*string
}

// Route is one row of a route table.
type Route struct {
	RouteId                                                 *uint64
	DestinationCidrBlock, GatewayType, GatewayId, RouteType *string
	Enabled                                                 *bool
}

// RouteTable is a route table with its rows.
type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}

// RouteTables is what a query finds.
type RouteTables struct{ RouteTableSet []*RouteTable }

// DescribeRouteTablesRequest asks for route tables.
type DescribeRouteTablesRequest struct{ Filters []*Filter }

// DescribeRouteTablesResponse answers it.
type DescribeRouteTablesResponse struct{ Response *RouteTables }

// RoutesRequest creates or deletes rows.
type RoutesRequest struct {
	RouteTableId *string
	Routes       []*Route
}

// NewClientWithSecretId always fails.
func NewClientWithSecretId(id, key, region string) (*Client, error) { return nil, errAbsent }

// NewDescribeRouteTablesRequest is an empty query.
func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest {
	return &DescribeRouteTablesRequest{}
}

// NewDeleteRoutesRequest is an empty request.
func NewDeleteRoutesRequest() *RoutesRequest { return &RoutesRequest{} }

// NewCreateRoutesRequest is an empty request.
func NewCreateRoutesRequest() *RoutesRequest { return &RoutesRequest{} }

// DescribeRouteTables always fails.
func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, errAbsent
}

// DeleteRoutes always fails.
func (*Client) DeleteRoutes(*RoutesRequest) (any, error) { return nil, errAbsent }

// CreateRoutes always fails.
func (*Client) CreateRoutes(*RoutesRequest) (any, error) { return nil, errAbsent }
