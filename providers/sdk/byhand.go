package sdk

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"github.com/runbook-engine/runbook/providers/schema"
)

// ProbeOption completes a probe.
type ProbeOption func(*Probe)

// LookByHand says how a person looks for the same in a shell: for the runbook's
// page and its break-glass script. It is pure, and a probe without it has to be
// looked at by a person.
func LookByHand[A any](fn func(A, *Call) schema.ByHand) ProbeOption {
	return func(p *Probe) {
		if t := reflect.TypeFor[A](); t != p.arguments {
			panic(fmt.Sprintf("sdk: probe %s takes %s, its LookByHand %s", p.schema.Name, p.arguments, t))
		}
		p.byHand = byHand(fn)
	}
}

// ActByHand says how a person does the same in a shell, where that is more than
// the Command of Describe: it has secrets to hand over, or a result to give.
func ActByHand[A any](fn func(A, *Call) schema.ByHand) ActionOption {
	return func(a *Action) {
		a.sameArguments("ActByHand", reflect.TypeFor[A]())
		a.byHand = byHand(fn)
	}
}

func byHand[A any](fn func(A, *Call) schema.ByHand) func(schema.Operation, *Call) (schema.ByHand, error) {
	arguments, err := schema.Arguments(reflect.TypeFor[A]())
	if err != nil {
		panic(fmt.Sprintf("sdk: arguments: %v", err))
	}
	return func(op schema.Operation, call *Call) (schema.ByHand, error) {
		var decoded A
		if err := arguments.Decode(op.Arguments, &decoded, op.Unknown...); err != nil {
			return schema.ByHand{}, err
		}
		return fn(decoded, call), nil
	}
}

var placeholder = regexp.MustCompile(`(^|[=:] ?)\$[A-Za-z_][A-Za-z0-9_]*$`)

// ByHand tells how a person does an operation in a shell. Its Command is empty
// where the provider does not say. An action that would be refused is an error.
func (s *Server) ByHand(ctx context.Context, op schema.Operation) (hand schema.ByHand, err error) {
	defer s.recovered(op.Name, func(f *schema.Failure) { hand, err = schema.ByHand{}, f })
	var own func(schema.Operation, *Call) (schema.ByHand, error)
	if op.Kind == schema.Probe {
		probe := s.probes[op.Name]
		if probe == nil {
			return hand, fmt.Errorf("provider %s has no probe %q", s.schema.Name, op.Name)
		}
		if own = probe.byHand; own == nil {
			return hand, nil
		}
	} else {
		described, err := s.Describe(ctx, op)
		switch {
		case err != nil:
			return hand, err
		case described.Failure != nil:
			return hand, described.Failure
		}
		// A $NAME of a description is for people to read: what it stands for is not
		// said, and a shell that filled it in would put secrets into an argv.
		if own = s.actions[op.Name].byHand; own == nil && !slices.ContainsFunc(described.Command, placeholder.MatchString) {
			hand.Command = described.Command
		}
	}
	if own != nil {
		if hand, err = own(op, s.call(op, nil)); err != nil {
			return schema.ByHand{}, err
		}
	}
	if s.provider.Environ != nil {
		env := s.provider.Environ()
		maps.Copy(env, hand.Env)
		hand.Env = env
	}
	return hand, nil
}
