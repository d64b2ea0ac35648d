// Plays the journey against scripted replies: `./test`.

package main

import (
	"slices"
	"testing"

	"my-behavior/vespeiro"
)

type answers = []vespeiro.Answer

func replies() map[string][]vespeiro.Answer {
	return map[string][]vespeiro.Answer{
		"POST /api/v1/users": {{Status: 201}},
		"POST /api/v1/auth/login": {{Status: 200, Body: object{
			"data": object{"access_token": "a", "expires_in": 900, "user": object{"id": "7"}},
		}}},
		"GET /api/v1/users":                {{Status: 200, Body: object{"data": []object{{"id": "7"}, {"id": "8"}}}}},
		"GET /api/v1/users/{userId}/roles": {{Status: 200}},
		"PUT /api/v1/users/{id}":           {{Status: 200}},
		"GET /api/v1/users/{id}":           {{Status: 200, Body: object{"data": object{"name": "Ana Lima"}}}},
		"POST /api/v1/auth/logout":         {{Status: 204}},
	}
}

func TestANewcomerRegistersLooksAroundChangesTheirNameAndLeaves(t *testing.T) {
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: replies()})
	routes := played.Routes()
	if played.Ending != "completed" {
		t.Fatal(played.Ending, played.Error, routes)
	}
	if !slices.Equal(routes[:2], []string{"POST /api/v1/users", "POST /api/v1/auth/login"}) {
		t.Error(routes)
	}
	if routes[len(routes)-1] != "POST /api/v1/auth/logout" {
		t.Error(routes)
	}
	if left := played.LeftBehind(); !slices.Equal(left, []string{"user:sim_user_testrun0_0"}) {
		t.Error(left)
	}
	if len(played.Checks) != 1 || played.Checks[0].Passed {
		t.Error(played.Checks)
	}
}

func TestWhoHasAnAccountLogsInWithItAndGivesUpWhenTheServiceIsDown(t *testing.T) {
	down := replies()
	down["POST /api/v1/auth/login"] = answers{{Status: 503}}
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: down, Ordinal: 1})
	if played.Ending != "abandoned" || len(played.Requests) != 1 {
		t.Error(played.Ending, played.Error, played.Routes())
	}
}

func TestAMistakeIsMadeWhenItIsAskedFor(t *testing.T) {
	played := vespeiro.Play(behavior, vespeiro.Script{Replies: replies(), Ordinal: 1, Faults: []vespeiro.Fault{vespeiro.InvalidData}})
	var mistakes []string
	for _, request := range played.Requests {
		if request.Fault != vespeiro.NoFault {
			mistakes = append(mistakes, request.Route)
		}
	}
	if played.Ending != "completed" || !slices.Equal(mistakes, []string{"PUT /api/v1/users/{id}"}) {
		t.Error(played.Ending, played.Error, mistakes)
	}
}
