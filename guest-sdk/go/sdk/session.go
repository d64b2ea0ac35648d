// The executor: one session, whose journey is a coroutine that gives a step where it sends something and goes on with the
// replies. module_wasip1.go calls it, and harness.go. One coroutine runs at a time, so nothing here needs a lock.

package vespeiro

import (
	"fmt"
	"iter"
)

const (
	maxDelayMs  = 3_600_000
	maxRequests = 256
)

// Behavior is what a module is: give one to Export.
type Behavior struct {
	Name, Version string
	// Every route that it may use.
	Routes []*Route
	// Where Tokens log in, renew and log out; the last two may be left out.
	Login, Refresh, Logout *Route
	// What the login calls the account's name; `email` where left out.
	LoginName string
	Journey   func(me *Me)
	// Removes what me.Marks names; may be left out.
	Cleanup func(me *Me)
}

var exported *Behavior

// Export says what the module's behavior is; call it in an init function.
func Export(behavior *Behavior) { exported = behavior }

func (behavior *Behavior) categories() []string {
	var names []string
	seen := map[string]bool{}
	for _, route := range behavior.Routes {
		if !seen[route.Category] {
			seen[route.Category] = true
			names = append(names, route.Category)
		}
	}
	return names
}

// The person gives up; a journey ends with it where it panics so.
type gaveUp struct{}

// The behavior itself is wrong.
type failed struct{ message string }

type host interface {
	log(level Level, message string)
	check(name string, passed bool)
	observe(metric string, value float64)
	mark(thing string)
	unmark(thing string)
	feed(name string) (string, bool)
}

type setup struct {
	user     User
	ordinal  uint32
	seed     uint64
	cleans   bool
	marks    []string
	min, max uint32
	run      string
	config   string
}

type context struct {
	elapsedMs uint64
	left      uint32
	mix       []float32
	fault     Fault
	outcomes  []*Reply
}

type ending uint8

const (
	goesOn ending = iota
	completed
	abandoned
	wrong
)

type step struct {
	delayMs  uint64
	requests []*Call
	ending   ending
	message  string
}

type session struct {
	behavior *Behavior
	host     host
	me       *Me
	resume   func() (step, bool)
	stop     func()
	yield    func(step) bool
	waiting  int
	heard    *context
	delayMs  uint64
	over     bool
}

func begin(behavior *Behavior, host host, setup *setup) *session {
	s := &session{behavior: behavior, host: host}
	s.me = &Me{
		User: setup.user, Ordinal: setup.ordinal, Run: setup.run, config: setup.config, Marks: setup.marks,
		DelayMinMs: setup.min, DelayMaxMs: setup.max, session: s, random: seeded(setup.seed),
	}
	journey := behavior.Journey
	if setup.cleans {
		journey = behavior.Cleanup
	}
	s.resume, s.stop = iter.Pull(func(yield func(step) bool) {
		s.yield = yield
		yield(s.play(journey))
	})
	return s
}

// play runs the journey to its end; what it says then is the last step.
func (s *session) play(journey func(me *Me)) (last step) {
	defer func() {
		last.delayMs = s.delayMs
		switch cause := recover().(type) {
		case nil:
			last.ending = completed
		case gaveUp:
			last.ending = abandoned
		case failed:
			last.ending, last.message = wrong, cause.message
		default:
			last.ending, last.message = wrong, fmt.Sprint("behavior: ", cause)
		}
	}()
	if journey != nil { // no cleanup: nothing to remove
		journey(s.me)
	}
	return
}

// next tells the step that follows, given what came of the requests of the last one.
func (s *session) next(heard *context) step {
	if s.over {
		return step{ending: wrong, message: "the session is over"}
	}
	if len(heard.outcomes) != s.waiting {
		s.end()
		return step{ending: wrong, message: "another number of outcomes came than requests went"}
	}
	me := s.me
	me.ElapsedMs, me.RequestsLeft, me.mix, me.fault = heard.elapsedMs, heard.left, heard.mix, heard.fault
	s.heard, s.delayMs = heard, 0
	said, _ := s.resume()
	s.heard, s.waiting = nil, len(said.requests)
	if said.ending != goesOn {
		s.end()
	}
	return said
}

// end lets the coroutine go, wherever it waits.
func (s *session) end() {
	s.over = true
	s.stop()
}

// exchange sends calls as they are and waits for their replies. It does not return when the budget is spent.
func (s *session) exchange(calls []*Call) []*Reply {
	spent := uint32(len(calls)) > s.me.RequestsLeft
	if spent {
		calls = calls[:s.me.RequestsLeft]
	}
	s.me.RequestsLeft -= uint32(len(calls))
	if spent && len(calls) == 0 {
		panic(gaveUp{})
	}
	if !s.yield(step{delayMs: s.delayMs, requests: calls}) {
		panic(gaveUp{}) // the host has dropped the session
	}
	replies := s.heard.outcomes
	for at, reply := range replies {
		reply.call, reply.me = calls[at], s.me
		spent = spent || reply.Failure == Stopped
	}
	if spent {
		panic(gaveUp{})
	}
	return replies
}
