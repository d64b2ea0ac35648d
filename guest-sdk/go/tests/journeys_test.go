// The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
// journeys rely on. Run in a project that was built, which is called night-shift.

package tests

import (
	"math"
	"slices"
	"strings"
	"testing"

	"night-shift/vespeiro"
)

var (
	login   = &vespeiro.Route{Method: vespeiro.POST, Path: "/login", Category: "auth"}
	refresh = &vespeiro.Route{Method: vespeiro.POST, Path: "/refresh", Category: "auth"}
	logout  = &vespeiro.Route{Method: vespeiro.POST, Path: "/logout", Category: "auth"}
	plain   = &vespeiro.Route{Method: vespeiro.GET, Path: "/b", Category: "query"}
	two     = &vespeiro.Route{Method: vespeiro.GET, Path: "/a/{x}/{y}", Category: "query"}
)

type (
	answers = []vespeiro.Answer
	object  = map[string]any
)

func play(journey func(me *vespeiro.Me), script vespeiro.Script) *vespeiro.Played {
	otherwise := func(string, string) (vespeiro.Answer, bool) {
		return vespeiro.Answer{Status: 200, Body: object{}}, true
	}
	scripted := script.Replies
	script.Answer = func(route, path string) (vespeiro.Answer, bool) {
		if len(scripted[route]) > 0 {
			return vespeiro.Answer{}, false
		}
		return otherwise(route, path)
	}
	return vespeiro.Play(&vespeiro.Behavior{
		Name: "test", Version: "0.0.0", Routes: []*vespeiro.Route{login, refresh, logout, plain, two},
		Login: login, Refresh: refresh, Logout: logout, Journey: journey,
	}, script)
}

func ended(t *testing.T, played *vespeiro.Played, ending string) {
	t.Helper()
	if played.Ending != ending {
		t.Fatal(played.Ending, played.Error, played.Routes())
	}
	for _, check := range played.Checks {
		if !check.Passed {
			t.Error(check.Name)
		}
	}
}

func TestAPauseAndWhatFollowsAreOneStep(t *testing.T) {
	played := play(func(me *vespeiro.Me) {
		me.Wait(30)
		me.Wait(12)
		me.Send(plain.With())
		me.Think()
		me.Send(plain.With())
		me.Wait(5)
	}, vespeiro.Script{Pace: &[2]uint32{700, 700}})
	ended(t, played, "completed")
	if !slices.Equal(played.Delays, []uint64{42, 700, 5}) || played.ElapsedMs != 42+1+700+1+5 {
		t.Error(played.Delays, played.ElapsedMs)
	}
}

func TestPausesKeepWithinThePace(t *testing.T) {
	journey := func(me *vespeiro.Me) {
		for range 100 {
			for _, pause := range []func(){me.Think, me.ThinkLong, me.ThinkBriefly, func() { me.ThinkBetween(10, 400) }} {
				pause()
				me.Send(plain.With())
			}
		}
	}
	bounds := [4][2]uint64{{100, 2000}, {1050, 2000}, {100, 290}, {100, 400}}
	for at, delay := range play(journey, vespeiro.Script{}).Delays[:400] {
		if bound := bounds[at%4]; delay < bound[0] || delay > bound[1] {
			t.Error(at, delay)
		}
	}
	if played := play(journey, vespeiro.Script{Pace: &[2]uint32{}}); played.ElapsedMs != 400 {
		t.Error(played.ElapsedMs)
	}
}

func TestWhatIsSentTogetherIsOneStepAndComesBackInOrder(t *testing.T) {
	played := play(func(me *vespeiro.Me) {
		replies := me.All(two.With(0, "ü /"), two.With("1", 2).Query("q", "a&b"), plain.With().Category("auth").TimeoutMs(50))
		me.Check("in order", string(replies[0].Body) == "0" && string(replies[1].Body) == "1")
		me.All()
	}, vespeiro.Script{Replies: map[string][]vespeiro.Answer{"GET /a/{x}/{y}": {{Status: 200, Body: 0}, {Status: 200, Body: 1}}}})
	ended(t, played, "completed")
	first, second, third := played.Requests[0], played.Requests[1], played.Requests[2]
	if first.Path != "/a/0/%C3%BC%20%2F" || second.Path != "/a/1/2?q=a%26b" || third.Category != "auth" || third.TimeoutMs != 50 {
		t.Error(first, second, third)
	}
	if third.Step != 0 {
		t.Error(third.Step)
	}
}

func TestASpentBudgetEndsTheSessionQuietly(t *testing.T) {
	stubborn := func(me *vespeiro.Me) {
		for {
			me.Try(plain.With())
		}
	}
	for count, script := range map[int]vespeiro.Script{
		3: {Budget: 3},
		1: {Replies: map[string][]vespeiro.Answer{"GET /b": {{Failure: vespeiro.Stopped}}}},
	} {
		played := play(stubborn, script)
		ended(t, played, "abandoned")
		if len(played.Requests) != count {
			t.Error(played.Routes())
		}
	}
	played := play(func(me *vespeiro.Me) { me.All(plain.With(), plain.With(), plain.With()) }, vespeiro.Script{Budget: 2})
	ended(t, played, "abandoned")
	if len(played.Requests) != 2 {
		t.Error(played.Routes())
	}
}

