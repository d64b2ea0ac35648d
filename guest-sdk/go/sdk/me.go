// Me: what a journey is given: who it is, what it may send, say and draw. The executor makes one for each session.

package vespeiro

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// User is the identity that the host made.
type User struct {
	Index                           uint32
	Seed                            uint64
	Username, Email, Password, Name string
}

// Level of a line in the log.
type Level uint8

// The levels, in the contract's order.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Me is the person that a journey plays.
type Me struct {
	User User
	// How many sessions this user has begun before.
	Ordinal uint32
	// Identifier of the run; goes into the name of whatever is created.
	Run string
	// Bounds of the plan's pauses.
	DelayMinMs, DelayMaxMs uint32
	// What cleanup has to remove, oldest first.
	Marks []string
	// Since the session began, pauses included.
	ElapsedMs uint64
	// How many more requests this user may send. At 0 the next request ends the session.
	RequestsLeft uint32

	config  string
	session *session
	random  *rand.Rand
	mix     []float32
	fault   Fault
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// Send one request and wait for its reply; without a response the person gives up.
func (me *Me) Send(call *Call) *Reply { return me.All(call)[0] }

// All sends several together; their replies come in order.
func (me *Me) All(calls ...*Call) []*Reply {
	replies := me.Try(calls...)
	for _, reply := range replies {
		if reply.Failure != NoFailure {
			panic(gaveUp{})
		}
	}
	return replies
}

// Try is All, whatever comes: look at each reply's Failure.
func (me *Me) Try(calls ...*Call) []*Reply {
	if len(calls) > maxRequests {
		me.Fail("more than 256 requests at once")
	}
	for _, call := range calls {
		if call.wrong != nil {
			me.Fail(call.wrong.Error())
		}
		if !me.declares(call.route) {
			me.Fail(fmt.Sprintf("%v is not among the behavior's routes: declare it there", call.route))
		}
		if call.bearer != nil && call.bearer.isDue() {
			call.bearer.renew()
		}
	}
	replies := me.session.exchange(signed(calls))
	var again []*Call
	var places []int
	for at, call := range calls {
		if call.bearer == nil || call.fault != NoFault || replies[at].Status != 401 {
			continue
		}
		if !slices.ContainsFunc(again, func(other *Call) bool { return other.bearer == call.bearer }) {
			call.bearer.logInAnew()
		}
		again, places = append(again, call), append(places, at)
	}
	if len(again) > 0 {
		for at, reply := range me.session.exchange(signed(again)) {
			replies[places[at]] = reply
		}
	}
	return replies
}

func (me *Me) declares(route *Route) bool {
	for _, declared := range me.session.behavior.Routes {
		if declared == route {
			return true
		}
	}
	return false
}

func signed(calls []*Call) []*Call {
	list := make([]*Call, len(calls))
	for at, call := range calls {
		list[at] = call
		if call.bearer != nil {
			copied := *call
			copied.headers = append(append([][2]string{}, call.headers...), [2]string{"authorization", call.bearer.bearer})
			list[at] = &copied
		}
	}
	return list
}

// GiveUp ends the session: the person gives up.
func (me *Me) GiveUp() { panic(gaveUp{}) }

// Fail ends the session: the behavior itself is wrong. The message goes to the host's log.
func (me *Me) Fail(message string) { panic(failed{message}) }

// Config reads the archetype's configuration, a JSON object, into a value.
func (me *Me) Config(into any) {
	if err := json.Unmarshal([]byte(me.config), into); err != nil {
		me.Fail("config: " + err.Error())
	}
}

// Think is a human pause: log-normal over the plan's whole pace, most of them rather short, a few long.
func (me *Me) Think() { me.pause(me.DelayMinMs, me.DelayMaxMs) }

// ThinkLong is a pause before sending a form: in the upper half of the pace.
func (me *Me) ThinkLong() { me.pause(me.DelayMinMs+me.spread()/2, me.DelayMaxMs) }

// ThinkBriefly is a pause as between quick searches: in the lowest tenth of the pace.
func (me *Me) ThinkBriefly() { me.pause(me.DelayMinMs, me.DelayMinMs+me.spread()/10) }

// ThinkBetween pauses between these bounds in milliseconds, clamped to the pace.
func (me *Me) ThinkBetween(low, high uint32) {
	clamp := func(ms uint32) uint32 { return max(me.DelayMinMs, min(me.DelayMaxMs, ms)) }
	me.pause(clamp(low), clamp(high))
}

// Wait exactly this long, whatever the pace. Pauses delay what is sent next, by an hour at most.
func (me *Me) Wait(ms uint32) {
	more := min(uint64(ms), maxDelayMs-me.session.delayMs)
	me.session.delayMs += more
	me.ElapsedMs += more
}

func (me *Me) spread() uint32 {
	if me.DelayMaxMs < me.DelayMinMs {
		return 0
	}
	return me.DelayMaxMs - me.DelayMinMs
}

// The bounds lie two standard deviations away from the geometric mean; what falls outside is drawn again.
func (me *Me) pause(low, high uint32) {
	if high <= low {
		me.Wait(low)
		return
	}
	from, to := math.Log(float64(max(low, 1))), math.Log(float64(high))
	normal := 0.0
	for range 4 {
		if drawn := me.random.NormFloat64(); math.Abs(drawn) <= 2 {
			normal = drawn
			break
		}
	}
	ms := math.Round(math.Exp((from+to)/2 + (to-from)/4*normal))
	me.Wait(uint32(min(max(ms, float64(low)), float64(high))))
}

// Check counts something that should hold, and whether it did. It gives passed back.
func (me *Me) Check(name string, passed bool) bool {
	me.session.host.check(name, passed)
	return passed
}

// Observe adds a value to a custom metric.
func (me *Me) Observe(metric string, value float64) { me.session.host.observe(metric, value) }

// Mark says that something was created, `<kind>:<name>`; a call's Mark says it earlier and is safer.
func (me *Me) Mark(thing string) { me.session.host.mark(thing) }

// Unmark says that a marked thing is gone.
func (me *Me) Unmark(thing string) { me.session.host.unmark(thing) }

// Log writes a line to the host's log. Never a secret.
func (me *Me) Log(level Level, message string) { me.session.host.log(level, message) }

// Feed reads the next row of one of the plan's data feeds into a value; false when there is none for this user.
func (me *Me) Feed(name string, into any) bool {
	row, there := me.session.host.feed(name)
	return there && json.Unmarshal([]byte(row), into) == nil
}

// TakeFault tells the wrong request that the host asks for right now, once: whoever takes it commits it with the next one.
func (me *Me) TakeFault() Fault {
	fault := me.fault
	me.fault = NoFault
	return fault
}

// Wanted tells how far the run is from the plan's share of a category, in percentage points; above 0 it is wanted.
func (me *Me) Wanted(category string) float64 {
	for at, name := range me.session.behavior.categories() {
		if name == category && at < len(me.mix) {
			return float64(me.mix[at])
		}
	}
	return 0
}

// Random is at least 0, less than 1.
func (me *Me) Random() float64 { return me.random.Float64() }

// Range is a whole number, both bounds included.
func (me *Me) Range(low, high int) int { return low + me.random.IntN(high-low+1) }

// Chance is true with this probability.
func (me *Me) Chance(probability float64) bool { return me.random.Float64() < probability }

// Choice is a way to go on, how often, and the category of its requests.
type Choice struct {
	Weight   float64
	Category string
}

// Choose gives the position of one of the choices: by weight, steered towards the categories that the plan's mix still
// wants. A category that is n percentage points short has its weight multiplied by e^(n/3).
func (me *Me) Choose(choices ...Choice) int {
	weights, sum := make([]float64, len(choices)), 0.0
	for at, choice := range choices {
		weights[at] = max(choice.Weight, 0) * min(max(math.Exp(me.Wanted(choice.Category)/3), 0.01), 100)
		sum += weights[at]
	}
	rest, last := me.Random()*sum, 0
	for at, weight := range weights {
		if weight <= 0 {
			continue
		}
		if rest < weight {
			return at
		}
		rest -= weight
		last = at // rounding may leave a crumb
	}
	return last
}
