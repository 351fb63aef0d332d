// Takes the place of gitleaks' own cmd/generate/secrets/regen.go: the same text for the same pattern, every time.
package secrets

import (
	"hash/fnv"

	"github.com/lucasjones/reggen"
)

func NewSecret(regex string) string {
	generator, err := reggen.NewGenerator(regex)
	if err != nil {
		panic(err)
	}
	seed := fnv.New64a()
	seed.Write([]byte(regex))
	generator.SetSeed(int64(seed.Sum64() >> 1))
	return generator.Generate(1)
}
