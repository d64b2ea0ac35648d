// The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host, laid out as
// the canonical ABI of the component model has it. Only a build for GOOS=wasip1 has it.

package vespeiro

import "unsafe"

type ptr = unsafe.Pointer

//go:wasmimport vespeiro:behavior/host@0.1.0 log
func hostLog(level int32, text ptr, size uint32)

//go:wasmimport vespeiro:behavior/host@0.1.0 check
func hostCheck(name ptr, size uint32, passed int32)

//go:wasmimport vespeiro:behavior/host@0.1.0 observe
func hostObserve(metric ptr, size uint32, value float64)

//go:wasmimport vespeiro:behavior/host@0.1.0 mark
func hostMark(thing ptr, size uint32)

//go:wasmimport vespeiro:behavior/host@0.1.0 unmark
func hostUnmark(thing ptr, size uint32)

//go:wasmimport vespeiro:behavior/host@0.1.0 feed
func hostFeed(name ptr, size uint32, into ptr)

//go:wasmimport [export]vespeiro:behavior/behavior@0.1.0 [resource-new]session
func newSession(handle int32) int32

// What one call lays out is held here, for the collector does not see addresses that the host has.
var held []ptr

func room(size uint32) ptr {
	words := make([]uint64, size/8+1)
	at := ptr(&words[0])
	held = append(held, at)
	return at
}

func release() {
	clear(held)
	held = held[:0]
}

//go:wasmexport cabi_export_realloc
func exportRealloc(old ptr, had, align, size uint32) ptr { return realloc(old, had, size) }

//go:wasmexport cabi_import_realloc
func importRealloc(old ptr, had, align, size uint32) ptr { return realloc(old, had, size) }

func realloc(old ptr, had, size uint32) ptr {
	at := room(size)
	copy(unsafe.Slice((*byte)(at), size), unsafe.Slice((*byte)(old), min(had, size)))
	return at
}

// Lists and strings alike: 32 bits each, as pointers of Go are not.
type list struct{ at, count uint32 }

func lowered(text string) list {
	return list{address(ptr(unsafe.StringData(text)), text), uint32(len(text))}
}

func address(at ptr, text string) uint32 {
	if len(text) == 0 {
		return 1
	}
	held = append(held, at)
	return uint32(uintptr(at))
}

func lowerAll[T any](items []T) list {
	if len(items) == 0 {
		return list{8, 0}
	}
	at := ptr(unsafe.SliceData(items))
	held = append(held, at)
	return list{uint32(uintptr(at)), uint32(len(items))}
}

func (l list) bytes() []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(at(l.at)), l.count)...)
}

func (l list) text() string { return string(unsafe.Slice((*byte)(at(l.at)), l.count)) }

// at is an address of the host's as a pointer.
func at(address uint32) ptr { return *(*ptr)(ptr(&[1]uintptr{uintptr(address)})) }

func elements[T any](l list) []T { return unsafe.Slice((*T)(at(l.at)), l.count) }

type hosted struct{}

func (hosted) log(level Level, message string) {
	hostLog(int32(level), ptr(unsafe.StringData(message)), uint32(len(message)))
}

func (hosted) check(name string, passed bool) {
	held := int32(0)
	if passed {
		held = 1
	}
	hostCheck(ptr(unsafe.StringData(name)), uint32(len(name)), held)
}

func (hosted) observe(metric string, value float64) {
	hostObserve(ptr(unsafe.StringData(metric)), uint32(len(metric)), value)
}

func (hosted) mark(thing string) { hostMark(ptr(unsafe.StringData(thing)), uint32(len(thing))) }

func (hosted) unmark(thing string) { hostUnmark(ptr(unsafe.StringData(thing)), uint32(len(thing))) }

func (hosted) feed(name string) (string, bool) {
	fed := new(struct {
		there uint32
		row   list
	})
	hostFeed(ptr(unsafe.StringData(name)), uint32(len(name)), ptr(fed))
	if fed.there&0xff == 0 {
		return "", false
	}
	return fed.row.text(), true
}

type abiRoute struct {
	method         uint32
	path, category list
}

//go:wasmexport vespeiro:behavior/behavior@0.1.0#describe
func describe() ptr {
	routes := make([]abiRoute, 0, len(exported.Routes))
	for _, route := range exported.Routes {
		routes = append(routes, abiRoute{uint32(route.Method), lowered(route.Path), lowered(route.Category)})
	}
	var categories []list
	for _, name := range exported.categories() {
		categories = append(categories, lowered(name))
	}
	described := &[4]list{lowered(exported.Name), lowered(exported.Version), lowerAll(routes), lowerAll(categories)}
	held = append(held, ptr(described))
	return ptr(described)
}

//go:wasmexport cabi_post_vespeiro:behavior/behavior@0.1.0#describe
func described(ptr) { release() }

// The sessions by their handles; 0 is none.
var (
	sessions = []*session{nil}
	vacant   []int32
)