func TestErrorsEndTheSessionAsTheyShould(t *testing.T) {
	insists := func(me *vespeiro.Me) {
		var into struct{ N int }
		me.Send(plain.With()).Expect(201).JSON(&into)
	}
	ended(t, play(insists, vespeiro.Script{}), "abandoned")
	for _, answer := range []vespeiro.Answer{{Failure: vespeiro.Timeout}, {Status: 201, Body: "odd"}} {
		ended(t, play(insists, vespeiro.Script{Replies: map[string][]vespeiro.Answer{"GET /b": {answer}}}), "abandoned")
	}
	for words, journey := range map[string]func(me *vespeiro.Me){
		"is not among":              func(me *vespeiro.Me) { me.Send((&vespeiro.Route{Path: "/nowhere"}).With()) },
		"lacks an argument for {y}": func(me *vespeiro.Me) { me.Send(two.With(1)) },
		"0 placeholders":            func(me *vespeiro.Me) { me.Send(plain.With(1)) },
		"nil pointer":               func(me *vespeiro.Me) { var none *vespeiro.Reply; _ = none.Status },
		"why":                       func(me *vespeiro.Me) { me.Fail("why") },
	} {
		if played := play(journey, vespeiro.Script{}); !strings.Contains(played.Error, words) {
			t.Error(words, played.Error)
		}
	}
}

func TestChoicesFollowTheirWeightsTheMixAndTheSeed(t *testing.T) {
	journey := func(me *vespeiro.Me) {
		count := 0.0
		for range 4000 {
			switch me.Choose(vespeiro.Choice{Weight: 3, Category: "query"}, vespeiro.Choice{Weight: 1, Category: "auth"}, vespeiro.Choice{}) {
			case 0:
				count++
			case 2:
				me.Fail("drew what has no weight")
			}
		}
		me.Observe("queries", count/4000)
		me.Log(vespeiro.Info, strings.Join([]string{me.FakeName(), me.FakeBio(), me.FakeBirthDate(), me.FakePhone(), me.FakeWebsite()}, " "))
	}
	even, again, other := play(journey, vespeiro.Script{Seed: 1}), play(journey, vespeiro.Script{Seed: 1}), play(journey, vespeiro.Script{Seed: 2})
	steered := play(journey, vespeiro.Script{Wanted: map[string]float32{"auth": 6}})
	if math.Abs(even.Observed[0].Value-0.75) > 0.03 || steered.Observed[0].Value > 0.35 {
		t.Error(even.Observed, steered.Observed)
	}
	if even.Logs[0] != again.Logs[0] || even.Logs[0] == other.Logs[0] {
		t.Error(even.Logs, again.Logs, other.Logs)
	}
}

func grant(token string) vespeiro.Answer {
	return vespeiro.Answer{Status: 200, Body: object{"access_token": token, "refresh_token": token + "-again", "expires_in": 100}}
}

func TestTokensLogInOnceRenewBeforeTheyExpireAndSurviveA401(t *testing.T) {
	bearers := func(played *vespeiro.Played) (list []string) {
		for _, request := range played.Requests {
			list = append(list, strings.TrimPrefix(request.Authorization, "Bearer "))
		}
		return
	}
	played := play(func(me *vespeiro.Me) {
		bearer := me.Tokens("a@example.test", "secret")
		me.All(plain.With().Bearer(bearer), plain.With().Bearer(bearer))
		me.Wait(85_000)
		me.All(plain.With().Bearer(bearer), plain.With().Bearer(bearer))
		bearer.LogOut()
		bearer.LogOut()
		me.Check("out", !bearer.LoggedIn())
	}, vespeiro.Script{Replies: map[string][]vespeiro.Answer{"POST /login": {grant("one")}, "POST /refresh": {grant("two")}}})
	ended(t, played, "completed")
	if !slices.Equal(bearers(played), []string{"", "one", "one", "", "two", "two", "two"}) || played.Requests[3].Body != `{"refresh_token":"one-again"}` {
		t.Error(bearers(played), played.Requests[3])
	}
	played = play(func(me *vespeiro.Me) {
		bearer := me.Tokens("a", "b")
		both := me.All(plain.With().Bearer(bearer), two.With(1, 2).Bearer(bearer))
		me.Check("both", string(both[0].Body) == `"first"` && string(both[1].Body) == `"second"`)
		me.Check("a fault stays", me.Send(plain.With().Bearer(bearer).Fault(vespeiro.BadCredentials)).Status == 401)
	}, vespeiro.Script{Replies: map[string][]vespeiro.Answer{
		"POST /login":    {grant("one"), grant("two")},
		"GET /b":         {{Status: 200, Body: "first"}, {Status: 401}},
		"GET /a/{x}/{y}": {{Status: 401}, {Status: 200, Body: "second"}},
	}})
	ended(t, played, "completed")
	if !slices.Equal(bearers(played), []string{"", "one", "one", "", "two", "two"}) {
		t.Error(bearers(played))
	}
}

