// Takes the place of gitleaks' own cmd/generate/config/utils/validate.go: instead of trying the examples of each
// rule it prints them, one JSON object a line, with what the rule itself takes out of the true ones.
package utils

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/zricethezav/gitleaks/v8/cmd/generate/config/base"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"
)

type example struct {
	Rule    string   `json:"rule"`
	Text    string   `json:"text"`
	True    bool     `json:"true"`
	Secrets []string `json:"secrets"`
}

func show(rule string, text string, isTrue bool, secrets []string) {
	if err := json.NewEncoder(os.Stdout).Encode(example{rule, text, isTrue, secrets}); err != nil {
		panic(err)
	}
}

func found(d *detect.Detector, fragment detect.Fragment) []string {
	secrets := []string{}
	for _, finding := range d.Detect(fragment) {
		secrets = append(secrets, finding.Secret)
	}
	return secrets
}

func Validate(rule config.Rule, truePositives []string, falsePositives []string) *config.Rule {
	d := single(&rule)
	for _, text := range truePositives {
		show(rule.RuleID, text, true, found(d, detect.Fragment{Raw: text}))
	}
	for _, text := range falsePositives {
		show(rule.RuleID, text, false, nil)
	}
	return &rule
}

// Examples with a path depend on a file's name, which a line of a log has not; only the true ones are shown.
func ValidateWithPaths(rule config.Rule, truePositives map[string]string, _ map[string]string) *config.Rule {
	d := single(&rule)
	for path, text := range truePositives {
		show(rule.RuleID, text, true, found(d, detect.Fragment{Raw: text, FilePath: path}))
	}
	return &rule
}

func single(rule *config.Rule) *detect.Detector {
	keywords := map[string]struct{}{}
	lower := []string{}
	for _, keyword := range rule.Keywords {
		keywords[strings.ToLower(keyword)] = struct{}{}
		lower = append(lower, strings.ToLower(keyword))
	}
	rule.Keywords = lower
	cfg := base.CreateGlobalConfig()
	cfg.Rules = map[string]config.Rule{rule.RuleID: *rule}
	cfg.Keywords = keywords
	for _, allowed := range cfg.Allowlists {
		if err := allowed.Validate(); err != nil {
			panic(err)
		}
	}
	return detect.NewDetector(cfg)
}