type abiSetup struct {
	index, _                        uint32
	seed                            [2]uint32
	username, email, password, name list
	ordinal, _                      uint32
	sessionSeed                     [2]uint32
	cleans                          uint32
	marks                           list
	min, max                        uint32
	run, config                     list
}

func wide(halves [2]uint32) uint64 { return uint64(halves[0]) | uint64(halves[1])<<32 }

//go:wasmexport vespeiro:behavior/behavior@0.1.0#[constructor]session
func construct(given ptr) int32 {
	from := (*abiSetup)(given)
	set := &setup{
		user:    User{from.index, wide(from.seed), from.username.text(), from.email.text(), from.password.text(), from.name.text()},
		ordinal: from.ordinal, seed: wide(from.sessionSeed), cleans: from.cleans&0xff != 0,
		min: from.min, max: from.max, run: from.run.text(), config: from.config.text(),
	}
	if set.cleans {
		for _, mark := range elements[list](from.marks) {
			set.marks = append(set.marks, mark.text())
		}
	}
	release()
	one := begin(exported, hosted{}, set)
	if last := len(vacant) - 1; last >= 0 {
		handle := vacant[last]
		vacant = vacant[:last]
		sessions[handle] = one
		return newSession(handle)
	}
	sessions = append(sessions, one)
	return newSession(int32(len(sessions) - 1))
}

//go:wasmexport vespeiro:behavior/behavior@0.1.0#[dtor]session
func destroy(handle int32) {
	sessions[handle].end()
	sessions[handle] = nil
	vacant = append(vacant, handle)
}

type abiOutcome struct {
	failed, _ uint32
	status    uint16 // or the failure
	_         uint16
	headers   list
	body      list
	_         uint32
	latency   [2]uint32
}

type abiRequest struct {
	method                         uint32
	path, route, category, headers list
	hasBody                        uint32
	body                           list
	capture                        uint32
	hasTimeout, timeout            uint32
	hasMark                        uint32
	mark                           list
	fault                          uint32 // two bytes: whether there is one, and which
}

type abiAnswer struct {
	failed  uint32
	delayMs uint32 // or, of an error, its text
	done    uint32
	what    list
}

//go:wasmexport vespeiro:behavior/behavior@0.1.0#[method]session.next
func next(handle int32, elapsedMs uint64, left uint32, mix ptr, mixes uint32, faulty, fault int32, outcomes ptr, came uint32) ptr {
	heard := &context{elapsedMs: elapsedMs, left: left, mix: append([]float32(nil), unsafe.Slice((*float32)(mix), mixes)...)}
	if faulty != 0 {
		heard.fault = Fault(fault + 1)
	}
	for _, outcome := range unsafe.Slice((*abiOutcome)(outcomes), came) {
		reply := &Reply{}
		if outcome.failed&0xff != 0 {
			reply.Failure = Failure(outcome.status&0xff) + 1
		} else {
			reply.Status, reply.Body, reply.LatencyUs = int(outcome.status), outcome.body.bytes(), wide(outcome.latency)
			for _, pair := range elements[[2]list](outcome.headers) {
				reply.Headers = append(reply.Headers, [2]string{pair[0].text(), pair[1].text()})
			}
		}
		heard.outcomes = append(heard.outcomes, reply)
	}
	said := sessions[handle].next(heard)
	answer := &abiAnswer{delayMs: uint32(said.delayMs)}
	held = append(held, ptr(answer))
	switch said.ending {
	case goesOn:
		answer.what = lowerAll(requests(said.requests))
	case wrong:
		message := lowered(said.message)
		answer.failed, answer.delayMs, answer.done = 1, message.at, message.count
	default:
		answer.done, answer.what.at = 1, uint32(said.ending-completed)
	}
	return ptr(answer)
}

//go:wasmexport cabi_post_vespeiro:behavior/behavior@0.1.0#[method]session.next
func answered(ptr) { release() }

func requests(calls []*Call) []abiRequest {
	all := make([]abiRequest, len(calls))
	for at, call := range calls {
		headers := make([][2]list, 0, len(call.headers))
		for _, header := range call.headers {
			headers = append(headers, [2]list{lowered(header[0]), lowered(header[1])})
		}
		into := &all[at]
		into.method, into.capture = uint32(call.route.Method), uint32(call.capture)
		into.path, into.route, into.category = lowered(call.target()), lowered(call.route.Path), lowered(call.category)
		into.headers = lowerAll(headers)
		if call.hasBody {
			into.hasBody, into.body = 1, lowerAll(call.body)
		}
		if call.timeout > 0 {
			into.hasTimeout, into.timeout = 1, call.timeout
		}
		if call.mark != "" {
			into.hasMark, into.mark = 1, lowered(call.mark)
		}
		if call.fault != NoFault {
			into.fault = 1 | uint32(call.fault-1)<<8
		}
	}
	return all
}

func init() {
	if unsafe.Sizeof(abiSetup{}) != 100 || unsafe.Sizeof(abiOutcome{}) != 40 || unsafe.Sizeof(abiRequest{}) != 76 {
		panic("the records are not laid out as the canonical ABI has them")
	}
}