func TestTokensOfALastingAccountAreMarkedWhileTheyLive(t *testing.T) {
	marks := func(tokens ...string) (list []string) {
		for _, token := range tokens {
			list = append(list, "token:Bearer "+token)
		}
		return
	}
	journey := func(me *vespeiro.Me) {
		bearer, other := me.Tokens("admin", "secret").Lasting(), me.Tokens("a", "b")
		bearer.LogIn()
		me.Wait(85_000)
		me.Send(plain.With().Bearer(bearer)) // renews
		bearer.LogIn()                       // the session of the one before lives on
		me.All(two.With(1, 2).Bearer(bearer), two.With(1, 2).Bearer(other), two.With(1, 2).Bearer(bearer))
		bearer.LogOut()
	}
	for status, left := range map[int][]string{204: marks("two"), 401: marks("two"), 503: marks("two", "five")} {
		played := play(journey, vespeiro.Script{Replies: map[string][]vespeiro.Answer{
			"POST /login":    {grant("one"), grant("three"), grant("four"), grant("five"), grant("six")},
			"POST /refresh":  {grant("two")},
			"GET /a/{x}/{y}": {{Status: 401}, {Status: 401}, {Status: 401}, {Status: 200}},
			"POST /logout":   {{Status: status}},
		}})
		ended(t, played, map[bool]string{true: "completed", false: "abandoned"}[status == 204])
		// The other account's are not marked.
		if !slices.Equal(played.Marks, marks("one", "two", "three", "five")) || !slices.Equal(played.LeftBehind(), left) {
			t.Error(status, played.Marks, played.LeftBehind())
		}
	}
}

func TestATokenThatIsGrantedAnewKeepsItsMarkUntilItIsLoggedOut(t *testing.T) {
	journey := func(me *vespeiro.Me) {
		bearer := me.Tokens("admin", "secret").Lasting()
		bearer.LogIn()
		me.Wait(85_000)
		me.Send(plain.With().Bearer(bearer)) // renews
		bearer.LogOut()
	}
	for status, stays := range map[int]bool{204: false, 503: true} {
		played := play(journey, vespeiro.Script{Replies: map[string][]vespeiro.Answer{
			"POST /login":   {grant("one")},
			"POST /refresh": {grant("one")},
			"POST /logout":  {{Status: status}},
		}})
		if len(played.LeftBehind()) > 0 != stays {
			t.Error(status, played.LeftBehind())
		}
	}
}

func TestACleanupLogsOutTheTokensAmongItsMarksAndGetsTheOthers(t *testing.T) {
	marks := []string{"user:a", "token:Bearer a", "token:Bearer b", "token:Bearer c", "token:Bearer d", "token:Bearer e", "role:b"}
	played := vespeiro.Play(&vespeiro.Behavior{
		Name: "test", Version: "0.0.0", Routes: []*vespeiro.Route{login, logout}, Login: login, Logout: logout,
		Cleanup: func(me *vespeiro.Me) {
			me.Check("the others", slices.Equal(me.LogOutMarked(), []string{"user:a", "role:b"}))
		},
	}, vespeiro.Script{Cleanup: marks, Replies: map[string][]vespeiro.Answer{
		"POST /logout": {{Status: 204}, {Status: 503}, {Status: 401}, {Status: 429}, {Failure: vespeiro.Timeout}},
	}})
	ended(t, played, "completed")
	if !slices.Equal(played.Unmarks, []string{marks[1], marks[3]}) || len(played.Checks) != 1 {
		t.Error(played.Unmarks, played.Checks)
	}
	if len(played.Requests) != 5 || played.Requests[4].Step != 0 || played.Requests[3].Authorization != "Bearer d" {
		t.Error(played.Requests)
	}
	if len(played.Logs) != 3 || strings.Contains(strings.Join(played.Logs, ""), "Bearer") {
		t.Error(played.Logs)
	}
}

func TestMarksFaultsAndFeedsReachTheHostAsTheyAre(t *testing.T) {
	played := play(func(me *vespeiro.Me) {
		fault := me.TakeFault()
		me.Send(plain.With().JSON(object{"name": "João ✓"}).Mark("user:x").Fault(fault))
		me.Unmark("user:x")
		me.Mark("role:y")
		var row []int
		me.Check("taken once", fault == vespeiro.NotFound && me.TakeFault() == vespeiro.NoFault)
		me.Check("a feed", me.Feed("rows", &row) && len(row) == 2)
	}, vespeiro.Script{Faults: []vespeiro.Fault{vespeiro.NotFound}, Feed: []int{1, 2}})
	ended(t, played, "completed")
	if !slices.Equal(played.LeftBehind(), []string{"role:y"}) || played.Requests[0].Body != `{"name":"João ✓"}` {
		t.Error(played.LeftBehind(), played.Requests[0])
	}
}
