// The test harness: plays a behavior natively, against scripted replies, so that an author tests a journey without a network.
// It runs the executor that the module runs, and refuses what the host would refuse.

package vespeiro

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	maxSteps  = 100_000
	latencyMs = 1
)

// Answer is what a request is answered: a status with a body that becomes JSON, or a failure.
type Answer struct {
	Status  int
	Body    any
	Failure Failure
}

// Script says how a session is played. All but the replies may be left out.
type Script struct {
	// By route, `GET /users/{id}`. Of several answers each is given once, in order, and the last one stays.
	Replies map[string][]Answer
	// In the place of those: a reply for each request, by its path.
	Answer  func(route, path string) (Answer, bool)
	Seed    uint64
	Ordinal uint32
	User    uint32
	Config  any
	// Bounds of the pauses in milliseconds; 100 to 2000 where nothing is said. Budget is 1000.
	Pace   *[2]uint32
	Budget uint32
	// Points by category, and the faults that are asked for, one after the other.
	Wanted map[string]float32
	Faults []Fault
	// The marks to clean up after.
	Cleanup []string
	// What every data feed gives.
	Feed any
}

// Request is one that the session sent.
type Request struct {
	Route, Path, Body, Mark, Category, Authorization string
	Fault                                            Fault
	TimeoutMs                                        uint32
	Step                                             int
}

// Said is a check or a value that was observed.
type Said struct {
	Name   string
	Passed bool
	Value  float64
}

// Played is what came of a session.
type Played struct {
	// `completed` or `abandoned`; empty when the session failed, broke the contract or met no scripted reply.
	Ending string
	// Why there is no ending.
	Error                string
	Requests             []Request
	Delays               []uint64
	Checks, Observed     []Said
	Marks, Unmarks, Logs []string
	ElapsedMs            uint64
}

// Routes of all requests.
func (played *Played) Routes() (routes []string) {
	for _, request := range played.Requests {
		routes = append(routes, request.Route)
	}
	return
}

// LeftBehind is every mark, of requests and outside of them, that was not taken back.
func (played *Played) LeftBehind() (left []string) {
	marks := slices.Clone(played.Marks)
	for _, request := range played.Requests {
		if request.Mark != "" {
			marks = append(marks, request.Mark)
		}
	}
	return slices.DeleteFunc(marks, func(mark string) bool { return slices.Contains(played.Unmarks, mark) })
}

// Play one session to its end.
func Play(behavior *Behavior, script Script) *Played {
	played := &Played{}
	name := fmt.Sprintf("sim_user_testrun0_%d", script.User)
	config, _ := json.Marshal(script.Config)
	if script.Config == nil {
		config = []byte("{}")
	}
	pace := [2]uint32{100, 2000}
	if script.Pace != nil {
		pace = *script.Pace
	}
	session := begin(behavior, recorder{played, script.Feed}, &setup{
		user:    User{script.User, uint64(script.User), name, name + "@simulation.test", "SimPass123!", "Simulated User"},
		ordinal: script.Ordinal, seed: script.Seed, cleans: script.Cleanup != nil, marks: script.Cleanup,
		min: pace[0], max: pace[1], run: "testrun0", config: string(config),
	})
	defer session.end()
	played.run(session, &script)
	return played
}

// recorder is the host of a session under test.
type recorder struct {
	played *Played
	row    any
}

func (to recorder) log(_ Level, message string) { to.played.Logs = append(to.played.Logs, message) }

func (to recorder) check(name string, passed bool) {
	to.played.Checks = append(to.played.Checks, Said{Name: name, Passed: passed})
}

func (to recorder) observe(metric string, value float64) {
	to.played.Observed = append(to.played.Observed, Said{Name: metric, Value: value})
}

func (to recorder) mark(thing string) { to.played.Marks = append(to.played.Marks, thing) }

func (to recorder) unmark(thing string) { to.played.Unmarks = append(to.played.Unmarks, thing) }

func (to recorder) feed(string) (string, bool) {
	row, err := json.Marshal(to.row)
	return string(row), err == nil && to.row != nil
}

func (played *Played) run(session *session, script *Script) {
	left, faults, given := script.Budget, script.Faults, map[string]int{}
	if left == 0 {
		left = 1000
	}
	var mix []float32
	for _, name := range session.behavior.categories() {
		if script.Wanted != nil {
			mix = append(mix, script.Wanted[name])
		}
	}
	var outcomes []*Reply
	for count := range maxSteps {
		heard := &context{elapsedMs: played.ElapsedMs, left: left, mix: mix, outcomes: outcomes}
		if len(faults) > 0 {
			heard.fault = faults[0]
		}
		said := session.next(heard)
		played.Delays = append(played.Delays, said.delayMs)
		played.ElapsedMs += said.delayMs
		switch said.ending {
		case completed:
			played.Ending = "completed"
			return
		case abandoned:
			played.Ending = "abandoned"
			return
		case wrong:
			played.Error = said.message
			return
		}
		outcomes = nil
		for _, call := range said.requests {
			request := requestOf(call, count)
			played.Requests = append(played.Requests, request)
			if len(faults) > 0 && request.Fault == faults[0] {
				faults = faults[1:]
			}
			if !strings.HasPrefix(request.Path, "/") || strings.ContainsFunc(request.Path, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
				played.Error = request.Route + ": the path cannot be sent: " + request.Path
				return
			}
			answer, there := script.answer(request, given)
			if !there {
				played.Error = "no reply is scripted for " + request.Route
				return
			}
			outcomes = append(outcomes, answer.reply(call))
		}
		left -= uint32(len(outcomes))
		if len(outcomes) > 0 {
			played.ElapsedMs += latencyMs
		}
	}
	played.Error = "no end after 100000 steps"
}

func requestOf(call *Call, step int) Request {
	request := Request{
		Route: call.route.String(), Path: call.target(), Body: string(call.body), Mark: call.mark, Category: call.category,
		Fault: call.fault, TimeoutMs: call.timeout, Step: step,
	}
	for _, header := range call.headers {
		if header[0] == "authorization" {
			request.Authorization = header[1]
		}
	}
	return request
}

func (script *Script) answer(request Request, given map[string]int) (Answer, bool) {
	if script.Answer != nil {
		if answer, there := script.Answer(request.Route, request.Path); there {
			return answer, true
		}
	}
	answers := script.Replies[request.Route]
	if len(answers) == 0 {
		return Answer{}, false
	}
	at := min(given[request.Route], len(answers)-1)
	given[request.Route]++
	return answers[at], true
}

func (answer Answer) reply(call *Call) *Reply {
	reply := &Reply{Status: answer.Status, Failure: answer.Failure, LatencyUs: latencyMs * 1000}
	if answer.Body != nil && call.capture&Body != 0 {
		reply.Body, _ = json.Marshal(answer.Body)
	}
	if call.capture&Headers != 0 {
		reply.Headers = [][2]string{{"content-type", "application/json"}}
	}
	return reply
}
