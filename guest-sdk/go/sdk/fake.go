// Made-up data: nothing here names a real person, address or number.

package vespeiro

import "fmt"

var (
	firsts = []string{"Ana", "Bruno", "Camila", "Daniel", "Helena", "João", "Larissa", "Rafael", "Alice", "Edward", "Grace", "Oliver"}
	lasts  = []string{"Almeida", "Carvalho", "Conceição", "Ferreira", "Lima", "Moreira", "Santos", "Baker", "Clarke", "Hughes", "Parker", "Shaw"}
	cities = []string{"São Paulo", "Recife", "Curitiba", "Salvador", "Lisboa", "Porto", "London", "Bristol", "Dublin", "Seattle", "Toronto", "Wellington"}
	trades = []string{"arquiteta", "bibliotecário", "engenheira civil", "padeiro", "professora", "beekeeper", "carpenter", "gardener", "nurse", "translator"}
	loves  = []string{"café coado", "choro e samba", "hortas urbanas", "xadrez", "board games", "cold water swimming", "long train rides", "old maps", "wild bees"}
	words  = []string{"ana", "bruno", "carlos", "lima", "maria", "santos", "silva", "alice", "baker", "george", "oliver", "user"}
)

func (me *Me) pick(from []string) string { return from[me.random.IntN(len(from))] }

// FakeName is a person's.
func (me *Me) FakeName() string { return me.pick(firsts) + " " + me.pick(lasts) }

// FakeCity is where people live.
func (me *Me) FakeCity() string { return me.pick(cities) }

// FakeBio is what people say of themselves.
func (me *Me) FakeBio() string {
	return fmt.Sprintf("%s · %s · %s", me.pick(trades), me.pick(loves), me.pick(cities))
}

// FakePhone is nobody's.
func (me *Me) FakePhone() string { return fmt.Sprintf("+55 11 5550-%04d", me.Range(0, 9999)) }

// FakeWebsite does not exist.
func (me *Me) FakeWebsite() string {
	return fmt.Sprintf("https://%s%d.simulation.test", me.pick(words), me.Range(0, 999))
}

// FakeBirthDate is an adult's.
func (me *Me) FakeBirthDate() string {
	return fmt.Sprintf("%d-%02d-%02d", me.Range(1950, 2005), me.Range(1, 12), me.Range(1, 28))
}

// FakeSearch is a word that people look for.
func (me *Me) FakeSearch() string { return me.pick(words) }
