// Package vespeiro is what a behavior in Go is written with.
//
// This file: routes, and what a journey sends to them. These only describe; the executor in session.go acts on them.
package vespeiro

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Method of HTTP.
type Method uint8

// The methods, in the contract's order.
const (
	GET Method = iota
	HEAD
	POST
	PUT
	PATCH
	DELETE
	OPTIONS
)

var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Fault is the wrong request that the host asks for.
type Fault uint8

// The faults, in the contract's order.
const (
	NoFault Fault = iota
	BadCredentials
	Forbidden
	InvalidData
	NotFound
	RateLimit
)

// Failure is why there is no response.
type Failure uint8

// The failures, in the contract's order.
const (
	NoFailure Failure = iota
	Timeout
	Connect
	TLS
	Reset
	Protocol
	TooLarge
	CircuitOpen
	Stopped
)

// Capture is what to see of a response.
type Capture uint8

// Bits, as the contract has them.
const (
	Nothing Capture = iota
	Headers
	Body
	Everything
)

// Route is one method and path that a behavior may use, and the category of its requests.
type Route struct {
	Method   Method
	Path     string
	Category string
}

func (route *Route) String() string { return methods[route.Method] + " " + route.Path }

// Call describes one request. What is not said is left out.
type Call struct {
	route    *Route
	path     string
	query    url.Values
	headers  [][2]string
	body     []byte
	hasBody  bool
	bearer   *Tokens
	capture  Capture
	mark     string
	fault    Fault
	category string
	timeout  uint32
	wrong    error
}

// With is a request to the route; the arguments fill the path's placeholders, in order.
func (route *Route) With(args ...any) *Call {
	call := &Call{route: route, capture: Body, category: route.Category}
	var path strings.Builder
	rest, used := route.Path, 0
	for {
		open := strings.IndexByte(rest, '{')
		end := strings.IndexByte(rest, '}')
		if open < 0 || end < open {
			break
		}
		text := ""
		if used < len(args) {
			text = fmt.Sprint(args[used])
		}
		if text == "" {
			call.wrong = fmt.Errorf("%v lacks an argument for %s", route, rest[open:end+1])
		}
		path.WriteString(rest[:open])
		path.WriteString(url.PathEscape(text))
		rest, used = rest[end+1:], used+1
	}
	if used < len(args) {
		call.wrong = fmt.Errorf("%v has %d placeholders, and %d arguments were given", route, used, len(args))
	}
	path.WriteString(rest)
	call.path = path.String()
	return call
}

// Query adds a parameter.
func (call *Call) Query(name string, value any) *Call {
	if call.query == nil {
		call.query = url.Values{}
	}
	call.query.Add(name, fmt.Sprint(value))
	return call
}

// Header adds a header.
func (call *Call) Header(name, value string) *Call {
	call.headers = append(call.headers, [2]string{name, value})
	return call
}

// JSON sends a value.
func (call *Call) JSON(value any) *Call {
	body, err := json.Marshal(value)
	if err != nil {
		call.wrong = fmt.Errorf("%v: %w", call.route, err)
	}
	return call.Body(body).Header("content-type", "application/json")
}

// Body sends bytes.
func (call *Call) Body(body []byte) *Call {
	call.body, call.hasBody = body, true
	return call
}

// Bearer sends it with this account's token, which is got first, renewed before it expires, and got anew after a 401.
func (call *Call) Bearer(tokens *Tokens) *Call {
	call.bearer = tokens
	return call
}

// Capture says what to see of the response; Body where nothing is said.
func (call *Call) Capture(what Capture) *Call {
	call.capture = what
	return call
}

// Mark is what this creates, `<kind>:<name>`: the host notes it before the request leaves.
func (call *Call) Mark(thing string) *Call {
	call.mark = thing
	return call
}

// Fault says that the request is wrong on purpose.
func (call *Call) Fault(fault Fault) *Call {
	call.fault = fault
	return call
}

// Category counts it for another category of the mix.
func (call *Call) Category(name string) *Call {
	call.category = name
	return call
}

// TimeoutMs is how long to wait for its response.
func (call *Call) TimeoutMs(millis uint32) *Call {
	call.timeout = millis
	return call
}

// Reply is what one request brought back.
type Reply struct {
	// Status of HTTP; 0 when there was no response.
	Status    int
	Failure   Failure
	Body      []byte
	Headers   [][2]string
	LatencyUs uint64
	call      *Call
	me        *Me
}

// OK says whether the status is 2xx.
func (reply *Reply) OK() bool { return reply.Status >= 200 && reply.Status < 300 }

// Expect goes on only with one of these statuses, or without any given, with a 2xx; otherwise the person gives up.
func (reply *Reply) Expect(statuses ...int) *Reply {
	if len(statuses) == 0 && reply.OK() {
		return reply
	}
	for _, status := range statuses {
		if status == reply.Status {
			return reply
		}
	}
	panic(gaveUp{})
}

// JSON reads the body into a value; the person gives up when it is something else, and the log says so.
func (reply *Reply) JSON(into any) *Reply {
	if err := json.Unmarshal(reply.Body, into); err != nil {
		reply.me.Log(Warn, fmt.Sprintf("%v: unexpected body: %v", reply.call.route, err))
		panic(gaveUp{})
	}
	return reply
}

// Header is the first value of a captured header; the name in lower case.
func (reply *Reply) Header(name string) string {
	for _, header := range reply.Headers {
		if header[0] == name {
			return header[1]
		}
	}
	return ""
}

// target is the path and the query.
func (call *Call) target() string {
	if len(call.query) == 0 {
		return call.path
	}
	return call.path + "?" + call.query.Encode()
}
