// Plays the journey, whatever it asks for: `./test`.

package main

import (
	"testing"

	"my-behavior/vespeiro"
)

// What the journey reads in a body stands here, by its route.
var bodies = map[string]any{}

func all(status int) func(route, path string) (vespeiro.Answer, bool) {
	return func(route, path string) (vespeiro.Answer, bool) {
		return vespeiro.Answer{Status: status, Body: bodies[route]}, true
	}
}

func TestTheJourneyComesToItsEndAndItsChecksHold(t *testing.T) {
	for ordinal := range uint32(2) {
		played := vespeiro.Play(behavior, vespeiro.Script{Answer: all(200), Ordinal: ordinal})
		if played.Ending != "completed" || len(played.Requests) == 0 {
			t.Fatal(played.Ending, played.Error, played.Routes())
		}
		for _, check := range played.Checks {
			if !check.Passed {
				t.Error(check.Name)
			}
		}
	}
}

func TestAServiceThatFailsIsNoMistakeOfTheJourney(t *testing.T) {
	played := vespeiro.Play(behavior, vespeiro.Script{Answer: all(503)})
	if played.Error != "" {
		t.Error(played.Error)
	}
}
